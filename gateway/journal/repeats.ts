/**
 * The repeat index: which (scope, message control ID) was seen, with which bytes, when.
 *
 * On disk it is a log: every commit round appends one row with the entries of that round,
 *
 *   entry = key(8) hash(8) sequence(8) at s(4) flags(1)      key = HMAC, hash = SHA-256, both cut
 *
 * and a restart reads the log into a table. Appending keeps the disk cost of an entry at 29
 * bytes in a row that is written anyway; a tree of random keys would dirty a page an entry.
 * In memory it is open addressing over typed arrays [slots.ts], 24 bytes a slot, in parts that grow
 * one by one: senders would wait 87 ms for one of a million and a half entries. The oldest rows go
 * when they are past the age or the number of entries; beyond that a repeat is an ordinary
 * event. A released key (MQTT QoS 2 after PUBREL) is an entry with a flag.
 */
import { readUInt64, writeUInt64 } from './layout.ts';
import { firstSlot, mustGrow, slotsFor } from './slots.ts';

const entryBytes = 29;
const released = 1;
/** A power of two; the first bits of a key say which. */
const partBits = 6;

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

/** What is kept under a key. */
interface Kept {
  sequence: number;
  atS: number;
  /** 32 bits. */
  hashHigh: number;
  /** 16 bits: with the other 32 a chance of 1 in 2^48 that other bytes pass for a repeat; the key's own is 1 in 2^43 among two million. */
  hashLow: number;
}

/** Keys are two words. */
interface Part {
  find(high: number, low: number): Kept | undefined;
  set(high: number, low: number, kept: Kept): void;
  unset(high: number, low: number): void;
  size(): number;
}

function createPart(): Part {
  let capacity = slotsFor(0);
  let used = 0;
  let count = 0;
  // Slot: key (0, 0 = empty), 48 bits each of the hash and of the sequence (0 = removed), at.
  let keys = new Uint32Array(capacity * 2);
  let words = new Uint32Array(capacity * 3);
  let halves = new Uint16Array(capacity * 2);

  const isRemoved = (slot: number) => words[slot * 3 + 1] === 0 && halves[slot * 2 + 1] === 0;

  /** The slot of the key, or of the first empty place for it (as -slot - 1). */
  function probe(high: number, low: number): number {
    let slot = firstSlot(low, capacity);
    for (;;) {
      const slotHigh = keys[slot * 2];
      const slotLow = keys[slot * 2 + 1];
      if (slotHigh === 0 && slotLow === 0) return -slot - 1;
      if (slotHigh === high && slotLow === low) return slot;
      slot = slot + 1 < capacity ? slot + 1 : 0;
    }
  }

  function set(high: number, low: number, kept: Kept): void {
    if (mustGrow(used, capacity)) grow();
    const found = probe(high, low);
    const slot = found < 0 ? -found - 1 : found;
    if (found < 0) {
      used += 1;
      count += 1;
    } else if (isRemoved(slot)) {
      count += 1;
    }
    keys[slot * 2] = high;
    keys[slot * 2 + 1] = low;
    words[slot * 3] = kept.hashHigh;
    words[slot * 3 + 1] = kept.sequence % 0x1_0000_0000;
    words[slot * 3 + 2] = kept.atS;
    halves[slot * 2] = kept.hashLow;
    halves[slot * 2 + 1] = Math.floor(kept.sequence / 0x1_0000_0000);
  }

  /** A removed entry keeps its slot (sequence 0) so that probing goes on past it; growing drops it. */
  function unset(high: number, low: number): void {
    const slot = probe(high, low);
    if (slot < 0 || isRemoved(slot)) return;
    words[slot * 3 + 1] = 0;
    halves[slot * 2 + 1] = 0;
    count -= 1;
  }

  function grow(): void {
    const old = { capacity, keys, words, halves };
    capacity = slotsFor(count);
    keys = new Uint32Array(capacity * 2);
    words = new Uint32Array(capacity * 3);
    halves = new Uint16Array(capacity * 2);
    used = 0;
    count = 0;
    for (let slot = 0; slot < old.capacity; slot += 1) {
      const kept = keptIn(old.words, old.halves, slot);
      if (kept.sequence !== 0) set(old.keys[slot * 2] as number, old.keys[slot * 2 + 1] as number, kept);
    }
  }

  return {
    find(high, low) {
      const slot = probe(high, low);
      return slot < 0 || isRemoved(slot) ? undefined : keptIn(words, halves, slot);
    },
    set,
    unset,
    size: () => count,
  };
}

