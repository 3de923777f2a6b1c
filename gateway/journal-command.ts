/** `hilum-gateway journal …`: work on the journal of a stopped gateway. */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { classes } from '../proto/config/event-words.ts';
import { JournalRecord, QuarantinedRecord } from '../proto/gen/hilum/v1/journal.ts';
import { Envelope } from '../proto/gen/hilum/v1/session.ts';
import { envelopesOf } from '../proto/wire.ts';
import { storedCustody } from './journal/custody.ts';
import { localCustody, waitingLetters } from './journal/dead-letters.ts';
import { outboxTable, place, readUInt64, recordsTable, tables } from './journal/layout.ts';
import { chunksOf, headOf } from './journal/memory-row.ts';
import { readQuarantineKey } from './journal/quarantine.ts';
import {
  type OutboxHead,
  readOutboxHead,
  readOutboxRowKey,
  readRecordHead,
  readRecordRowKey,
} from './journal/rows.ts';
import { State } from './journal/state.ts';
import { exitCode, HilumError, messageOf } from './process/errors.ts';
import { exportFile, loadKey } from './process/keys.ts';
import { type Environment, openEnvironment } from './process/lmdb.ts';
import { counted, type Form, printObject, printRows } from './process/output.ts';
import { ownDirectory } from './process/owner.ts';
import { Damaged, messagesOf, type Opener, orDamaged } from './process/seal.ts';
import { readSegments } from './process/segments.ts';
import { flushPath, makeDirectory, mayLookInto, storageError } from './process/storage.ts';
import { unfinished } from './process/unfinished.ts';
import { loadSettings, resolvePath } from './settings.ts';

export interface JournalCommandOptions {
  data: string;
  settings?: string;
  output: Form;
  to?: string;
}

export interface OpenJournal {
  environment: Environment;
  opener: Opener;
  /** What rows are sealed for places under; see journal/part.ts. */
  origin: bigint;
  sourceName(number: number): string;
}

export async function journalCommand(
  verb: 'verify' | 'quarantine' | 'export' | 'compact',
  options: JournalCommandOptions,
): Promise<number> {
  await ownStopped(options.data, verb !== 'compact');
  const journal = openJournal(options);
  try {
    if (verb === 'verify') return verify(journal, options.output);
    if (verb === 'quarantine') return quarantine(journal, options.output);
    if (verb === 'export') return exportRecords(journal, options.to ?? '.', options.output);
    return await compact(journal, options.data, options.output).catch((cause: unknown) => {
      throw storageError(`The journal in ${options.data} cannot be compacted`, cause);
    });
  } finally {
    await journal.environment.close();
  }
}

/** A stopped gateway's data, which nobody else has from here on; exit 3 while one runs. */
export async function ownStopped(directory: string, readOnly: boolean): Promise<void> {
  mayLookInto(directory);
  if (!existsSync(directory)) {
    throw new HilumError('data-missing', `There is no data directory ${directory}.`, {
      hint: 'Check --data.',
      exit: exitCode.badConfig,
    });
  }
  await ownDirectory(directory, { readOnly });
}

export function openJournal(options: JournalCommandOptions): OpenJournal {
  const { settings, file } = loadSettings(options.data, options.settings);
  const environment = openEnvironment({ directory: join(options.data, 'journal'), readOnly: true });
  const keyFile = resolvePath(
    settings.keyFile ?? 'key',
    settings.keyFile === undefined ? '' : file,
    options.data,
  );
  const key = loadKey(keyFile, false);
  const { opener } = readSegments(environment, key);
  const names = new Map<number, string>();
  for (const { key: number, value } of environment.table(tables.sources).getRange({})) {
    names.set(number.readUInt16BE(0), value.toString());
  }
  const state = new State(environment);
  if (!state.isBegun)
    throw new HilumError('journal-empty', `The journal in ${options.data} was never started.`, {
      hint: 'Name the data directory of a gateway that has run with --data.',
      exit: exitCode.badConfig,
    });
  return {
    environment,
    opener,
    origin: state.kept('origin'),
    sourceName: (number) => names.get(number) ?? `source-${number}`,
  };
}

