/**
 * What is stored, counted as it is stored: of each gateway and source, by the epoch of its positions. What a gateway says
 * that it delivered is compared epoch by epoch, so that what a later self of a restored journal sent stands in for nothing
 * that its earlier self lost.
 *
 *   counts   gateway source epoch(hex)   StoredCounts
 *            gateway source              of earlier builds: all epochs together
 *
 * Where a row does not open, what its gateway stored and no other row counts is counted again at the start, but for the
 * positions that came again. Its key says whose it was and no more: that may be what is damaged.
 */
import type { CustodyCount } from '../../proto/gen/hilum/v1/session.ts';
import { StoredCounts } from '../../proto/gen/hilum/v1/store.ts';
import { DamagedRow, type Row, type Store, walk } from '../store/store.ts';
import { recounted } from './recount.ts';

const pageRows = 1_000;

/** Whose they are; an event without a source is one of the gateway alone. */
interface Whose {
  gateway: string;
  epoch: bigint;
  source: string;
}

type Counted = Partial<Record<'events' | 'records' | 'doubled' | 'duplicates', number>>;

/** Counts that a batch changes, by their names. */
export type ChangedCounts = Map<string, StoredCounts>;

export class Counts {
  readonly #counts: ChangedCounts = new Map();

  async open(store: Store): Promise<void> {
    const damaged: Buffer[] = [];
    for await (const row of walk(store, 'counts', pageRows)) {
      if (row instanceof DamagedRow) damaged.push(row.key);
      else this.#counts.set(row.key.toString(), StoredCounts.decode(row.value));
    }
    if (damaged.length > 0) await this.#recount(store, damaged);
  }

  /** Of the events that are stored, those that no other row of the source counts. */
  async #recount(store: Store, damaged: readonly Buffer[]): Promise<void> {
    const changed: ChangedCounts = new Map();
    for (const gateway of new Set(damaged.map((key) => gatewayOf(key)))) {
      const found = await recounted(store, gateway);
      for (const one of found) {
        if (this.#counts.has(nameOf(one))) continue;
        const ofSource = (each: StoredCounts) => each.gateway === gateway && each.source === one.source;
        const [own, others] = [found.filter(ofSource), [...this.#counts.values()].filter(ofSource)];
        const counted = { ...one };
        for (const figure of ['events', 'records', 'doubled'] as const)
          counted[figure] = positive(min(sumBy(own, figure) - sumBy(others, figure), one[figure]));
        if (counted.events === 0n) continue;
        changed.set(nameOf(one), counted);
        this.take(changed);
      }
    }
    const removed = damaged.map((key) => ({ table: 'counts', key, value: undefined }));
    await store.write([...removed, ...rowsOf(changed)]);
  }

  /** Adds to what `changed` holds, else to what was counted before; nothing is held where nothing is added. */
  add(changed: ChangedCounts, whose: Whose, by: Counted): void {
    if (by.events === undefined && (by.duplicates ?? 0) <= 0) return;
    const name = nameOf(whose);
    const counts = changed.get(name) ?? { ...(this.#counts.get(name) ?? StoredCounts.create(whose)) };
    counts.events += BigInt(by.events ?? 0);
    counts.records += BigInt(by.records ?? 0);
    counts.doubled += BigInt(by.doubled ?? 0);
    counts.duplicates += BigInt(by.duplicates ?? 0);
    changed.set(name, counts);
  }

  take(changed: ChangedCounts): void {
    for (const [name, one] of changed) this.#counts.set(name, one);
  }

  /** One for each gateway and source; `epoch` is 0. */
  sums(): StoredCounts[] {
    const sums = new Map<string, StoredCounts>();
    for (const { gateway, source, events, records, doubled, duplicates } of this.#counts.values()) {
      const name = nameOf({ gateway, source, epoch: 0n });
      const sum = sums.get(name) ?? StoredCounts.create({ gateway, source });
      sum.events += events;
      sum.records += records;
      sum.doubled += doubled;
      sum.duplicates += duplicates;
      sums.set(name, sum);
    }
    return [...sums.values()];
  }

  /** Records of a source that are stored under each epoch, whichever of these names delivered them; 0: under any. */
  storedUnder(gateways: ReadonlySet<string>, source: string): Map<bigint, bigint> {
    const stored = new Map<bigint, bigint>();
    for (const one of this.#counts.values()) {
      if (one.source !== source || !gateways.has(one.gateway)) continue;
      stored.set(one.epoch, (stored.get(one.epoch) ?? 0n) + one.records);
    }
    return stored;
  }
}

export function rowsOf(changed: ChangedCounts): Row[] {
  return [...changed].map(([name, one]) => ({
    table: 'counts',
    key: Buffer.from(name),
    value: StoredCounts.encode(one).finish(),
  }));
}

/** Records that the gateway was told are stored and that are not. */
export function lacking(count: CustodyCount, stored: ReadonlyMap<bigint, bigint>): bigint {
  // One that does not tell its epochs is an earlier build.
  if (count.deliveredUnder.length === 0)
    return positive(count.delivered - count.deliveredElsewhere - sumOf(stored));
  const underAny = stored.get(0n) ?? 0n;
  return count.deliveredUnder.reduce(
    (sum, { epoch, records }) => sum + positive(records - (stored.get(epoch) ?? 0n) - underAny),
    0n,
  );
}

export function sumOf(stored: ReadonlyMap<bigint, bigint>): bigint {
  return [...stored.values()].reduce((sum, records) => sum + records, 0n);
}

function gatewayOf(key: Buffer): string {
  return key.toString().split('\0', 1)[0] ?? '';
}

function nameOf({ gateway, source, epoch }: Whose): string {
  return `${gateway}\0${source}${epoch === 0n ? '' : `\0${epoch.toString(16)}`}`;
}

function sumBy(counts: readonly StoredCounts[], figure: 'events' | 'records' | 'doubled'): bigint {
  return counts.reduce((sum, one) => sum + one[figure], 0n);
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function positive(count: bigint): bigint {
  return count > 0n ? count : 0n;
}
