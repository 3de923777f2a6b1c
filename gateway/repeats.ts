/** Repeats since they were told last, by the record that they repeat: what a trace shows. */

/** Custody counts every one; what is only shown may be bounded. */
const recordsMax = 10_000;

export class Repeats {
  readonly #counts = new Map<number, number>();

  note(recordSequence: number): void {
    if (this.#counts.size < recordsMax)
      this.#counts.set(recordSequence, (this.#counts.get(recordSequence) ?? 0) + 1);
  }

  /** What was noted since the last call. */
  take(): { recordSequence: number; count: number }[] {
    const taken = [...this.#counts].map(([recordSequence, count]) => ({ recordSequence, count }));
    this.#counts.clear();
    return taken;
  }
}
