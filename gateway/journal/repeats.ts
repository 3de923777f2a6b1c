/**
 * The repeat index: which (scope, message control ID) was seen, with which bytes, when.
 *
 * On disk it is a log: every commit round appends one row with the entries of that round,
 *
 *   entry = key(8) hash(8) sequence(8) at s(4) flags(1)      key = HMAC, hash = SHA-256, both cut
 *
 * and a restart reads the log into a table. Appending keeps the disk cost of an entry at 29
 * bytes in a row that is written anyway; a tree of random keys would dirty a page an entry.
 * In memory it is open addressing over typed arrays, 28 bytes a slot. The oldest rows go
 * when they are past the age or the number of entries; beyond that a repeat is an ordinary
 * event. A released key (MQTT QoS 2 after PUBREL) is an entry with a flag.
 */
import { readUInt64, writeUInt64 } from './layout.ts';

const entryBytes = 29;
const released = 1;

export interface Seen {
  sequence: number;
  atS: number;
  sameBytes: boolean;
}

export interface RepeatIndex {
  find(key: Uint8Array, hash: Uint8Array): Seen | undefined;
  /** Remembers; the entry goes into the next row. */
  add(key: Uint8Array, hash: Uint8Array, sequence: number, atS: number): void;
  release(key: Uint8Array): void;
  /** The entries since the last call as one row, or undefined. */
  takeRow(): Buffer | undefined;
  /** Reads one row of the log (start-up, in order of the log). */
  load(row: Uint8Array): void;
  /** Takes the entries of an expired row out of the table, unless they were renewed since. */
  forget(row: Uint8Array): void;
  size(): number;
}

export function createRepeatIndex(): RepeatIndex {
  let capacity = 1 << 12;
  let used = 0;
  let count = 0;
  // Slot: key as two 32-bit words (0,0 = empty), hash as two, sequence, at.
  let keys = new Uint32Array(capacity * 2);
  let hashes = new Uint32Array(capacity * 2);
  let sequences = new Float64Array(capacity);
  let atS = new Uint32Array(capacity);
  let pending: Buffer[] = [];

  /** The slot of the key, or of the first empty place for it (as -slot - 1). */
  function probe(high: number, low: number): number {
    let slot = (low ^ high) & (capacity - 1);
    for (;;) {
      const slotHigh = keys[slot * 2];
      const slotLow = keys[slot * 2 + 1];
      if (slotHigh === 0 && slotLow === 0) return -slot - 1;
      if (slotHigh === high && slotLow === low) return slot;
      slot = (slot + 1) & (capacity - 1);
    }
  }

  function set(
    high: number,
    low: number,
    hashHigh: number,
    hashLow: number,
    sequence: number,
    at: number,
  ): void {
    if (used * 3 > capacity * 2) grow();
    const found = probe(high, low);
    const slot = found < 0 ? -found - 1 : found;
    if (found < 0) {
      used += 1;
      count += 1;
    } else if (sequences[slot] === 0) {
      count += 1;
    }
    keys[slot * 2] = high;
    keys[slot * 2 + 1] = low;
    hashes[slot * 2] = hashHigh;
    hashes[slot * 2 + 1] = hashLow;
    sequences[slot] = sequence;
    atS[slot] = at;
  }

  /** A removed entry keeps its slot (sequence 0) so that probing goes on past it; growing drops it. */
  function unset(high: number, low: number): void {
    const slot = probe(high, low);
    if (slot < 0 || sequences[slot] === 0) return;
    sequences[slot] = 0;
    count -= 1;
  }

  function grow(): void {
    const old = { capacity, keys, hashes, sequences, atS };
    if (count * 2 > capacity) capacity *= 2;
    keys = new Uint32Array(capacity * 2);
    hashes = new Uint32Array(capacity * 2);
    sequences = new Float64Array(capacity);
    atS = new Uint32Array(capacity);
    used = 0;
    count = 0;
    for (let slot = 0; slot < old.capacity; slot += 1) {
      const sequence = old.sequences[slot] as number;
      if (sequence === 0) continue;
      set(
        old.keys[slot * 2] as number,
        old.keys[slot * 2 + 1] as number,
        old.hashes[slot * 2] as number,
        old.hashes[slot * 2 + 1] as number,
        sequence,
        old.atS[slot] as number,
      );
    }
  }

  function word(bytes: Uint8Array, offset: number): number {
    return (
      (((bytes[offset] as number) << 24) |
        ((bytes[offset + 1] as number) << 16) |
        ((bytes[offset + 2] as number) << 8) |
        (bytes[offset + 3] as number)) >>>
      0
    );
  }

  /** (0, 0) marks an empty slot, so a key that is all zero is moved by one. */
  function keyWords(bytes: Uint8Array, offset: number): [number, number] {
    const high = word(bytes, offset);
    const low = word(bytes, offset + 4);
    return high === 0 && low === 0 ? [0, 1] : [high, low];
  }

  return {
    find(key, hash) {
      const [high, low] = keyWords(key, 0);
      const slot = probe(high, low);
      if (slot < 0 || sequences[slot] === 0) return undefined;
      return {
        sequence: sequences[slot] as number,
        atS: atS[slot] as number,
        sameBytes: hashes[slot * 2] === word(hash, 0) && hashes[slot * 2 + 1] === word(hash, 4),
      };
    },
    add(key, hash, sequence, at) {
      const [high, low] = keyWords(key, 0);
      set(high, low, word(hash, 0), word(hash, 4), sequence, at);
      const entry = Buffer.alloc(entryBytes);
      entry.set(key.subarray(0, 8), 0);
      entry.set(hash.subarray(0, 8), 8);
      writeUInt64(entry, sequence, 16);
      entry.writeUInt32BE(at, 24);
      pending.push(entry);
    },
    release(key) {
      const [high, low] = keyWords(key, 0);
      unset(high, low);
      const entry = Buffer.alloc(entryBytes);
      entry.set(key.subarray(0, 8), 0);
      entry[28] = released;
      pending.push(entry);
    },
    takeRow() {
      if (pending.length === 0) return undefined;
      const row = Buffer.concat(pending);
      pending = [];
      return row;
    },
    load(row) {
      for (let at = 0; at + entryBytes <= row.length; at += entryBytes) {
        const [high, low] = keyWords(row, at);
        if (row[at + 28] === released) unset(high, low);
        else
          set(high, low, word(row, at + 8), word(row, at + 12), readUInt64(row, at + 16), word(row, at + 24));
      }
    },
    forget(row) {
      for (let at = 0; at + entryBytes <= row.length; at += entryBytes) {
        const [high, low] = keyWords(row, at);
        const slot = probe(high, low);
        if (slot >= 0 && sequences[slot] === readUInt64(row, at + 16)) unset(high, low);
      }
    },
    size: () => count,
  };
}
