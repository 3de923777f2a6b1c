/**
 * The local destinations: one delivery for each that the config names, over its own durable queue. With another
 * config a delivery goes on where its destination is as it was: a letter that waits for its answer is not sent again.
 * The others stop, and what they had not delivered is still in the queues, from where it goes on when they have stopped.
 */
import { isDeepStrictEqual } from 'node:util';
import { addressOf } from '../proto/address.ts';
import { durationMs } from '../proto/config/duration.ts';
import type { Config } from '../proto/config/schema.ts';
import type { Log } from './process/log.ts';
import {
  Delivery,
  type Letter as DeliveryLetter,
  type DeliveryOptions,
  type DeliveryQueue,
  type Told,
} from './route/delivery.ts';
import type { LineTls } from './route/line.ts';

const timeoutMs = 30_000;

interface Letter {
  /** Its name in its queue. */
  key: Buffer;
  recordSequence: number;
  /** `rule` is the name of its route. */
  delivery: { raw: Uint8Array; messageControlId: string; rule: string };
}

/** What this needs of the journal's local queues. */
export interface LetterQueues<L extends Letter> {
  counts(): { destination: string; counts: { pending: number } }[];
  head(destination: string, out: { has(name: string): boolean }, after: string | undefined): L | undefined;
  settle(letter: L, outcome: 'delivered' | 'dead', told: Told): Promise<void>;
}

export interface DestinationHooks {
  log: Log;
  onAlarm(code: string, fields: Record<string, number | string>): void;
  /** Every record up to this sequence is normalized, and what became of it is flushed: nothing earlier can still come. */
  normalizedThrough(): number;
}

/** Where a destination stands, in stable words. */
export interface Standing {
  /** `unused`: no config names it any more. */
  state: 'idle' | 'connected' | 'waiting' | 'stopped' | 'unused';
  /** Why it waits, in a word (destination-text.ts); '' where it does not. */
  reason: string;
  /** 0 where it does not wait. */
  waitingSinceUs: number;
  /** Of one that answers after its timeout (`answer-late`): so long after; else 0. */
  answeredAfterMs: number;
  /** So long an answer is waited for; 0 where no config names it. */
  timeoutMs: number;
}

/** As a delivery sees it. */
interface Stored<L> extends DeliveryLetter {
  stored: L;
}

export class Destinations<L extends Letter = Letter> {
  readonly #queues: LetterQueues<L>;
  readonly #hooks: DestinationHooks;
  /** By name. */
  #tls: ReadonlyMap<string, LineTls>;
  #config: Pick<Config, 'destinations'> = { destinations: {} };
  #deliveries = new Map<string, { delivery: Delivery<Stored<L>>; options: DeliveryOptions }>();
  /** By name: the one before has letters out yet, which its successor would send again. */
  readonly #stopping = new Map<string, Promise<void>>();

  constructor(
    queues: LetterQueues<L>,
    hooks: DestinationHooks,
    tls: ReadonlyMap<string, LineTls> = new Map(),
  ) {
    this.#queues = queues;
    this.#hooks = hooks;
    this.#tls = tls;
  }

  /** Certificates may be other ones now. */
  renew(tls: ReadonlyMap<string, LineTls>): void {
    this.#tls = tls;
    this.use(this.#config);
  }

  use(config: Pick<Config, 'destinations'>): void {
    this.#config = config;
    const { destinations } = config;
    for (const name of this.#tls.keys())
      if (destinations[name]?.tls !== true)
        this.#hooks.log('warn', 'destination-tls-unused', { destination: name });
    for (const { destination, counts } of this.#queues.counts()) {
      if (counts.pending > 0 && destinations[destination] === undefined)
        this.#hooks.onAlarm('destination-unused', { destination, pending: counts.pending });
    }
    const before = this.#deliveries;
    this.#deliveries = new Map();
    for (const [name, { address, tls, timeout, order }] of Object.entries(destinations)) {
      const options = {
        name,
        ...addressOf(address),
        tls: tls && (this.#tls.get(name) ?? {}),
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
    for (const [name, { delivery }] of before) this.#leave(name, delivery);
    this.notify();
  }

  #leave(name: string, delivery: Delivery<Stored<L>>): void {
    const stopped = Promise.all([delivery.stop(), this.#stopping.get(name)]).then(() => {
      if (this.#stopping.get(name) !== stopped) return;
      this.#stopping.delete(name);
      this.#deliveries.get(name)?.delivery.notify();
    });
    this.#stopping.set(name, stopped);
  }

  /** The letters of a queue, and what becomes of them. */
  #queue(name: string): DeliveryQueue<Stored<L>> {
    const queues = this.#queues;
    return {
      next: (out, after) => {
        const stored = queues.head(name, out, after);
        if (stored === undefined) return undefined;
        const { key, recordSequence, delivery } = stored;
        const { raw, messageControlId, rule: route } = delivery;
        return { id: key.toString('latin1'), raw, messageControlId, recordSequence, route, stored };
      },
      delivered: ({ stored }, told) => queues.settle(stored, 'delivered', told),
      deadLetter: ({ stored }, told) => queues.settle(stored, 'dead', told),
      normalizedThrough: () => this.#hooks.normalizedThrough(),
    };
  }

  /** There may be something new in the queues. */
  notify(): void {
    for (const [name, { delivery }] of this.#deliveries) if (!this.#stopping.has(name)) delivery.notify();
  }

  /** Resolves when what is out and is due no answer is settled; at once where there is none. */
  async stop(): Promise<void> {
    for (const [name, { delivery }] of this.#deliveries) this.#leave(name, delivery);
    await Promise.all(this.#stopping.values());
  }

  standing(name: string): Standing {
    const known = this.#deliveries.get(name);
    if (known === undefined)
      return { state: 'unused', reason: '', waitingSinceUs: 0, answeredAfterMs: 0, timeoutMs: 0 };
    const { delivery, options } = known;
    return {
      state: delivery.counts.state,
      reason: delivery.wait?.reason ?? '',
      waitingSinceUs: delivery.wait?.sinceUs ?? 0,
      answeredAfterMs: delivery.wait?.answeredAfterMs ?? 0,
      timeoutMs: options.timeoutMs,
    };
  }
}
