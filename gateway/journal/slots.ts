/**
 * Open addressing over typed arrays, as the tables of repeats and of the memory do it: how many slots, and where a
 * key's search begins. A table of a million entries is large, so it grows by a quarter and stands between 60 and 75 %
 * full; at 75 % a key that is not there takes some eight looks, side by side.
 */

const fewest = 64;
const filled = 0.6;
const filledMost = 0.75;

/** @param used slots that are not empty: those of removed entries are not, so that a search goes on past them */
export function mustGrow(used: number, capacity: number): boolean {
  return used >= capacity * filledMost;
}

/** Slots for so many entries, with room for more. */
export function slotsFor(entries: number): number {
  return Math.max(fewest, Math.ceil(entries / filled));
}

/** @param word 32 bits of the key's hash, evenly spread */
export function firstSlot(word: number, capacity: number): number {
  return Math.floor((word / 0x1_0000_0000) * capacity);
}
