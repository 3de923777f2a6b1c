/**
 * The local destinations: one delivery for each that the config names, over its own durable queue. A config is
 * taken as a whole: the deliveries of the last one stop, and what they had not delivered is still in the queues.
 */
import { durationMs } from '../proto/config/duration.ts';
import type { Config } from '../proto/config/schema.ts';
import type { Log } from './process/log.ts';
import { Delivery, type Told } from './route/delivery.ts';
import { parseListen } from './settings.ts';

const timeoutMs = 30_000;

interface Letter {
  recordSequence: number;
  delivery: { raw: Uint8Array; messageControlId: string };
}

/** What this needs of the journal's local queues. */
export interface LetterQueues<L extends Letter> {
  counts(): { destination: string; counts: { pending: number } }[];
  head(destination: string): L | undefined;
  settle(letter: L, outcome: 'delivered' | 'dead', told: Told): Promise<void>;
}

export interface DestinationHooks {
  log: Log;
  onAlarm(code: string, fields: Record<string, number | string>): void;
  /** Every record up to this sequence is normalized, and what became of it is flushed: nothing earlier can still come. */
  normalizedThrough(): number;
}

export class Destinations<L extends Letter = Letter> {
  readonly #queues: LetterQueues<L>;
  readonly #hooks: DestinationHooks;
  readonly #deliveries = new Map<string, Delivery>();

  constructor(queues: LetterQueues<L>, hooks: DestinationHooks) {
    this.#queues = queues;
    this.#hooks = hooks;
  }

  use({ destinations }: Config): void {
    this.stop();
    this.#deliveries.clear();
    for (const { destination, counts } of this.#queues.counts()) {
      if (counts.pending > 0 && destinations[destination] === undefined)
        this.#hooks.onAlarm('destination-unused', { destination, pending: counts.pending });
    }
    for (const [name, destination] of Object.entries(destinations)) {
      const place = parseListen(destination.address);
      if (place === undefined) continue;
      const { tls, timeout, order } = destination;
      const delivery = new Delivery(
        this.#queue(name),
        {
          name,
          ...place,
          tls,
          timeoutMs: durationMs(timeout) ?? timeoutMs,
          inSourceOrder: order === 'source',
        },
        { random: Math.random, log: this.#hooks.log },
      );
      this.#deliveries.set(name, delivery);
      delivery.notify();
    }
  }

  /** The head of a queue, and what becomes of it. */
  #queue(name: string): ConstructorParameters<typeof Delivery>[0] {
    const queues = this.#queues;
    let head: L | undefined;
    return {
      head: () => {
        head = queues.head(name);
        if (head === undefined) return undefined;
        const { raw, messageControlId } = head.delivery;
        return { raw, messageControlId, recordSequence: head.recordSequence };
      },
      delivered: (_letter, told) => queues.settle(head as L, 'delivered', told),
      deadLetter: (_letter, told) => queues.settle(head as L, 'dead', told),
      normalizedThrough: () => this.#hooks.normalizedThrough(),
    };
  }

  /** There may be something new in the queues. */
  notify(): void {
    for (const delivery of this.#deliveries.values()) delivery.notify();
  }

  stop(): void {
    for (const delivery of this.#deliveries.values()) delivery.stop();
  }

  /** `unused`: no config names it any more. */
  state(name: string): string {
    return this.#deliveries.get(name)?.counts.state ?? 'unused';
  }
}
