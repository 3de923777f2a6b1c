/**
 * The local destinations: one delivery for each that the config names, over its own durable queue. With another
 * config a delivery goes on where its destination is as it was: a letter that waits for its answer is not sent again.
 * The others stop, and what they had not delivered is still in the queues.
 */
import { isDeepStrictEqual } from 'node:util';
import { durationMs } from '../proto/config/duration.ts';
import type { Config } from '../proto/config/schema.ts';
import type { Log } from './process/log.ts';
import { Delivery, type DeliveryOptions, type Told } from './route/delivery.ts';
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
  #deliveries = new Map<string, { delivery: Delivery; options: DeliveryOptions }>();

  constructor(queues: LetterQueues<L>, hooks: DestinationHooks) {
    this.#queues = queues;
    this.#hooks = hooks;
  }

  use({ destinations }: Config): void {
    for (const { destination, counts } of this.#queues.counts()) {
      if (counts.pending > 0 && destinations[destination] === undefined)
        this.#hooks.onAlarm('destination-unused', { destination, pending: counts.pending });
    }
    const before = this.#deliveries;
    this.#deliveries = new Map();
    for (const [name, { address, tls, timeout, order }] of Object.entries(destinations)) {
      const place = parseListen(address);
      if (place === undefined) continue;
      const options = {
        name,
        ...place,
        tls,
        timeoutMs: durationMs(timeout) ?? timeoutMs,
        inSourceOrder: order === 'source',
      };
      const known = before.get(name);
      if (known !== undefined && isDeepStrictEqual(known.options, options)) {
        this.#deliveries.set(name, known);
        before.delete(name);
        continue;
      }
      const delivery = new Delivery(this.#queue(name), options, {
        random: Math.random,
        log: this.#hooks.log,
        onAlarm: this.#hooks.onAlarm,
      });
      this.#deliveries.set(name, { delivery, options });
    }
    for (const { delivery } of before.values()) delivery.stop();
    this.notify();
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
    for (const { delivery } of this.#deliveries.values()) delivery.notify();
  }

  stop(): void {
    for (const { delivery } of this.#deliveries.values()) delivery.stop();
  }

  /** `unused`: no config names it any more. */
  state(name: string): string {
    return this.#deliveries.get(name)?.delivery.counts.state ?? 'unused';
  }
}
