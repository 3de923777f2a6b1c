/**
 * The one door to lmdb. Every process opens its environments here, with the flags that
 * make a resolved commit mean "on stable storage":
 *
 *   overlappingSync: false   a commit's promise settles after the flush, and a reader never
 *                            sees what is not durable; with the default, a storage reset
 *                            under a running host loses answered records (measured).
 *
 * Writes form a chain: each transaction holds only if the one before it did. With two in flight, LMDB may
 * fail the first and commit the second (an EIO can hit one thread alone: seen), and then counts and
 * sequences of the second would speak of rows that do not exist.
 *
 * One owner per environment: handles never go to a worker. Named databases are binary.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { exitCode, HilumError } from './errors.ts';
import { flushPath, makeDirectory } from './storage.ts';

export type Table = Database<Buffer, Buffer>;

export interface Environment {
  root: RootDatabase<Buffer, Buffer>;
  table(name: string): Table;
  /** Is there a table of this name? A writer makes the one that it asks for; a reader cannot. */
  has(name: string): boolean;
  /**
   * All writes that `work` queues become one transaction; resolves when it is flushed, and rejects when
   * it, or any before it, failed.
   */
  write(work: () => void): Promise<void>;
  close(): Promise<void>;
  file: string;
}

export interface OpenOptions {
  directory: string;
  readOnly?: boolean;
  tablesMax?: number;
  /** Virtual size of the map; not a limit (lmdb grows past it), set once so that it is never remapped. */
  mapBytes?: number;
}

/**
 * A commit writes a page for each table that it touches; large rows take pages of their own, side by side.
 * Small pages cost a lone sender less (1.2 k/s, not 1.0 k/s). But lmdb checks its whole list of free pages at each
 * commit, in a time that grows with the square of the records that the list takes: after 250,000 messages, of which the
 * events were still queued, a commit of 24 messages took 2 ms of processor, and intake at 64 connections sank from
 * 16.8 k/s to 9.4 k/s. A list of pages of this size fits into two or three records.
 */
export const pageBytes = 16_384;
/**
 * Entries of that list that are taken into memory, and so into the check. After a million messages went through, intake
 * at 64 connections is at 20 k/s with 4,000 and at 27 k/s with 1,000, and what is written takes the same room: what is
 * not loaded is looked at when what is has been used.
 */
const freeEntriesMax = 1_000;
const chainKey = Buffer.from(' chain');
const chainValue = Buffer.from('.');

export function openEnvironment(options: OpenOptions): Environment {
  const { directory } = options;
  const file = join(directory, 'data.mdb');
  for (const one of [file, join(directory, 'lock.mdb')]) mustBeFile(one);
  checkFile(file, options.readOnly);
  const fresh = !existsSync(file);
  if (fresh && options.readOnly) {
    throw new HilumError('journal-missing', `There is no database in ${directory}.`, {
      hint: 'Check --data.',
      exit: exitCode.badConfig,
    });
  }
  if (!options.readOnly) makeDirectory(directory);
  // Not among lmdb's types.
  const bounds = { maxFreeSpaceToLoad: freeEntriesMax };
  const root = open<Buffer, Buffer>({
    ...bounds,
    path: directory,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    maxDbs: options.tablesMax ?? 48,
    mapSize: options.mapBytes ?? 64 * 1024 ** 3,
    pageSize: pageBytes,
    cache: false,
    overlappingSync: false,
    useVersions: true,
    readOnly: options.readOnly ?? false,
  });
  // The chain stands among the roots of the tables, in a page that every commit writes anyway.
  let link = options.readOnly ? 0 : (root.getEntry(chainKey)?.version ?? 0);
  if (!options.readOnly && link === 0) {
    link = 1;
    root.putSync(chainKey, chainValue, link);
  }
  const tables = new Map<string, Table>();
  /** Undefined only for a reader, and a table that was never made. */
  const tableOf = (name: string): Table | undefined => {
    const known = tables.get(name);
    if (known !== undefined) return known;
    const table = root.openDB<Buffer, Buffer>({
      name,
      encoding: 'binary',
      keyEncoding: 'binary',
      useVersions: false,
      cache: false,
    }) as Table | undefined;
    if (table !== undefined) tables.set(name, table);
    return table;
  };
  const environment: Environment = {
    root,
    file,
    table(name) {
      const table = tableOf(name);
      if (table === undefined) throw new HilumError('table-missing', `The database has no table ${name}.`);
      return table;
    },
    has: (name) => tableOf(name) !== undefined,
    async write(work) {
      const before = link;
      link += 1;
      const held = await root.ifVersion(chainKey, before, () => {
        work();
        void root.put(chainKey, chainValue, before + 1);
      });
      if (!held)
        throw new HilumError('commit-broken', 'An earlier transaction did not commit, so this one must not.');
    },
    async close() {
      await root.close();
    },
  };
  if (fresh) {
    // The file must survive a power cut as an entry, not only as bytes, and its directory too, whoever made that.
    flushPath(directory);
    flushPath(dirname(directory));
  }
  if (!options.readOnly) tellMade(directory);
  return environment;
}

