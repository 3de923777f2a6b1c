/** What an LMDB file says of its own pages. */
import { closeSync, openSync, readSync } from 'node:fs';

/**
 * The size of a page, in bytes, as both meta pages of the file have it: behind the head of 24 bytes, magic number,
 * version, address and map size, the first number of the first table (the free list) [lmdb, mdb.c: MDB_meta].
 * @throws where the two do not agree
 */
export function pageBytesOf(file: string): number {
  const handle = openSync(file, 'r');
  const at = (page: number) => {
    const number = Buffer.alloc(4);
    readSync(handle, number, 0, 4, page + 24 + 24);
    return number.readUInt32LE();
  };
  try {
    const bytes = at(0);
    if (at(bytes) !== bytes)
      throw new Error(`${file}: pages of ${bytes} bytes in one meta page, ${at(bytes)} in the other`);
    return bytes;
  } finally {
    closeSync(handle);
  }
}
