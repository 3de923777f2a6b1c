/**
 * Messages on their way to destinations at the site: one durable queue each, in the order of the
 * records. A message is put here in the round that moves its record on, and leaves when its
 * destination has answered for it; one that is refused for good is kept aside as a dead letter.
 * Counts are stored with the rounds that make them true; `pending` is a count of rows.
 */
import { LocalDelivery } from '../../proto/gen/hilum/v1/journal.ts';
import { nowUs } from '../process/clock.ts';
import type { Round } from './committer.ts';
import { deliveryKey, place, readUInt64, shortKey, tables, writeUInt64 } from './layout.ts';
import { type JournalPart, settled } from './part.ts';
import type { Reports } from './reports.ts';
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

export class LocalQueues {
  readonly #part: JournalPart;
  readonly #state: State;
  readonly #reports: Pick<Reports, 'delivered'>;
  readonly #numbers = new Map<string, number>();
  readonly #counts = new Map<number, LocalCounts>();
  readonly #changed = new Set<number>();

  constructor(part: JournalPart, state: State, reports: Pick<Reports, 'delivered'>) {
    this.#part = part;
    this.#state = state;
    this.#reports = reports;
    const { environment } = part;
    for (const { key, value } of environment.table(tables.destinations).getRange({})) {
      this.#numbers.set(value.toString(), key.readUInt16BE(0));
    }
    const counted = { start: Buffer.of(stateKey.localCustody), end: Buffer.of(stateKey.localCustody + 1) };
    for (const { key, value } of state.table.getRange(counted)) {
      const [accepted, delivered, dead] = [readUInt64(value, 0), readUInt64(value, 8), readUInt64(value, 16)];
      this.#counts.set(key.readUInt16BE(1), { accepted, delivered, dead, pending: 0 });
    }
    for (const key of environment.table(tables.deliveries).getKeys({})) {
      this.#change((key as Buffer).readUInt16BE(0)).pending += 1;
    }
  }

  add(round: Round, recordSequence: number, deliveries: readonly MadeDelivery[]): void {
    deliveries.forEach(({ destination, delivery }, part) => {
      const number = this.#number(round, destination);
      const where = place('deliveries', this.#part.origin, recordSequence, part);
      const sealed = this.#part.sealer.seal(where, delivery);
      round.put(this.#table(tables.deliveries), deliveryKey(number, recordSequence, part), sealed);
      const counts = this.#change(number);
      counts.accepted += 1;
      counts.pending += 1;
    });
  }

  /** The oldest of a destination, in source order. */
  head(destination: string): StoredDelivery | undefined {
    const number = this.#numbers.get(destination);
    if (number === undefined) return undefined;
    const range = { start: deliveryKey(number, 0, 0), end: deliveryKey(number + 1, 0, 0), limit: 1 };
    for (const { key, value } of this.#table(tables.deliveries).getRange(range)) {
      const recordSequence = readUInt64(key, 2);
      const where = place('deliveries', this.#part.origin, recordSequence, key.readUInt16BE(10));
      return { key, recordSequence, delivery: LocalDelivery.decode(this.#part.opener.open(where, value)) };
    }
    return undefined;
  }

  /**
   * Resolves when its removal is durable; what became of it is reported with it. A dead one was refused for
   * good: kept aside, so that the queue goes on.
   */
  settle(
    stored: StoredDelivery,
    outcome: 'delivered' | 'dead',
    { attempts, answer }: { attempts: number; answer: string },
  ): Promise<void> {
    const { key, recordSequence, delivery } = stored;
    const round = this.#part.committer.round();
    const counts = this.#change(key.readUInt16BE(0));
    if (outcome === 'dead') {
      const value = this.#table(tables.deliveries).get(key);
      if (value !== undefined) round.put(this.#table(tables.deadLetters), key, value);
    }
    round.remove(this.#table(tables.deliveries), key);
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
