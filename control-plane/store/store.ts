/**
 * The border to storage: ordered tables of bytes and atomic, durable writes. Everything that
 * the control plane keeps goes through it; an engine is right when it passes
 * test/control-plane/store-contract.ts.
 *
 * - `write` is atomic over all its rows and resolves only when they are on stable storage.
 * - Writes become visible in the order of the calls.
 * - Keys are ordered as bytes. A read sees every write that has resolved.
 */
export interface Store {
  write(rows: readonly Row[]): Promise<void>;
  get(table: string, key: Uint8Array): Promise<Buffer | undefined>;
  /** Rows with start ≤ key < end, in order (or in reverse), at most `limit`. */
  range(table: string, range: Range): Promise<Entry[]>;
  close(): Promise<void>;
}

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
