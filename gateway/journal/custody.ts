/**
 * Custody: per source and hour of capture, how many records were accepted and what became
 * of them. Each count is stored in the transaction that makes it true, so it survives a
 * kill. `pending` is never computed from the others: it is the number of rows that stand
 * in the journal, counted at start and kept by the same rounds; a reconciler compares.
 *
 * Hours of the last three days are kept apart; older ones are folded into one row of their source, with hour 0, in a round
 * that takes their own rows away.
 *
 * What the control plane holds is compared epoch by epoch: a journal that was restored shares its earlier positions with a
 * later self, whose events must not stand in for its own. So what was delivered under an epoch is kept when it ends.
 *
 *   state row 1 hour(4) source(2) = accepted(8) delivered(8) quarantined(8) expired(8) duplicates(8) replayed(8)
 *   state row 3 epoch(8) source(2) = delivered(8)
 */
import { nowUs } from '../process/clock.ts';
import type { Round } from './committer.ts';
import { readUInt64, writeUInt64 } from './layout.ts';
import { type State, stateKey } from './state.ts';

const terms = ['accepted', 'delivered', 'quarantined', 'expired', 'duplicates', 'replayed'] as const;
export type Term = (typeof terms)[number];
export type Counts = Record<Term, number>;

const rowBytes = terms.length * 8;
const secondsPerHour = 3600;
/** What the control plane shows by hour, and one more that has only begun. */
const hoursKept = 73;

interface CustodyRow {
  source: number;
  hour: number;
  counts: Counts;
}

interface Delivered {
  epoch: bigint;
  records: number;
}

/** The hour of the row that older ones are folded into. */
const folded = 0;

export interface Custody {
  count(term: Term, source: number, capturedS: number, by?: number): void;
  pending(source: number, by: number): void;
  /** Puts the changed counts into the round. */
  write(round: Round): void;
  totals(): Map<number, Counts & { pending: number }>;
  /** Of a source: what was delivered under each epoch that there is any of; the rest of `delivered` is the present one's. */
  deliveredUnder(source: number, present: bigint): Delivered[];
  /** What is delivered from here on is so under another epoch. */
  endEpoch(round: Round, epoch: bigint): void;
  /** Without what is folded. */
  hours(): { source: number; hour: number; counts: Counts }[];
}