const headDamaged = 'the head of the row does not match its checksum';

interface Count {
  accepted: number;
  pending: number;
  delivered: number;
  quarantined: number;
  expired: number;
}

interface DamagedRow {
  table: string;
  sequence: number;
  reason: string;
}

function verifyMemory({ environment, opener, origin }: OpenJournal, damaged: DamagedRow[]): void {
  for (const { key, value } of environment.table(tables.memory).getRange({})) {
    const row = readUInt64(key, 0);
    if (headOf(value) === undefined)
      damaged.push({ table: tables.memory, sequence: row, reason: headDamaged });
    for (const [chunk, sealed] of chunksOf(value).entries())
      check(damaged, tables.memory, row, () => opener.open(place('memory', origin, row, chunk), sealed));
  }
}

/** The messages of a row of this table; `head` is what stands before them. */
function opened(
  { opener, origin }: OpenJournal,
  table: string,
  first: number,
  row: Buffer,
  { lengths, body }: { lengths: readonly number[]; body: number },
): (Buffer | Damaged)[] {
  return messagesOf(opener.openMany(row, body, place(table, origin, first), lengths), lengths);
}

function orThrow(message: Buffer | Damaged): Buffer {
  if (message instanceof Damaged) throw message;
  return message;
}

function envelopeOf(element: Buffer): Envelope {
  return Envelope.decode(envelopesOf(element)[0] as Uint8Array);
}

/** Opens every row, recounts what is pending and quarantined, and compares with the stored counts. */
function verify(journal: OpenJournal, form: Form): number {
  const damaged: DamagedRow[] = [];
  const messages: Record<string, number> = {};
  const counts = storedCounts(journal);
  const quarantined = new Map<number, number>();
  const { environment } = journal;
  for (const name of classes) {
    const table = recordsTable(name);
    messages[table] = 0;
    for (const { key, value } of environment.table(table).getRange({})) {
      const { first, sources } = readRecordRowKey(key);
      for (const [source, records] of sources) {
        count(counts, source).pending += records;
        messages[table] += records;
      }
      const head = readRecordHead(value);
      if (head === undefined) damaged.push({ table, sequence: first, reason: headDamaged });
      else
        opened(journal, table, first, value, head).forEach((message, at) => {
          check(damaged, table, head.records[at]?.sequence ?? first, () =>
            JournalRecord.decode(orThrow(message)),
          );
        });
    }
  }
  if (environment.has(tables.memory)) verifyMemory(journal, damaged);
  const state = new State(environment);
  for (const name of classes) {
    const table = outboxTable(name);
    const acked = state.number(`acked.${name}`);
    messages[table] = 0;
    let expected = 0;
    for (const { key, value } of environment.table(table).getRange({})) {
      const { first, count: events, completed } = readOutboxRowKey(key);
      messages[table] += events;
      if (expected !== 0 && first !== expected)
        damaged.push({ table, sequence: expected, reason: 'a sequence is missing' });
      expected = first + events;
      for (const [source, records] of completed) count(counts, source).pending += records;
      const head = readOutboxHead(value);
      if (head === undefined) damaged.push({ table, sequence: first, reason: headDamaged });
      else
        opened(journal, table, first, value, head).forEach((message, at) => {
          const { source, completes } = head.entries[at] as OutboxHead['entries'][number];
          // A row stays until its last event is acked; what it completed before that was counted.
          if (completes && first + at <= acked) count(counts, source).pending -= 1;
          check(damaged, table, first + at, () => envelopeOf(orThrow(message)));
        });
    }
  }
  messages.quarantine = 0;
  for (const { key, value } of journal.environment.table(tables.quarantine).getRange({})) {
    const { sequence, source, counted: inCustody } = readQuarantineKey(key);
    messages.quarantine += 1;
    if (inCustody) quarantined.set(source, (quarantined.get(source) ?? 0) + 1);
    check(damaged, 'quarantine', sequence, () =>
      QuarantinedRecord.decode(journal.opener.open(place('quarantine', journal.origin, sequence), value)),
    );
  }
  const custody = [...counts].map(([source, one]) => ({
    source: journal.sourceName(source),
    ...one,
    missing: one.accepted - one.pending - one.delivered - one.quarantined - one.expired,
    quarantineRows: quarantined.get(source) ?? 0,
  }));
  const destinations = localCustody(environment);
  const whole =
    damaged.length === 0 &&
    custody.every((one) => one.missing === 0 && one.quarantined === one.quarantineRows) &&
    destinations.every((one) => one.missing === 0 && one.dead === one.deadRows);
  if (form !== 'table') printObject(form, { whole, messages, custody, destinations, damaged }, () => '');
  else {
    for (const [table, number] of Object.entries(messages))
      process.stdout.write(`${table.padEnd(18)} ${number}\n`);
    for (const one of custody) {
      process.stdout.write(
        `${one.source}: ${one.accepted} accepted = ${one.pending} pending + ${one.delivered} delivered + ${one.quarantined} quarantined${one.expired === 0 ? '' : ` + ${one.expired} discarded`}, missing ${one.missing}\n`,
      );
    }
    for (const one of destinations) {
      process.stdout.write(
        `→ ${one.destination}: ${one.accepted} accepted = ${one.pending} pending + ${one.delivered} delivered + ${one.dead} dead letters, missing ${one.missing}\n`,
      );
    }
    for (const one of damaged) process.stdout.write(`DAMAGED ${one.table} ${one.sequence}: ${one.reason}\n`);
    process.stdout.write(whole ? 'All there.\n' : 'NOT whole.\n');
  }
  return whole ? exitCode.done : exitCode.failed;
}

