/**
 * The keys of records and events, looked at before anything is found by them. They have no checksum, and LMDB finds a row
 * by the order of the keys: a bit that flipped in one hides the rows around it, leaves a hole in its lane, or makes a
 * number that all later ones hang from.
 *
 *   walk over the keys ─► each can be right: that is all that a start pays
 *                      └► the rows are read ─► each gets the key that its head tells ─► the table is written anew
 *
 * - The head of a row has a checksum: where it is whole it stands above the key [rows.ts].
 * - Of a row of events the head does not have the first sequence, but it authenticates under no other [process/seal.ts]:
 *   those that its neighbours leave are tried.
 * - What a lane misses becomes a row of which nothing is left, whose events are damaged ones [outbox.ts].
 */
import { statSync } from 'node:fs';
import { type Class, classes } from '../../proto/config/event-words.ts';
import type { Environment, Table } from '../process/lmdb.ts';
import { Reserve } from '../process/reserve.ts';
import type { Opener } from '../process/seal.ts';
import { outboxTable, place, recordsTable, sequenceMax, tables } from './layout.ts';
import {
  type OutboxHead,
  outboxRowKey,
  readOutboxHead,
  readOutboxRowKey,
  readRecordHead,
  readRecordRowKey,
  recordRowKey,
  rowEventsMax,
  rowMessagesMax,
  withoutHead,
} from './rows.ts';
import { State } from './state.ts';

/** A table that is out of order is in memory three times while it is written anew (measured); a unit gives it 1 GiB. */
const anewBytesMax = 128 * 1024 ** 2;
/** Events that a lane can miss, a page of rows; where it is more a counter is not what it was. */
const missingMax = 1_000_000;

export interface KeyDamage {
  table: string;
  /** Rows whose key was not what they say. */
  rows: number;
  /** Events of a lane that no row has. */
  missing: number;
  /** No, where the table is too large or the disk too full to write it anew. */
  mended: 'yes' | 'no';
}

/** A row, or what is to stand for one that is gone. */
interface Row {
  /** Absent where there is none. */
  key: Buffer | undefined;
  /** The key that it is to have. */
  as: Buffer;
}

/** Does a row of events authenticate as the one that begins with this sequence? */
type Opens = (table: string, first: number, value: Buffer, head: OutboxHead) => boolean;

interface Walk {
  /** Each key can be right. */
  isPlausible: boolean;
  /** Each comes behind the one before it, so that LMDB finds them. */
  isOrdered: boolean;
}

/** Resolves when what could be mended is durable, with what was damaged. */
export async function mendKeys(environment: Environment, opener: Opener): Promise<KeyDamage[]> {
  const state = new State(environment);
  const origin = state.kept('origin');
  const opens: Opens = (table, first, value, { body, lengths }) =>
    opener.openMany(value, body, place(table, origin, first), lengths).damaged.size < lengths.length;
  const found: KeyDamage[] = [];
  const { size } = statSync(environment.file);
  for (const name of classes) {
    const records = environment.table(recordsTable(name));
    const last = state.known('sequence');
    const walked = walkRecords(records, last ?? sequenceMax, size);
    if (!walked.isPlausible)
      found.push(await mend(environment, recordsTable(name), rightedRecords(records, last), walked));
    const outbox = environment.table(outboxTable(name));
    const lane = { acked: state.known(`acked.${name}`), assigned: state.known(`assigned.${name}`) };
    const went = walkEvents(outbox, lane, size);
    if (!went.isPlausible)
      found.push(await mend(environment, outboxTable(name), rightedEvents(name, outbox, lane, opens), went));
  }
  return found.filter(({ rows, missing }) => rows + missing > 0);
}

/**
 * What stands out of the order of its keys in the other tables: it is put where its key says, so that it hides nothing.
 * Resolves when what could be mended is durable, with what was damaged.
 */
export async function mendOrder(environment: Environment): Promise<KeyDamage[]> {
  const found: KeyDamage[] = [];
  for (const name of Object.values(tables)) {
    const table = environment.table(name);
    let astray = 0;
    let before: Buffer = nothing;
    for (const key of table.getKeys({})) {
      if (Buffer.compare(before, key as Buffer) >= 0) astray += 1;
      before = Buffer.from(key as Buffer);
    }
    if (astray === 0) continue;
    const rows = Array.from(table.getKeys({}), (one) => Buffer.from(one as Buffer)).map((key) => ({
      key,
      as: key,
    }));
    found.push({
      table: name,
      rows: astray,
      missing: 0,
      mended: await write(environment, table, rows, false),
    });
  }
  return found;
}

