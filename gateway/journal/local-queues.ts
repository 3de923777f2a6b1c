/**
 * Messages on their way to destinations at the site: one durable queue each, in the order of the
 * records. A message is put here in the round that moves its record on, and leaves when its
 * destination has answered for it; one that is refused for good, or damaged on disk, is kept aside as a
 * dead letter. Counts are stored with the rounds that make them true; `pending` is a count of rows.
 */
import { LocalDelivery } from '../../proto/gen/hilum/v1/journal.ts';
import { nowUs } from '../process/clock.ts';
import { orDamaged } from '../process/seal.ts';
import type { Round } from './committer.ts';
import { deliveryKey, place, readUInt64, shortKey, tables, writeUInt64 } from './layout.ts';
import { type JournalPart, settled } from './part.ts';
import type { Reports } from './reports.ts';
import { storedBytes } from './space.ts';
import { type State, stateKey } from './state.ts';

export interface MadeDelivery {
  destination: string;
  /** Encoded LocalDelivery. */
  delivery: Uint8Array;
}

export interface StoredDelivery {
  key: Buffer;
  recordSequence: number;
  delivery: LocalDelivery;
}

/** Per destination, in records; pending is a count of rows. */
export interface LocalCounts {
  accepted: number;
  delivered: number;
  dead: number;
  pending: number;
}

export interface LocalQueuesHooks {
  onAlarm(code: string, fields: Record<string, number | string>): void;
  /** Messages that wait and dead letters count as what the journal holds. */
  bytes(live: number): void;
}

export class LocalQueues {
  readonly #part: JournalPart;
  readonly #state: State;
  readonly #reports: Pick<Reports, 'delivered'>;
  readonly #hooks: LocalQueuesHooks;
  readonly #numbers = new Map<string, number>();
  readonly #counts = new Map<number, LocalCounts>();
  readonly #changed = new Set<number>();
  /** By key: settled, and still seen by a reader until that is flushed. */
  readonly #leaving = new Map<string, Promise<void>>();

  constructor(part: JournalPart, state: State, reports: Pick<Reports, 'delivered'>, hooks: LocalQueuesHooks) {
    this.#part = part;
    this.#state = state;
    this.#reports = reports;
    this.#hooks = hooks;
    const { environment } = part;
    for (const { key, value } of environment.table(tables.destinations).getRange({})) {
      this.#numbers.set(value.toString(), key.readUInt16BE(0));
    }
    const counted = { start: Buffer.of(stateKey.localCustody), end: Buffer.of(stateKey.localCustody + 1) };
    for (const { key, value } of state.table.getRange(counted)) {
      const [accepted, delivered, dead] = [readUInt64(value, 0), readUInt64(value, 8), readUInt64(value, 16)];
      this.#counts.set(key.readUInt16BE(1), { accepted, delivered, dead, pending: 0 });
    }
    for (const { key, value } of environment.table(tables.deliveries).getRange({})) {
      this.#change(key.readUInt16BE(0)).pending += 1;
      hooks.bytes(storedBytes(key.length, value.length));
    }
    for (const { key, value } of environment.table(tables.deadLetters).getRange({}))
      hooks.bytes(storedBytes(key.length, value.length));
  }