export function createCustody(state: State): Custody {
  const rows = new Map<number, CustodyRow>();
  const sums = new Map<number, Counts>();
  const pending = new Map<number, number>();
  const changed = new Set<number>();
  /** By source. */
  const ended = storedEnds(state);
  /** Hours before it are folded. */
  let from = 0;

  for (const row of storedCustody(state)) {
    rows.set(identify(row.source, row.hour), row);
    const sum = sumOf(row.source);
    for (const term of terms) sum[term] += row.counts[term];
  }

  function sumOf(source: number): Counts {
    let sum = sums.get(source);
    if (sum === undefined) {
      sum = empty();
      sums.set(source, sum);
    }
    return sum;
  }

  function rowOf(source: number, hour: number): CustodyRow {
    const id = identify(source, hour);
    let row = rows.get(id);
    if (row === undefined) {
      row = { source, hour, counts: empty() };
      rows.set(id, row);
    }
    changed.add(id);
    return row;
  }

  /** Once an hour. */
  function fold(round: Round): void {
    const before = Math.floor(nowUs() / 1e6 / secondsPerHour) + 1 - hoursKept;
    if (before <= from) return;
    from = before;
    for (const [id, { source, hour, counts }] of rows) {
      if (hour === folded || hour >= from) continue;
      const into = rowOf(source, folded);
      for (const term of terms) into.counts[term] += counts[term];
      rows.delete(id);
      changed.delete(id);
      round.remove(state.table, custodyKey(source, hour));
    }
  }

  /**
   * Where it was counted: in its hour, or where that is folded. A clock that was ahead has folded hours that are new,
   * and begun again after it was set back they do not hold all of their own.
   */
  function takeBack(term: Term, source: number, hour: number, by: number): void {
    let left = by;
    const others = [...rows.values()].filter((row) => row.source === source).map((row) => row.hour);
    for (const one of [hour, folded, ...others]) {
      const known = rows.get(identify(source, one));
      const taken = Math.min(left, known?.counts[term] ?? 0);
      if (taken <= 0) continue;
      rowOf(source, one).counts[term] -= taken;
      left -= taken;
    }
  }

  function presentOf(source: number): number {
    const earlier = (ended.get(source) ?? []).reduce((sum, { records }) => sum + records, 0);
    return (sums.get(source)?.delivered ?? 0) - earlier;
  }

  return {
    count(term, source, capturedS, by = 1) {
      const hour = Math.floor(capturedS / secondsPerHour);
      if (by < 0) takeBack(term, source, hour, -by);
      else rowOf(source, hour < from ? folded : hour).counts[term] += by;
      sumOf(source)[term] += by;
    },
    pending(source, by) {
      pending.set(source, (pending.get(source) ?? 0) + by);
    },
    write(round) {
      fold(round);
      for (const id of changed) {
        const row = rows.get(id);
        if (row === undefined) continue;
        const value = Buffer.allocUnsafe(rowBytes);
        terms.forEach((term, index) => {
          writeUInt64(value, row.counts[term], index * 8);
        });
        round.put(state.table, custodyKey(row.source, row.hour), value);
      }
      changed.clear();
    },
    totals() {
      const totals = new Map<number, Counts & { pending: number }>();
      for (const [source, sum] of sums) totals.set(source, { ...sum, pending: pending.get(source) ?? 0 });
      return totals;
    },
    deliveredUnder: (source, present) =>
      [...(ended.get(source) ?? []), { epoch: present, records: presentOf(source) }].filter(
        ({ records }) => records > 0,
      ),
    endEpoch(round, epoch) {
      for (const source of sums.keys()) {
        const records = presentOf(source);
        if (records === 0) continue;
        ended.set(source, [...(ended.get(source) ?? []), { epoch, records }]);
        const value = Buffer.allocUnsafe(8);
        writeUInt64(value, records, 0);
        round.put(state.table, endKey(epoch, source), value);
      }
    },
    hours: () => [...rows.values()].filter(({ hour }) => hour !== folded),
  };
}

/** The counts as they stand on disk. */
export function storedCustody(state: State): CustodyRow[] {
  const range = { start: Buffer.of(stateKey.custody), end: Buffer.of(stateKey.custody + 1) };
  return Array.from(state.table.getRange(range), ({ key, value }) => {
    const counts = empty();
    terms.forEach((term, index) => {
      counts[term] = readUInt64(value, index * 8);
    });
    return { source: key.readUInt16BE(5), hour: key.readUInt32BE(1), counts };
  });
}

function storedEnds(state: State): Map<number, Delivered[]> {
  const ended = new Map<number, Delivered[]>();
  const range = { start: Buffer.of(stateKey.endedEpoch), end: Buffer.of(stateKey.endedEpoch + 1) };
  for (const { key, value } of state.table.getRange(range)) {
    const source = key.readUInt16BE(9);
    const one = { epoch: key.readBigUInt64BE(1), records: readUInt64(value, 0) };
    ended.set(source, [...(ended.get(source) ?? []), one]);
  }
  return ended;
}

function endKey(epoch: bigint, source: number): Buffer {
  const key = Buffer.allocUnsafe(11);
  key[0] = stateKey.endedEpoch;
  key.writeBigUInt64BE(epoch, 1);
  key.writeUInt16BE(source, 9);
  return key;
}

function custodyKey(source: number, hour: number): Buffer {
  const key = Buffer.allocUnsafe(7);
  key[0] = stateKey.custody;
  // The hour first, so that the rows which change stand together.
  key.writeUInt32BE(hour, 1);
  key.writeUInt16BE(source, 5);
  return key;
}

function identify(source: number, hour: number): number {
  return source * 0x1_0000_0000 + hour;
}

function empty(): Counts {
  return { accepted: 0, delivered: 0, quarantined: 0, expired: 0, duplicates: 0, replayed: 0 };
}