function storedCounts(journal: OpenJournal): Map<number, Count> {
  const counts = new Map<number, Count>();
  for (const { source, counts: stored } of storedCustody(new State(journal.environment))) {
    const one = count(counts, source);
    for (const term of ['accepted', 'delivered', 'quarantined', 'expired'] as const)
      one[term] += stored[term];
  }
  return counts;
}

function count(counts: Map<number, Count>, source: number): Count {
  let one = counts.get(source);
  if (one === undefined) {
    one = { accepted: 0, pending: 0, delivered: 0, quarantined: 0, expired: 0 };
    counts.set(source, one);
  }
  return one;
}

function check(
  damaged: { table: string; sequence: number; reason: string }[],
  table: string,
  sequence: number,
  open: () => unknown,
): void {
  try {
    open();
  } catch (error) {
    damaged.push({ table, sequence, reason: messageOf(error) });
  }
}

const unreadable = QuarantinedRecord.fromPartial({
  code: 'damaged',
  reason: 'Damaged on disk: see journal verify.',
});

function quarantine(journal: OpenJournal, form: Form): number {
  const entries: Record<string, unknown>[] = [];
  for (const { key, value } of journal.environment.table(tables.quarantine).getRange({})) {
    const { sequence, source } = readQuarantineKey(key);
    const where = place('quarantine', journal.origin, sequence);
    const entry = orDamaged(() => QuarantinedRecord.decode(journal.opener.open(where, value))) ?? unreadable;
    entries.push({
      record: String(sequence),
      source: journal.sourceName(source),
      messageControlId: entry.record?.messageControlId ?? '',
      recordHash: Buffer.from(entry.record?.sha256 ?? []).toString('hex'),
      code: entry.code,
      reason: entry.reason,
      atUs: String(entry.atUs),
    });
  }
  if (form !== 'table') printRows(form, entries, []);
  else
    for (const one of entries)
      process.stdout.write(
        `${String(one.record).padEnd(8)} ${String(one.source).padEnd(12)} ${String(one.code).padEnd(16)} ${String(one.reason)}\n`,
      );
  return exitCode.done;
}

/**
 * Writes the bytes of what is not delivered, one file each: by record what is on its way to the centre or in quarantine,
 * by destination and record what waits for one at the site. The files hold patient data. What is damaged
 * costs itself alone.
 */
