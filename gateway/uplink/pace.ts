/**
 * How many bytes the lanes that can wait may have on the line together: what the line carries in a
 * moment beyond its own delay, found by watching how long acks take. A fast line opens it up to the
 * credit, a slow one closes it to a few packets, so the next STAT event is behind little of it.
 *
 *   ack within (best × 1.5 + slack)   grow by what was acked
 *   ack later                         shrink, at most once for each round of acks
 */
const startBytes = 256 * 1024;
const bytesMin = 32 * 1024;
const bytesMax = 4 * 1024 * 1024;
/** What may be added to the best ack. With 40 ms and twice the best a STAT event waited 66 ms for what drained before it, so 14. */
const slackUs = 10_000;
const bestFactor = 1.5;
const shrink = 0.7;
/** The best ack is looked for anew, because routes change. */
const bestForUs = 60_000_000;

export class Pace {
  #limitBytes = startBytes;
  #bestUs = Number.POSITIVE_INFINITY;
  #bestAtUs = 0;
  #shrunkAtUs = 0;

  /** Bytes that may still be sent while `onLineBytes` are out. */
  room(onLineBytes: number): number {
    return this.#limitBytes - onLineBytes;
  }

  acked(bytes: number, tookUs: number, nowUs: number): void {
    if (tookUs < this.#bestUs || nowUs - this.#bestAtUs > bestForUs) {
      this.#bestUs = tookUs;
      this.#bestAtUs = nowUs;
    }
    if (tookUs <= this.#bestUs * bestFactor + slackUs)
      this.#limitBytes = Math.min(bytesMax, this.#limitBytes + bytes / 4);
    else if (nowUs - this.#shrunkAtUs > tookUs) {
      this.#shrunkAtUs = nowUs;
      this.#limitBytes = Math.max(bytesMin, this.#limitBytes * shrink);
    }
  }
}
