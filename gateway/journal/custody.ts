/**
 * Custody: per source and hour of capture, how many records were accepted and what became
 * of them. Each count is stored in the transaction that makes it true, so it survives a
 * kill. `pending` is never computed from the others: it is the number of rows that stand
 * in the journal, counted at start and kept by the same rounds; a reconciler compares.
 *
 *   state row 1 hour(4) source(2) = accepted(8) delivered(8) quarantined(8) expired(8) duplicates(8) replayed(8)
 */
import type { Round } from './committer.ts';
import { readUInt64, writeUInt64 } from './layout.ts';
import { type State, stateKey } from './state.ts';

const terms = ['accepted', 'delivered', 'quarantined', 'expired', 'duplicates', 'replayed'] as const;
export type Term = (typeof terms)[number];
export type Counts = Record<Term, number>;

const rowBytes = terms.length * 8;
const secondsPerHour = 3600;

export interface Custody {
  count(term: Term, source: number, capturedS: number, by?: number): void;
  pending(source: number, by: number): void;
  /** Puts the changed counts into the round. */
  write(round: Round): void;
  totals(): Map<number, Counts & { pending: number }>;
  hours(): { source: number; hour: number; counts: Counts }[];
}

export function createCustody(state: State): Custody {
  const rows = new Map<number, { source: number; hour: number; counts: Counts }>();
  const pending = new Map<number, number>();
  const changed = new Set<number>();

  for (const row of storedCustody(state)) rows.set(identify(row.source, row.hour), row);

  return {
    count(term, source, capturedS, by = 1) {
      const hour = Math.floor(capturedS / secondsPerHour);
      const id = identify(source, hour);
      let row = rows.get(id);
      if (row === undefined) {
        row = { source, hour, counts: empty() };
        rows.set(id, row);
      }
      row.counts[term] += by;
      changed.add(id);
    },
    pending(source, by) {
      pending.set(source, (pending.get(source) ?? 0) + by);
    },
    write(round) {
      for (const id of changed) {
        const row = rows.get(id);
        if (row === undefined) continue;
        const key = Buffer.allocUnsafe(7);
        key[0] = stateKey.custody;
        // The hour first, so that the rows which change stand together.
        key.writeUInt32BE(row.hour, 1);
        key.writeUInt16BE(row.source, 5);
        const value = Buffer.allocUnsafe(rowBytes);
        terms.forEach((term, index) => {
          writeUInt64(value, row.counts[term], index * 8);
        });
        round.put(state.table, key, value);
      }
      changed.clear();
    },
    totals() {
      const totals = new Map<number, Counts & { pending: number }>();
      for (const { source, counts } of rows.values()) {
        const total = totals.get(source) ?? { ...empty(), pending: pending.get(source) ?? 0 };
        for (const term of terms) total[term] += counts[term];
        totals.set(source, total);
      }
      return totals;
    },
    hours: () => [...rows.values()],
  };
}

/** The counts as they stand on disk. */
export function storedCustody(state: State): { source: number; hour: number; counts: Counts }[] {
  const range = { start: Buffer.of(stateKey.custody), end: Buffer.of(stateKey.custody + 1) };
  return Array.from(state.table.getRange(range), ({ key, value }) => {
    const counts = empty();
    terms.forEach((term, index) => {
      counts[term] = readUInt64(value, index * 8);
    });
    return { source: key.readUInt16BE(5), hour: key.readUInt32BE(1), counts };
  });
}

function identify(source: number, hour: number): number {
  return source * 0x1_0000_0000 + hour;
}

function empty(): Counts {
  return { accepted: 0, delivered: 0, quarantined: 0, expired: 0, duplicates: 0, replayed: 0 };
}
