/**
 * Which patients have records that are not normalized, by a hash of whose they are: for each class guess how many
 * stand in a bucket, and the earliest row that may be among them. So a row can be told to have nothing of its
 * patients before it. What is not known errs to the side of waiting: a shared bucket, a bucket whose earliest is
 * gone while others stand, and everything while a row of an earlier life stands, whose keys nobody knows.
 */
import { type Class, classes, perClass } from '../../proto/config/event-words.ts';

const buckets = 1 << 18;
const countMax = 0xffff;

interface Bucketed {
  counts: Uint16Array;
  /** First sequence of the row that came when the bucket was empty. */
  earliest: Float64Array;
}

export class Standing {
  readonly #guesses: Record<Class, Bucketed> = perClass(() => ({
    counts: new Uint16Array(buckets),
    earliest: new Float64Array(buckets),
  }));
  /** Keys of each row by its first sequence. */
  readonly #rows = new Map<number, Uint32Array>();
  readonly #unknown = new Set<number>();

  recovered(first: number): void {
    this.#unknown.add(first);
  }

  add(guess: Class, first: number, keys: readonly number[]): void {
    const { counts, earliest } = this.#guesses[guess];
    this.#rows.set(first, Uint32Array.from(keys));
    for (const key of keys) {
      const bucket = key % buckets;
      const count = counts[bucket] as number;
      if (count === 0) earliest[bucket] = first;
      // At its bound a bucket stays full: its patients keep the order of arrival, and that is all that is lost.
      if (count < countMax) counts[bucket] = count + 1;
    }
  }

  remove(guess: Class, first: number): void {
    const { counts } = this.#guesses[guess];
    this.#unknown.delete(first);
    for (const key of this.#rows.get(first) ?? []) {
      const count = counts[key % buckets] as number;
      if (count < countMax) counts[key % buckets] = count - 1;
    }
    this.#rows.delete(first);
  }

  /** Does nothing that came earlier under another guess stand before a patient of this row? */
  mayOvertake(guess: Class, first: number, last: number): boolean {
    if (this.#unknown.size > 0) return false;
    const others = classes.filter((one) => one !== guess).map((one) => this.#guesses[one]);
    for (const key of this.#rows.get(first) ?? []) {
      const bucket = key % buckets;
      for (const { counts, earliest } of others) {
        if (counts[bucket] !== 0 && (earliest[bucket] as number) < last) return false;
      }
    }
    return true;
  }
}
