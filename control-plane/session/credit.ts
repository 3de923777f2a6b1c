/**
 * What a session has in flight, held against the credit that it was given in its Welcome: what waits for a flush
 * stands decoded in memory, so a gateway that sends on without acks would fill it.
 */
import type { Batch } from '../../proto/gen/hilum/v1/session.ts';
import { wireLimits } from '../../proto/limits.ts';

interface Flight {
  events: number;
  bytes: number;
}

export function bytesIn({ envelopes }: Batch): number {
  return envelopes.reduce((sum, { length }) => sum + length, 0);
}

export class Credit {
  readonly #lanes = new Map<string, Flight>();

  /** Takes the batch up: what is to be called once it is answered; undefined where it is more than may be in flight. */
  take(batch: Batch): (() => void) | undefined {
    const { lane, envelopes } = batch;
    const credit = (wireLimits.credit as Readonly<Record<string, Flight>>)[lane];
    if (credit === undefined) return undefined;
    const flight = this.#lanes.get(lane) ?? { events: 0, bytes: 0 };
    const idle = flight.events === 0;
    // An empty one costs its place as well.
    const events = Math.max(1, envelopes.length);
    const bytes = bytesIn(batch);
    if (flight.events + events > credit.events) return undefined;
    // One event may be larger than the credit: it goes alone, when nothing else is out.
    if (flight.bytes + bytes > credit.bytes && !(idle && events === 1)) return undefined;
    flight.events += events;
    flight.bytes += bytes;
    this.#lanes.set(lane, flight);
    return () => {
      flight.events -= events;
      flight.bytes -= bytes;
    };
  }
}