/** @param last of all that were given out */
function walkRecords(table: Table, last: number, fileBytes: number): Walk {
  const walk = { isPlausible: true, isOrdered: true };
  let [before, through, bytes] = [-1, 0, 0];
  for (const found of table.getKeys({})) {
    const key = readRecordRowKey(found as Buffer);
    if (key.first <= before) walk.isOrdered = false;
    before = key.first;
    const records = sumOf(key.sources);
    const fits = records > 0 && records <= rowMessagesMax && records <= key.last - key.first + 1;
    if (key.first <= through || key.last > last || !fits) walk.isPlausible = false;
    through = key.last;
    bytes += key.bytes;
  }
  if (bytes > fileBytes) walk.isPlausible = false;
  return walk;
}

/** Undefined is what is not known. */
interface LaneEnds {
  acked: number | undefined;
  assigned: number | undefined;
}

/** The rows of a lane leave no hole: the first holds what follows the last ack, and each next one what follows it. */
function walkEvents(table: Table, { acked, assigned }: LaneEnds, fileBytes: number): Walk {
  const walk = { isPlausible: true, isOrdered: true };
  let [before, bytes] = [-1, 0];
  let next = acked === undefined ? undefined : acked + 1;
  for (const found of table.getKeys({})) {
    const key = readOutboxRowKey(found as Buffer);
    if (key.first <= before) walk.isOrdered = false;
    // An ack may end inside the first.
    const holdsNext = key.first === next || (before === -1 && holds(key, next ?? key.first));
    if (!holdsNext || sumOf(key.completed) > key.count || key.count === 0) walk.isPlausible = false;
    before = key.first;
    next = key.first + key.count;
    bytes += key.bytes;
  }
  const endsEarly = next !== undefined && assigned !== undefined && next !== assigned + 1;
  if (bytes > fileBytes || endsEarly) walk.isPlausible = false;
  return walk;
}

function holds({ first, count }: { first: number; count: number }, sequence: number): boolean {
  return first <= sequence && sequence < first + count;
}

/** Of records: each key as the head has it; a row without a head keeps its own where it can be right. */
function rightedRecords(table: Table, last: number | undefined): Row[] {
  const read = Array.from(table.getRange({}), ({ key, value }) => {
    const head = readRecordHead(value);
    const told = head?.records[0] && recordRowKey(head.records, value.length);
    return { key: Buffer.from(key), told, bytes: value.length };
  });
  const own = new Set(read.filter(({ key, told }) => told?.equals(key)).map(({ key }) => nameOf(key)));
  let fresh = last ?? 0;
  for (const { told } of read) if (told !== undefined) fresh = Math.max(fresh, readRecordRowKey(told).last);
  let through = 0;
  return read.map(({ key, told, bytes }, at) => {
    // Where a row was copied over another, nothing but its key is left of that one [records.ts].
    if (told !== undefined && (told.equals(key) || !own.has(nameOf(told)))) {
      through = readRecordRowKey(told).last;
      return { key, as: told };
    }
    const says = readRecordRowKey(key);
    const behind = read.slice(at + 1).find((row) => row.told !== undefined)?.told;
    const before = behind === undefined ? fresh + 1 : readRecordRowKey(behind).first;
    if (says.first > through && says.last >= says.first && says.last < before) {
      through = says.last;
      return { key, as: key };
    }
    // Which records these were nobody knows any more.
    const sources = says.sources.flatMap(([source, count]) => Array.from({ length: count }, () => source));
    const records = sources.slice(0, rowMessagesMax).map((source) => {
      fresh += 1;
      return { sequence: fresh, source, capturedS: says.capturedS };
    });
    return { key, as: recordRowKey(records, bytes) };
  });
}

