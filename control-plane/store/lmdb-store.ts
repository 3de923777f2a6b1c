/**
 * The embedded engine: one LMDB environment, values sealed one by one (AES-256-GCM, bound to
 * table and key), one owner. A rejected commit is a storage fault: the process must exit.
 */
import { setImmediate } from 'node:timers/promises';
import { HilumError } from '../../gateway/process/errors.ts';
import { type Environment, openEnvironment, type Table } from '../../gateway/process/lmdb.ts';
import { Reserve } from '../../gateway/process/reserve.ts';
import { createSealer, Damaged, type Opener, type Sealer } from '../../gateway/process/seal.ts';
import { beginSegment, readSegments } from '../../gateway/process/segments.ts';
import { DamagedRow, type Entry, keyBytesMax, type Range, type Row, type Store } from './store.ts';

export interface LmdbStoreOptions {
  directory: string;
  key: Buffer;
  /** Reads what is there and writes nothing, not even a segment of its own; `write` rejects. */
  readOnly?: boolean;
  onFault(cause: unknown): void;
  /** The file system cannot set the reserve's blocks aside: it is only watched. */
  onReserveNotHeld?(): void;
}

/** Sealed rows beside what they hold, pages that are half full, and the pages of copy-on-write. */
const growth = 3;

export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const { readOnly = false } = options;
  const environment = openEnvironment({ directory: options.directory, readOnly });
  const { key, onFault } = options;
  try {
    if (readOnly)
      return new LmdbStore(environment, undefined, readSegments(environment, key).opener, onFault);
    const { segment, opener } = await beginSegment(environment, key);
    const store = new LmdbStore(environment, createSealer(key, segment), opener, onFault);
    if (!(await store.reserve.hold())) options.onReserveNotHeld?.();
    return store;
  } catch (error) {
    await environment.close();
    throw error;
  }
}

class LmdbStore implements Store {
  readonly reserve: Reserve;
  readonly #environment: Environment;
  /** None where the store is only read. */
  readonly #sealer: Sealer | undefined;
  readonly #opener: Opener;
  readonly #onFault: (cause: unknown) => void;

  constructor(
    environment: Environment,
    sealer: Sealer | undefined,
    opener: Opener,
    onFault: (cause: unknown) => void,
  ) {
    this.reserve = new Reserve(environment.file);
    this.#environment = environment;
    this.#sealer = sealer;
    this.#opener = opener;
    this.#onFault = onFault;
  }

  async write(rows: readonly Row[]): Promise<void> {
    const sealer = this.#sealer;
    if (sealer === undefined) throw new HilumError('store-read-only', 'This store was opened to be read.');
    const unfit = rows.find(({ key }) => !fits(key));
    if (unfit !== undefined) {
      const text = `A key of ${unfit.key.length} bytes cannot be in the table ${unfit.table}.`;
      throw new HilumError('key-unfit', text);
    }
    const sealed = rows.map(({ table, key, value }) => ({
      table: this.#table(table),
      key: Buffer.from(key.buffer, key.byteOffset, key.byteLength),
      value: value === undefined ? undefined : sealer.seal(place(table, key), value),
    }));
    this.#look();
    for (const { value } of sealed) this.reserve.take(value?.length ?? 0);
    try {
      await this.#environment.write(() => {
        for (const { table, key, value } of sealed) {
          if (value === undefined) void table.remove(key);
          else void table.put(key, value);
        }
      });
    } catch (cause) {
      this.#onFault(cause);
      throw cause;
    }
  }

  async get(table: string, key: Uint8Array): Promise<Buffer | undefined> {
    const row = fits(key) ? this.#rows(table)?.get(Buffer.from(key)) : undefined;
    return row === undefined ? undefined : this.#open(table, key, row);
  }

  async range(table: string, range: Range): Promise<Entry[]> {
    const found: Entry[] = [];
    for (const row of this.#walk(table, range)) {
      if (row instanceof DamagedRow) throw row;
      found.push(row);
    }
    return found;
  }

  async page(table: string, range: Range): Promise<(Entry | DamagedRow)[]> {
    return [...this.#walk(table, range)];
  }

  *#walk(table: string, { start, end, limit, reverse = false }: Range): Generator<Entry | DamagedRow> {
    const from = start === undefined ? {} : { [reverse ? 'end' : 'start']: Buffer.from(start) };
    const to = end === undefined ? {} : { [reverse ? 'start' : 'end']: Buffer.from(end) };
    // A reverse walk begins at the upper bound, which stays the exclusive one.
    const wanted = reverse
      ? { ...from, ...to, limit, reverse, exclusiveStart: end !== undefined, inclusiveEnd: true }
      : { ...from, ...to, limit };
    for (const { key, value } of this.#rows(table)?.getRange(wanted) ?? []) {
      const at = Buffer.from(key);
      try {
        yield { key: at, value: this.#open(table, at, value) };
      } catch (error) {
        if (!(error instanceof DamagedRow)) throw error;
        yield error;
      }
    }
  }

  #open(table: string, key: Uint8Array, row: Buffer): Buffer {
    try {
      return this.#opener.open(place(table, key), row);
    } catch (error) {
      throw error instanceof Damaged ? new DamagedRow(table, key, error.code, error) : error;
    }
  }

  /** A table that was never written is not there for a reader, and empty. */
  #rows(table: string): Table | undefined {
    if (this.#sealer === undefined && !this.#environment.has(table)) return undefined;
    return this.#table(table);
  }

  /** One that is asked for the first time is made, in a transaction of its own, which may fail like any. */
  #table(name: string): Table {
    try {
      return this.#environment.table(name);
    } catch (cause) {
      this.#onFault(cause);
      throw cause;
    }
  }

  /** A reader has its process for itself, and stays in one turn: lmdb opens its tables in the transaction that it reads in. */
  async turn(): Promise<void> {
    if (this.#sealer !== undefined) await setImmediate();
  }

  /** Pages that are free inside the file are not counted: a log only grows. */
  hasRoom(bytes: number): boolean {
    this.#look();
    return this.reserve.isLeft((this.reserve.takenBytes + bytes) * growth);
  }

  /** Is the file that is written still the one that has its name? */
  #look(): void {
    try {
      if (this.reserve.isStale) this.reserve.read();
    } catch (cause) {
      this.#onFault(cause);
      throw cause;
    }
  }

  close(): Promise<void> {
    return this.#environment.close();
  }
}

function fits({ length }: Uint8Array): boolean {
  return length > 0 && length <= keyBytesMax;
}

function place(table: string, key: Uint8Array): string {
  return `${table}|${Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')}`;
}
