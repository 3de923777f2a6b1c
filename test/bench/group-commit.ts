/**
 * The least code that makes values durable in LMDB for many callers at once: what arrives while a commit
 * runs goes into the next one, and two rounds are in flight, so that the disk never waits for this thread.
 *
 *   arrivals -> [ next round ] -> put … put -> commit + flush -> callbacks, in order
 *
 * Invariants: a callback runs only after the round's commit is on the disk (overlappingSync: false: the
 * promise of a put is that); rounds answer in their order; after a failed round nothing is ever answered.
 * It is a measure, not the gateway's journal: no scan, no encryption, no deduplication, no limits.
 */
import { open, type RootDatabase } from 'lmdb';

export interface GroupCommitOptions {
  readonly folder: string;
  readonly roundsInFlight?: number;
  /** One LMDB record for all values of a round, in place of one for each. */
  readonly recordPerRound?: boolean;
}

interface Entry {
  readonly value: Buffer;
  readonly done: () => void;
}

export class GroupCommit {
  readonly #db: RootDatabase<Buffer, Buffer>;
  readonly #roundsInFlight: number;
  readonly #recordPerRound: boolean;
  #next: Entry[] = [];
  #running = 0;
  #scheduled = false;
  #sequence = 0n;

  constructor({ folder, roundsInFlight = 2, recordPerRound = false }: GroupCommitOptions) {
    const options = {
      encoding: 'binary',
      keyEncoding: 'binary',
      cache: false,
      overlappingSync: false,
    } as const;
    this.#db = open<Buffer, Buffer>({ path: folder, noSubdir: false, ...options });
    this.#roundsInFlight = roundsInFlight;
    this.#recordPerRound = recordPerRound;
  }

  /** Calls back when the value is on the disk. */
  add(value: Buffer, done: () => void): void {
    this.#next.push({ value, done });
    this.#schedule();
  }

  // The end of the turn, so that every message of every readable socket joins one round.
  #schedule(): void {
    if (this.#scheduled || this.#running >= this.#roundsInFlight) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#next.length > 0 && this.#running < this.#roundsInFlight) this.#commit(this.#next.splice(0));
    });
  }

  #commit(round: Entry[]): void {
    this.#running += 1;
    this.#put(round).then(
      () => {
        this.#running -= 1;
        for (const { done } of round) done();
        if (this.#next.length > 0) this.#schedule();
      },
      (error: unknown) => {
        // Nothing after a failed commit may be answered.
        process.stderr.write(`commit failed: ${String(error)}\n`);
        process.exit(75);
      },
    );
  }

  #put(round: Entry[]): Promise<unknown> {
    if (this.#recordPerRound)
      return this.#db.put(this.#key(), Buffer.concat(round.map(({ value }) => value)));
    let last: Promise<unknown> = Promise.resolve();
    for (const { value } of round) last = this.#db.put(this.#key(), value);
    return last;
  }

  #key(): Buffer {
    const key = Buffer.allocUnsafe(8);
    key.writeBigUInt64BE(this.#sequence);
    this.#sequence += 1n;
    return key;
  }
}
