/**
 * The turn of the event log: batches are queued one after the other, so that they commit in the order of their indexes.
 * Where one needs what takes long to read, its gateway alone waits for that: it, and what comes from the gateway
 * meanwhile, is held in its order, and has its turn again once it is there. The others go on.
 */

/** What has to be made before the work can be done; the turn is free meanwhile. */
export class Needs {
  readonly make: () => Promise<void>;

  constructor(make: () => Promise<void>) {
    this.make = make;
  }
}

interface Held {
  readonly waiting: { go(): Promise<void>; fail(cause: unknown): void }[];
  over: Promise<void>;
}

export class Turn {
  #last: Promise<unknown> = Promise.resolve();
  readonly #held = new Map<string, Held>();

  /** @param work begins anew where it needed something, so nothing is changed before that */
  async take<T>(gateway: string, work: () => Promise<T | Needs>): Promise<T> {
    const { result } = await this.#next(() => this.#unlessHeld(gateway, work));
    return result;
  }

  /** Resolves when all that came of these gateways before has had its turn. */
  async passed(gateways: readonly string[]): Promise<void> {
    await this.#last;
    for (const gateway of gateways)
      for (let held = this.#held.get(gateway); held !== undefined; held = this.#held.get(gateway))
        await held.over;
  }

  /** The promise stands in an object, so that the turn does not wait for it. */
  async #unlessHeld<T>(gateway: string, work: () => Promise<T | Needs>): Promise<{ result: Promise<T> }> {
    let held = this.#held.get(gateway);
    if (held === undefined) {
      const done = await work();
      if (!(done instanceof Needs)) return { result: Promise.resolve(done) };
      held = { waiting: [], over: Promise.resolve() };
      this.#held.set(gateway, held);
      held.over = this.#release(gateway, held, done);
    }
    const { waiting } = held;
    return {
      result: new Promise<T>((resolve, reject) => {
        const go = () => this.#unlessHeld(gateway, work).then(({ result }) => resolve(result), reject);
        waiting.push({ go, fail: reject });
      }),
    };
  }

  /** What was held goes before everything that comes of the gateway from here on. */
  async #release(gateway: string, { waiting }: Held, needs: Needs): Promise<void> {
    const failure = await needs.make().then(
      () => undefined,
      (cause: unknown) => ({ cause }),
    );
    await this.#next(async () => {
      this.#held.delete(gateway);
      for (const { go, fail } of waiting) {
        if (failure === undefined) await go();
        else fail(failure.cause);
      }
    });
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
