/**
 * The local destinations: one delivery for each that the config names, over its own durable queue. A config is
 * taken as a whole: the deliveries of the last one stop, and what they had not delivered is still in the queues.
 */
import { durationMs } from '../proto/config/duration.ts';
import type { Config } from '../proto/config/schema.ts';
import type { Journal } from './journal/journal.ts';
import type { StoredDelivery } from './journal/local-queues.ts';
import type { Log } from './process/log.ts';
import { Delivery } from './route/delivery.ts';
import { parseListen } from './settings.ts';

const timeoutMs = 30_000;

export interface DestinationHooks {
  log: Log;
  onAlarm(code: string, fields: Record<string, number | string>): void;
  /** Every record up to this sequence is normalized: nothing earlier can still come for a destination. */
  normalizedThrough(): number;
}

export class Destinations {
  readonly #journal: Journal;
  readonly #hooks: DestinationHooks;
  readonly #deliveries = new Map<string, Delivery>();

  constructor(journal: Journal, hooks: DestinationHooks) {
    this.#journal = journal;
    this.#hooks = hooks;
  }

  use({ destinations }: Config): void {
    this.stop();
    this.#deliveries.clear();
    for (const { destination, counts } of this.#journal.local.counts()) {
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
    const { local } = this.#journal;
    let head: StoredDelivery | undefined;
    return {
      head: () => {
        head = local.head(name);
        if (head === undefined) return undefined;
        const { raw, messageControlId } = head.delivery;
        return { raw, messageControlId, recordSequence: head.recordSequence };
      },
      delivered: () => local.settle(head as StoredDelivery, 'delivered'),
      deadLetter: () => local.settle(head as StoredDelivery, 'dead'),
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
