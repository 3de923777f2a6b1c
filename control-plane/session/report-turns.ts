/**
 * What gateways report beside their events is taken up one frame after the other, so that an ack of a later one speaks
 * for the earlier; also behind what an earlier session of the gateway left, since what it told may come again. What waits
 * stands decoded in memory and has no credit: it is bounded for each gateway. One that is well waits for the acks of its
 * entries and tells the rest every two seconds, so it stays far below.
 */
import { Turns } from '../turns.ts';

const waitingBytesMax = 16 * 1024 ** 2;

interface Waiting {
  waiting: number;
  frames: number;
}

export class ReportTurns {
  readonly #turns = new Turns();
  readonly #gateways = new Map<string, Waiting>();

  /** What to call once the frame was taken up; undefined where too much waits. Alone a frame may be of any weight. */
  enter(gateway: string, weight: number): (() => void) | undefined {
    const turns = this.#of(gateway);
    if (turns.frames > 0 && turns.waiting + weight > waitingBytesMax) return undefined;
    turns.waiting += weight;
    turns.frames += 1;
    return () => {
      turns.waiting -= weight;
      turns.frames -= 1;
    };
  }

  /** Once all that came before has settled. */
  take<T>(gateway: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(gateway, work);
  }

  #of(gateway: string): Waiting {
    let turns = this.#gateways.get(gateway);
    if (turns === undefined) {
      turns = { waiting: 0, frames: 0 };
      this.#gateways.set(gateway, turns);
    }
    return turns;
  }
}
