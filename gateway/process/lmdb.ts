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
import { closeSync, existsSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { exitCode, HilumError } from './errors.ts';
import { flushPath } from './keys.ts';
import { makeDirectory } from './storage.ts';

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
  checkBegin(file, options.readOnly);
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
    // The file and its directory must survive a power cut as entries, not only as bytes.
    flushPath(directory);
    flushPath(dirname(directory));
  }
  return environment;
}

/** LMDB ends the process (SIGSEGV: seen) where one of its files is a folder or a device. */
function mustBeFile(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== false) return;
  throw new HilumError('database-damaged', `${file} is no file.`, {
    hint: 'Check --data; what stands there is not of a database.',
    exit: exitCode.badConfig,
  });
}

/** LMDB's magic number in the first of its two meta pages, behind the page's head [lmdb, mdb.c: MDB_MAGIC]. */
const magic = 0xbeefc0de;
const magicAt = 24;
/** Creating takes three pages; nothing was ever answered out of a file so short. */
const unbornBytesMax = 4 * pageBytes;

/**
 * A power cut while the file was being created can leave it without its meta pages, and LMDB ends the process on
 * opening that (SIGSEGV: seen in 1 of some 1,000 recorded cuts). Such a file holds nothing yet and is made anew by a
 * writer; a longer one is damaged, and that is for a person to look at.
 * @throws HilumError `database-damaged`
 */
export function checkBegin(file: string, readOnly = false): void {
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes === 0) return;
  const begin = Buffer.alloc(magicAt + 4);
  const handle = openSync(file, 'r');
  readSync(handle, begin, 0, begin.length, 0);
  closeSync(handle);
  if (begin.readUInt32LE(magicAt) === magic) return;
  if (bytes <= unbornBytesMax && !readOnly) rmSync(file);
  else
    throw new HilumError('database-damaged', `${file} does not begin as a database does.`, {
      hint: 'Keep the file, and put back a copy of the data directory, or start with an empty one.',
      exit: exitCode.badConfig,
    });
}
