/** One after the other, by what they are about: whoever comes next waits until all before have settled. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Has anybody a turn, or waits for one? */
  has(about: string): boolean {
    return this.#last.has(about);
  }

  take<T>(about: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(about) ?? Promise.resolve()).then(work);
    const last = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#last.get(about) === last) this.#last.delete(about);
      });
    this.#last.set(about, last);
    return turn;
  }
}