/** Of events: each key as the head has it, at the sequence where it authenticates; and rows for what is missing. */
function rightedEvents(name: Class, table: Table, { acked, assigned }: LaneEnds, opens: Opens): Row[] {
  const keys = Array.from(table.getKeys({}), (key) => Buffer.from(key as Buffer));
  const rows: Row[] = [];
  let next = acked === undefined ? undefined : acked + 1;
  for (const { value } of table.getRange({})) {
    const key = keys[rows.length] as Buffer;
    const follower = keys[rows.length + 1];
    const behind = follower === undefined ? (assigned ?? 0) + 1 : readOutboxRowKey(follower).first;
    const says = readOutboxRowKey(key);
    const head = readOutboxHead(value);
    const count = head?.entries.length ?? says.count;
    const places = [says.first, next ?? says.first, behind - count];
    // Where the key says what is expected, that is right: a start must not open every event.
    const isExpected = says.first === next && says.count === count;
    let first = isExpected ? next : head && places.find((one) => opens(outboxTable(name), one, value, head));
    // What cannot be read fills the place that it has.
    first ??= next === undefined || holds(says, next) ? says.first : next;
    const entries =
      head?.entries ??
      withoutHead({ ...says, count: behind > first ? Math.min(count, behind - first) : count });
    rows.push({ key, as: outboxRowKey(first, entries, value.length) });
    next = first + entries.length;
  }
  return [...rows, ...missing(rows, { acked, assigned })];
}

function missing(rows: readonly Row[], { acked, assigned }: LaneEnds): Row[] {
  const held = rows.map(({ as }) => readOutboxRowKey(as)).sort((one, other) => one.first - other.first);
  // Where no ack is known what is held begins behind the last one.
  let next = (acked ?? (held[0]?.first ?? (assigned ?? 0) + 1) - 1) + 1;
  const holes: { first: number; count: number }[] = [];
  for (const { first, count } of [...held, { first: (assigned ?? 0) + 1, count: 0 }]) {
    if (first - next > missingMax) return [];
    for (let at = next; at < first; at += rowEventsMax)
      holes.push({ first: at, count: Math.min(rowEventsMax, first - at) });
    next = Math.max(next, first + count);
  }
  const nobody = {
    recordSequence: 0,
    capturedAtUs: 0,
    index: 0,
    source: 0,
    completes: false,
    replayed: false,
  };
  return holes.map(({ first, count }) => ({
    key: undefined,
    as: outboxRowKey(
      first,
      Array.from({ length: count }, () => nobody),
      0,
    ),
  }));
}

async function mend(
  environment: Environment,
  name: string,
  rows: readonly Row[],
  walk: Walk,
): Promise<KeyDamage> {
  const table = environment.table(name);
  const lost = rows.filter(({ key }) => key === undefined).map(({ as }) => readOutboxRowKey(as).count);
  const damage = {
    table: name,
    rows: rows.filter(({ key, as }) => key !== undefined && !key.equals(as)).length,
    missing: lost.reduce((sum, count) => sum + count, 0),
  };
  if (damage.rows + damage.missing === 0) return { ...damage, mended: 'yes' };
  return { ...damage, mended: await write(environment, table, rows, walk.isOrdered) };
}

/** Each row under the key that it is to have. @param rows in the order of the table, those that it does not have behind them */
async function write(
  environment: Environment,
  table: Table,
  rows: readonly Row[],
  isOrdered: boolean,
): Promise<KeyDamage['mended']> {
  const moved: { key: Buffer; as: Buffer; value: Buffer }[] = [];
  let [at, bytes] = [0, 0];
  for (const { value } of table.getRange({})) {
    const { key, as } = rows[at] as { key: Buffer; as: Buffer };
    at += 1;
    if (isOrdered && key.equals(as)) continue;
    bytes += value.length;
    if (bytes > anewBytesMax) return 'no';
    moved.push({ key, as, value: Buffer.from(value) });
  }
  const room = new Reserve(environment.file, 0);
  room.read();
  if (!room.isLeft(2 * bytes)) return 'no';
  await environment.write(() => {
    // What is out of order cannot be found, so nothing of it can be removed alone.
    if (!isOrdered) void table.clearAsync();
    else for (const { key } of moved) void table.remove(key);
    for (const { as, value } of moved) void table.put(as, value);
    for (const { key, as } of rows) if (key === undefined) void table.put(as, nothing);
  });
  environment.root.resetReadTxn();
  return 'yes';
}

function sumOf(counts: readonly [number, number][]): number {
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

function nameOf(key: Buffer): string {
  return key.toString('latin1');
}

const nothing = Buffer.alloc(0);