/** Is there a database, or was there one? */
export function wasMade(directory: string): boolean {
  return ['data.mdb', madeName].some((name) => existsSync(join(directory, name)));
}

/** From here on a file that is not there, or holds nothing, was there. */
function tellMade(directory: string): void {
  const file = join(directory, madeName);
  if (existsSync(file)) return;
  writeFileSync(file, 'data.mdb was made in this directory. Without it something is lost.\n', {
    mode: 0o600,
  });
  flushPath(file);
  flushPath(directory);
}

/** LMDB ends the process (SIGSEGV: seen) where one of its files is a folder or a device. */
function mustBeFile(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== false) return;
  throw new HilumError('database-damaged', `${file} is no file.`, {
    hint: 'Check --data; what stands there is not of a database.',
    exit: exitCode.badConfig,
  });
}

/** LMDB's magic number in the first of its two meta pages, behind the page's head [lmdb, mdb.c: MDB_MAGIC, MDB_meta]. */
const magic = 0xbeefc0de;
const magicAt = 24;
const pageSizeAt = 48;
/** Of the list of free pages, and of the tables. */
const rootsAt = [88, 136];
const lastPageAt = 144;
const transactionAt = 152;
const noPage = 0xffff_ffff_ffff_ffffn;
/** Creating takes three pages; nothing was ever answered out of a file so short. */
const unbornBytesMax = 4 * pageBytes;
/** Pages at the end that a transaction took and gave back are never written; no transaction of ours takes so many. */
const unwrittenBytesMax = 64 * 1024 ** 2;
/** Stands beside a file that was made, and says so where that is gone. */
const madeName = 'made';

/**
 * Looks at the file before LMDB maps it: on one that is cut it ends the process (SIGBUS), and a new one in the place of
 * one that is gone would say that there never was anything.
 *
 * A power cut while the file was being created can leave it without its meta pages, and LMDB ends the process on opening
 * that (SIGSEGV: seen in 1 of some 1,000 recorded cuts). Such a file holds nothing yet and is made anew by a writer;
 * one that was made once is damaged, and that is for a person to look at.
 * @throws HilumError `database-damaged`, `database-gone`
 */
export function checkFile(file: string, readOnly = false): void {
  const made = existsSync(join(dirname(file), madeName));
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes === 0) {
    if (made) throw damaged('database-gone', `${file} is ${existsSync(file) ? 'empty' : 'gone'}.`);
    return;
  }
  const pages = readMeta(file);
  if (pages === undefined) {
    if (bytes > unbornBytesMax || made || readOnly)
      throw damaged('database-damaged', `${file} does not begin as a database does.`);
    rmSync(file);
    return;
  }
  const whole = (pages.last + 1) * pages.bytes;
  // Behind the page that speaks of it: what it speaks of is written first.
  const there = statSync(file).size;
  const cut = pages.roots.some((root) => (root + 1) * pages.bytes > there);
  if (cut || whole - there > unwrittenBytesMax)
    throw damaged('database-damaged', `${file} is cut: it has ${there} bytes, and speaks of ${whole}.`);
  if (there >= whole) return;
  // Where more is cut off than nobody has written, whoever looks there meets empty pages, and is not ended by them.
  try {
    // A reader cannot see a writer in another container, and must not set the length of a file that grows: it adds to its
    // end, whatever that is by then.
    if (readOnly) appendFileSync(file, Buffer.alloc(whole - there));
    else truncateSync(file, whole);
  } catch (error) {
    throw damaged('database-damaged', `${file} has ${there} bytes, and speaks of ${whole}.`, error);
  }
}

function damaged(code: string, message: string, cause?: unknown): HilumError {
  return new HilumError(code, message, {
    cause,
    hint: 'Keep what is there, and put back a whole copy of the data directory; or take this one away, and start with an empty one.',
    exit: exitCode.badConfig,
  });
}

/** The pages that the newer of the two meta pages speaks of; undefined where the file does not begin with one. */
function readMeta(file: string): { bytes: number; last: number; roots: number[] } | undefined {
  const handle = openSync(file, 'r');
  try {
    const first = metaAt(handle, 0);
    if (first === undefined) return undefined;
    const bytes = first.readUInt32LE(pageSizeAt);
    const second = metaAt(handle, bytes);
    const newer =
      second !== undefined && second.readBigUInt64LE(transactionAt) > first.readBigUInt64LE(transactionAt)
        ? second
        : first;
    const roots = rootsAt.map((at) => newer.readBigUInt64LE(at)).filter((root) => root !== noPage);
    return { bytes, last: Number(newer.readBigUInt64LE(lastPageAt)), roots: roots.map(Number) };
  } finally {
    closeSync(handle);
  }
}

function metaAt(handle: number, at: number): Buffer | undefined {
  const meta = Buffer.alloc(transactionAt + 8);
  readSync(handle, meta, 0, meta.length, at);
  return meta.readUInt32LE(magicAt) === magic ? meta : undefined;
}
