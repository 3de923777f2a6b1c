/**
 * The border to storage: ordered tables of bytes and atomic, durable writes. Everything that
 * the control plane keeps goes through it; an engine is right when it passes
 * test/control-plane/store-contract.ts.
 *
 * - `write` is atomic over all its rows and resolves only when they are on stable storage.
 * - Writes become visible in the order of the calls.
 * - Keys are ordered as bytes, and have 1 to `keyBytesMax`. A write with another one rejects with `key-unfit` before
 *   any of it is begun: that is a fault of who made the key, and none of the engine. Nothing is found under such a key.
 * - A read sees every write that has resolved.
 * - A read that meets a row which is not what was stored throws `DamagedRow`; a page holds it in its place. Its key may
 *   be what is damaged, and then stands where it does not belong.
 */
export interface Store {
  write(rows: readonly Row[]): Promise<void>;
  get(table: string, key: Uint8Array): Promise<Buffer | undefined>;
  /** Rows with start ≤ key < end, in order (or in reverse), at most `limit`. */
  range(table: string, range: Range): Promise<Entry[]>;
  /** The same rows, with what is damaged among them. */
  page(table: string, range: Range): Promise<(Entry | DamagedRow)[]>;
  /** Between two pages of a long read: others have their turn, where there may be others. */
  turn(): Promise<void>;
  /** Is there room for so many bytes more than were written, beside what is reserved for the running of the control plane itself? */
  hasRoom(bytes: number): boolean;
  close(): Promise<void>;
}

/** Names have some hundred bytes at most, and numbers stand behind them. */
export const keyBytesMax = 1_024;

/** `value` undefined removes the row. */
export interface Row {
  table: string;
  key: Uint8Array;
  value: Uint8Array | undefined;
}

export interface Range {
  start?: Uint8Array;
  end?: Uint8Array;
  limit: number;
  reverse?: boolean;
}

export interface Entry {
  key: Buffer;
  value: Buffer;
}

/** A row that is there and cannot be opened. Which one it is; nothing of what stands in it. */
export class DamagedRow extends Error {
  readonly table: string;
  readonly key: Buffer;
  /** Its key as a text: a number, else hexadecimal. */
  readonly row: string;
  /** Of what is wrong with it (gateway/process/seal.ts). */
  readonly code: string;

  constructor(table: string, key: Uint8Array, code: string, cause: Error) {
    const at = Buffer.from(key);
    const row = at.length === 8 ? String(at.readBigUInt64BE(0)) : at.toString('hex');
    super(`row ${row} of ${table}: ${cause.message}`, { cause });
    this.name = 'DamagedRow';
    this.table = table;
    this.key = at;
    this.row = row;
    this.code = code;
  }
}

/** What reading gives, or the damaged row that it met. */
export function orDamaged<T>(reading: Promise<T>): Promise<T | DamagedRow> {
  return reading.catch((error: unknown) => {
    if (error instanceof DamagedRow) return error;
    throw error;
  });
}

/**
 * Every row of a table, or of a part of it, in order, a page at a time; one that is damaged stands in its place and
 * ends nothing. Between two pages others have their turn.
 */
export async function* walk(
  store: Store,
  table: string,
  pageRows: number,
  part: Pick<Range, 'start' | 'end'> = {},
): AsyncGenerator<Entry | DamagedRow> {
  let behind: DamagedRow[] = [];
  for (let { start } = part; ; ) {
    const page = await store.page(table, { ...part, ...(start && { start }), limit: pageRows });
    yield* page.filter((row) => !behind.some(({ key }) => key.equals(row.key)));
    // By the key of a damaged row it could go back, or leave rows out: the next page begins behind one that is whole.
    const whole = page.findLastIndex((row) => !(row instanceof DamagedRow));
    const last = page.at(whole)?.key;
    if (page.length < pageRows || last === undefined || (start && last.compare(start) < 0)) return;
    behind = page.slice(whole + 1).filter((row) => row instanceof DamagedRow);
    start = Buffer.concat([last, Buffer.of(0)]);
    await store.turn();
  }
}

/** Every row of a table that can be read. */
export async function* readable(store: Store, table: string): AsyncGenerator<Entry> {
  for await (const row of walk(store, table, readablePage)) if (!(row instanceof DamagedRow)) yield row;
}

const readablePage = 1_000;