function keptIn(words: Uint32Array, halves: Uint16Array, slot: number): Kept {
  return {
    hashHigh: words[slot * 3] as number,
    hashLow: halves[slot * 2] as number,
    sequence: (halves[slot * 2 + 1] as number) * 0x1_0000_0000 + (words[slot * 3 + 1] as number),
    atS: words[slot * 3 + 2] as number,
  };
}

/** When the newest entry of a row was captured, seconds since 1970; 0 where all of them are releases, which have no time. */
export function rowAtS(row: Buffer): number {
  let newest = 0;
  for (let at = 24; at + 4 <= row.length; at += entryBytes) newest = Math.max(newest, row.readUInt32BE(at));
  return newest;
}

export function createRepeatIndex(): RepeatIndex {
  const parts = Array.from({ length: 1 << partBits }, createPart);
  const partOf = (high: number) => parts[high >>> (32 - partBits)] as Part;
  /** The row in hand, in a buffer that is kept: one for each entry cost as much as finding its place. */
  let pending = Buffer.allocUnsafeSlow(64 * entryBytes);
  let filled = 0;

  function word(bytes: Uint8Array, offset: number): number {
    return (
      (((bytes[offset] as number) << 24) |
        ((bytes[offset + 1] as number) << 16) |
        ((bytes[offset + 2] as number) << 8) |
        (bytes[offset + 3] as number)) >>>
      0
    );
  }

  function half(bytes: Uint8Array, offset: number): number {
    return ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number);
  }

  /** Where the next entry of the row in hand begins. */
  function nextEntry(): number {
    const at = filled;
    filled += entryBytes;
    if (filled > pending.length) {
      const larger = Buffer.allocUnsafeSlow(pending.length * 2);
      pending.copy(larger);
      pending = larger;
    }
    return at;
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
      const kept = partOf(high).find(high, low);
      if (kept === undefined) return undefined;
      const { sequence, atS, hashHigh, hashLow } = kept;
      return { sequence, atS, sameBytes: hashHigh === word(hash, 0) && hashLow === half(hash, 4) };
    },
    add(key, hash, sequence, at) {
      const [high, low] = keyWords(key, 0);
      partOf(high).set(high, low, {
        sequence,
        atS: at,
        hashHigh: word(hash, 0),
        hashLow: half(hash, 4),
      });
      const entry = nextEntry();
      for (let byte = 0; byte < 8; byte += 1) {
        pending[entry + byte] = key[byte] as number;
        pending[entry + 8 + byte] = hash[byte] as number;
      }
      writeUInt64(pending, sequence, entry + 16);
      pending.writeUInt32BE(at, entry + 24);
      pending[entry + 28] = 0;
    },
    release(key) {
      const [high, low] = keyWords(key, 0);
      partOf(high).unset(high, low);
      const entry = nextEntry();
      pending.fill(0, entry, entry + entryBytes);
      pending.set(key.subarray(0, 8), entry);
      pending[entry + 28] = released;
    },
    takeRow() {
      if (filled === 0) return undefined;
      const row = Buffer.from(pending.subarray(0, filled));
      filled = 0;
      return row;
    },
    load(row) {
      for (let at = 0; at + entryBytes <= row.length; at += entryBytes) {
        const [high, low] = keyWords(row, at);
        if (row[at + 28] === released) partOf(high).unset(high, low);
        else
          partOf(high).set(high, low, {
            sequence: readUInt64(row, at + 16),
            atS: word(row, at + 24),
            hashHigh: word(row, at + 8),
            hashLow: half(row, at + 12),
          });
      }
    },
    forget(row) {
      for (let at = 0; at + entryBytes <= row.length; at += entryBytes) {
        const [high, low] = keyWords(row, at);
        const part = partOf(high);
        if (part.find(high, low)?.sequence === readUInt64(row, at + 16)) part.unset(high, low);
      }
    },
    size: () => parts.reduce((sum, part) => sum + part.size(), 0),
  };
}