  add(round: Round, recordSequence: number, deliveries: readonly MadeDelivery[]): void {
    deliveries.forEach(({ destination, delivery }, part) => {
      const number = this.#number(round, destination);
      const where = place('deliveries', this.#part.origin, recordSequence, part);
      const sealed = this.#part.sealer.seal(where, delivery);
      const key = deliveryKey(number, recordSequence, part);
      round.put(this.#table(tables.deliveries), key, sealed);
      this.#hooks.bytes(storedBytes(key.length, sealed.length));
      const counts = this.#change(number);
      counts.accepted += 1;
      counts.pending += 1;
    });
  }

  /**
   * The oldest of a destination, in source order; not one that is settled already, or that is `out`. A damaged one
   * cannot be sent: it is kept aside with an alarm, as it is, and the next one is the oldest.
   * @param out   keys, as Latin-1
   * @param after one of them: the oldest behind it
   */
  head(
    destination: string,
    out: { has(name: string): boolean } = new Set(),
    after: string | undefined = undefined,
  ): StoredDelivery | undefined {
    const number = this.#numbers.get(destination);
    if (number === undefined) return undefined;
    // The next key behind one is that one with a zero byte more.
    const start = after === undefined ? deliveryKey(number, 0, 0) : Buffer.from(`${after}\0`, 'latin1');
    const range = { start, end: deliveryKey(number + 1, 0, 0) };
    for (const { key, value } of this.#table(tables.deliveries).getRange(range)) {
      const name = key.toString('latin1');
      if (this.#leaving.has(name) || out.has(name)) continue;
      const recordSequence = readUInt64(key, 2);
      const where = place('deliveries', this.#part.origin, recordSequence, key.readUInt16BE(10));
      const delivery = orDamaged(() => LocalDelivery.decode(this.#part.opener.open(where, value)));
      if (delivery !== undefined) return { key, recordSequence, delivery };
      this.#hooks.onAlarm('delivery-damaged', { destination, record: recordSequence });
      const nameless = LocalDelivery.fromPartial({ destination });
      const aside = this.settle({ key, recordSequence, delivery: nameless }, 'dead', {
        attempts: 0,
        answer: '',
      });
      // A fault of the commit ends the process by itself.
      aside.catch(() => {});
    }
    return undefined;
  }

  /**
   * Resolves when its removal is durable; what became of it is reported with it. A dead one was refused for
   * good: kept aside, so that the queue goes on. One that is settled already is not settled again.
   */
  settle(
    stored: StoredDelivery,
    outcome: 'delivered' | 'dead',
    told: { attempts: number; answer: string },
  ): Promise<void> {
    const name = stored.key.toString('latin1');
    const known = this.#leaving.get(name);
    if (known !== undefined) return known;
    const value = this.#table(tables.deliveries).get(stored.key);
    if (value === undefined) return Promise.resolve();
    const leaving = this.#leave(stored, value, outcome, told).finally(() => this.#leaving.delete(name));
    this.#leaving.set(name, leaving);
    return leaving;
  }

  #leave(
    { key, recordSequence, delivery }: StoredDelivery,
    value: Buffer,
    outcome: 'delivered' | 'dead',
    { attempts, answer }: { attempts: number; answer: string },
  ): Promise<void> {
    const round = this.#part.committer.round();
    const counts = this.#change(key.readUInt16BE(0));
    round.remove(this.#table(tables.deliveries), key);
    if (outcome === 'dead') round.put(this.#table(tables.deadLetters), key, value);
    else this.#hooks.bytes(-storedBytes(key.length, value.length));
    this.#reports.delivered(round, {
      recordEpoch: delivery.recordEpoch || this.#part.epoch(),
      recordSequence: BigInt(recordSequence),
      destination: delivery.destination,
      route: delivery.rule,
      outcome: outcome === 'dead' ? 'dead-letter' : 'delivered',
      answer,
      attempts,
      atUs: BigInt(nowUs()),
    });
    counts[outcome] += 1;
    counts.pending -= 1;
    return settled(round);
  }

  /** Is there a message on its way? */
  get waits(): boolean {
    for (const { pending } of this.#counts.values()) if (pending > 0) return true;
    return false;
  }

  counts(): { destination: string; counts: LocalCounts }[] {
    return [...this.#numbers].map(([destination, number]) => ({ destination, counts: this.#change(number) }));
  }

  /** Puts the changed counts into the round. */
  write(round: Round): void {
    for (const number of this.#changed) {
      const { accepted, delivered, dead } = this.#change(number);
      const value = Buffer.allocUnsafe(24);
      writeUInt64(value, accepted, 0);
      writeUInt64(value, delivered, 8);
      writeUInt64(value, dead, 16);
      const key = Buffer.concat([Buffer.of(stateKey.localCustody), shortKey(number)]);
      round.put(this.#state.table, key, value);
    }
    this.#changed.clear();
  }

  /** The counts of a destination, to be changed; they go with the open round. */
  #change(number: number): LocalCounts {
    let counts = this.#counts.get(number);
    if (counts === undefined) {
      counts = { accepted: 0, delivered: 0, dead: 0, pending: 0 };
      this.#counts.set(number, counts);
    }
    this.#changed.add(number);
    return counts;
  }

  #number(round: Round, destination: string): number {
    const known = this.#numbers.get(destination);
    if (known !== undefined) return known;
    const number = this.#numbers.size + 1;
    this.#numbers.set(destination, number);
    round.put(this.#table(tables.destinations), shortKey(number), Buffer.from(destination));
    return number;
  }

  #table(name: string) {
    return this.#part.environment.table(name);
  }
}