function exportRecords(journal: OpenJournal, to: string, form: Form): number {
  makeDirectory(to, 'The folder', '--to');
  let [written, waiting, damaged] = [0, 0, 0];
  const write = (name: number | bigint | string, read: () => Uint8Array | undefined) => {
    const raw = orDamaged(read);
    if (raw === undefined) {
      damaged += 1;
      return;
    }
    exportFile(join(to, `${name}.msg`), raw);
    if (typeof name === 'string') waiting += 1;
    else written += 1;
  };
  const { environment, opener, origin } = journal;
  for (const name of classes) {
    const [records, outbox] = [recordsTable(name), outboxTable(name)];
    for (const { key, value } of environment.table(records).getRange({})) {
      const { first, sources } = readRecordRowKey(key);
      const head = readRecordHead(value);
      if (head === undefined) for (const [, lost] of sources) damaged += lost;
      else
        opened(journal, records, first, value, head).forEach((message, at) => {
          write(head.records[at]?.sequence ?? first, () => JournalRecord.decode(orThrow(message)).raw);
        });
    }
    for (const { key, value } of environment.table(outbox).getRange({})) {
      const { first, completed } = readOutboxRowKey(key);
      const head = readOutboxHead(value);
      if (head === undefined) for (const [, lost] of completed) damaged += lost;
      else
        opened(journal, outbox, first, value, head).forEach((message, at) => {
          const { recordSequence, index } = head.entries[at] as OutboxHead['entries'][number];
          if (index === 1) write(recordSequence, () => envelopeOf(orThrow(message)).raw);
        });
    }
  }
  for (const { key, value } of environment.table(tables.quarantine).getRange({})) {
    const sequence = readUInt64(key, 0);
    const where = place('quarantine', origin, sequence);
    write(sequence, () => QuarantinedRecord.decode(opener.open(where, value)).record?.raw);
  }
  for (const { id, open } of waitingLetters(environment, opener, origin))
    write(id.replace('/', '-'), () => open().raw);
  printObject(form, { written, waiting, damaged, to }, () => {
    const local = waiting === 0 ? '' : `, and ${waiting} that wait for destinations at the site`;
    const lost = damaged === 0 ? '' : ` ${counted(damaged, 'message')} cannot be read: see journal verify.`;
    return `${counted(written, 'message')}${local} written to ${to}. They hold patient data.${lost}\n`;
  });
  return damaged === 0 ? exitCode.done : exitCode.failed;
}

/**
 * LMDB's file never shrinks by itself; a compacted copy is made beside, and takes its place once it is on the disk, in
 * one rename: at no moment is there none or half of one.
 */
async function compact({ environment }: OpenJournal, directory: string, form: Form): Promise<number> {
  const beside = unfinished(join(directory, 'journal'));
  mkdirSync(beside, { mode: 0o700 });
  try {
    await environment.root.backup(beside, true);
  } catch (cause) {
    // What is there of it would keep the volume full.
    rmSync(beside, { recursive: true, force: true });
    const { bavail, bsize } = statfsSync(directory);
    const [most, free] = [statSync(environment.file).size, bavail * bsize].map((bytes) => bytes / 1024 ** 2);
    const why = messageOf(cause);
    throw new HilumError(
      'compact-failed',
      `The compacted copy in ${beside} cannot be written: ${why}. The journal is as it was.`,
      {
        hint: `It takes at most ${Math.ceil(most ?? 0)} MiB, and ${Math.floor(free ?? 0)} MiB are free there.`,
        exit: exitCode.tryAgain,
        cause,
      },
    );
  }
  const copy = join(beside, 'data.mdb');
  chmodSync(copy, statSync(environment.file).mode & 0o777);
  flushPath(copy);
  renameSync(copy, environment.file);
  flushPath(dirname(environment.file));
  rmSync(beside, { recursive: true, force: true });
  printObject(form, { compacted: true }, () => 'Compacted.\n');
  return exitCode.done;
}
