/**
 * Where the newest value of each remembered key stands: the hash of the key to row and chunk. Open addressing
 * over typed arrays [slots.ts], 16 bytes a slot. It lives in the thread that asks and writes
 * (the normalizer's), so that a key that was never seen costs neither a message nor a read; it is built anew
 * from the heads of the rows where that thread starts. It grows in parts, one by one: an urgent record would wait
 * 149 ms while three million entries move.
 */
import { firstSlot, mustGrow, slotsFor } from './slots.ts';

/** Row and chunk as one number; a row has at most this many chunks. */
const chunksMax = 65_536;

export interface Location {
  row: number;
  chunk: number;
}

export function locationOf(row: number, chunk: number): number {
  return row * chunksMax + chunk;
}

export function readLocation(location: number): Location {
  return { row: Math.floor(location / chunksMax), chunk: location % chunksMax };
}

/** A power of two; the first bits of a hash say which. */
const partBits = 6;

export class MemoryIndex {
  readonly #parts = Array.from({ length: 1 << partBits }, () => new Part());

  get size(): number {
    return this.#parts.reduce((sum, { size }) => sum + size, 0);
  }

  get bytes(): number {
    return this.#parts.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** 0 where there is none. */
  find(high: number, low: number): number {
    return this.#partOf(high).find(high, low);
  }

  set(high: number, low: number, location: number): void {
    this.#partOf(high).set(high, low, location);
  }

  /** Only where it still stands there. */
  remove(high: number, low: number, location: number): void {
    this.#partOf(high).remove(high, low, location);
  }

  #partOf(high: number): Part {
    return this.#parts[high >>> (32 - partBits)] as Part;
  }
}

class Part {
  #capacity = slotsFor(0);
  /** Slots that are not empty; a removed entry keeps its slot, so that probing goes on past it. */
  #used = 0;
  #size = 0;
  /** Two words a slot; (0, 0) is an empty one. */
  #keys = new Uint32Array(this.#capacity * 2);
  /** 0: removed. */
  #locations = new Float64Array(this.#capacity);

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#keys.byteLength + this.#locations.byteLength;
  }

  find(high: number, low: number): number {
    const slot = this.#probe(high, low);
    return slot < 0 ? 0 : (this.#locations[slot] as number);
  }

  set(high: number, low: number, location: number): void {
    if (mustGrow(this.#used, this.#capacity)) this.#grow();
    const found = this.#probe(high, low);
    const slot = found < 0 ? -found - 1 : found;
    if (found < 0) {
      this.#used += 1;
      this.#keys[slot * 2] = high;
      this.#keys[slot * 2 + 1] = low === 0 && high === 0 ? 1 : low;
    }
    if (this.#locations[slot] === 0) this.#size += 1;
    this.#locations[slot] = location;
  }

  remove(high: number, low: number, location: number): void {
    const slot = this.#probe(high, low);
    if (slot < 0 || this.#locations[slot] !== location || location === 0) return;
    this.#locations[slot] = 0;
    this.#size -= 1;
  }

  /** The slot of the key, or the first empty place for it, as -slot - 1. */
  #probe(high: number, low: number): number {
    const last = low === 0 && high === 0 ? 1 : low;
    const capacity = this.#capacity;
    let slot = firstSlot(last, capacity);
    for (;;) {
      const [slotHigh, slotLow] = [this.#keys[slot * 2], this.#keys[slot * 2 + 1]];
      if (slotHigh === high && slotLow === last) return slot;
      if (slotHigh === 0 && slotLow === 0) return -slot - 1;
      slot = slot + 1 < capacity ? slot + 1 : 0;
    }
  }

  #grow(): void {
    const [capacity, keys, locations] = [this.#capacity, this.#keys, this.#locations];
    this.#capacity = slotsFor(this.#size);
    this.#keys = new Uint32Array(this.#capacity * 2);
    this.#locations = new Float64Array(this.#capacity);
    this.#used = 0;
    this.#size = 0;
    for (let slot = 0; slot < capacity; slot += 1) {
      const location = locations[slot] as number;
      if (location !== 0) this.set(keys[slot * 2] as number, keys[slot * 2 + 1] as number, location);
    }
  }
}
