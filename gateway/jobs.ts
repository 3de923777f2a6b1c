/**
 * Jobs of the normalizer that are not finished: which one is next, and which may be written. Urgent records are taken
 * first; every fifth job goes to the lowest class that waits, so nothing starves. Where a guess is no verdict (strictly;
 * `reclassifies` in meaning.ts), records go in the order in which they came, whatever they were guessed to be.
 *
 *   journal.take ──► job: groups of records ──► sent group by group ──► all are back ──► written
 *
 * Jobs of one class guess are written in their order, which is the order of the lanes. Jobs that were taken in order hold
 * rows of several guesses: all are written in their order, and until none is left nothing is taken by its guess, also when
 * the config that asked for it is gone.
 */
import { type Class, classes } from '../proto/config/event-words.ts';
import { firstOf, takeInOrder } from './in-order.ts';
import { createJobSize } from './job-size.ts';
import type { Journal, Made } from './journal/journal.ts';
import type { TakenRecord, TakenRow } from './journal/records.ts';

/** Small, so that a STAT record never waits behind more than this, or behind one message that is larger. */
export const jobBytesMax = 256 * 1024;
const floorEvery = 5;

export interface Job {
  guess: Class;
  rows: TakenRow[];
  /** Alone: nothing of its patients stands before it. */
  taken: 'by guess' | 'in order' | 'alone';
  /** Records that go to the worker together; more than one group once the job has failed. */
  groups: TakenRecord[][];
  made: Made[];
}

type Waiting = Pick<Journal, 'take' | 'waiting' | 'mayOvertake' | 'nextSequence'>;

export class Jobs {
  /** From here on a guess is no verdict. */
  strict = false;
  readonly #journal: Waiting;
  /** Does routine work step back for the senders of a burst? */
  readonly #steppedBack: () => boolean;
  /** In order. */
  readonly #jobs: Job[] = [];
  readonly #size = createJobSize();

  constructor(journal: Waiting, steppedBack: () => boolean) {
    this.#journal = journal;
    this.#steppedBack = steppedBack;
  }

  /** One with a group to be sent. What failed is tried again first, but a STAT record does not wait for that. @param sent groups, until now */
  next(sent: number): Job | undefined {
    const isFloor = sent % floorEvery === floorEvery - 1;
    const again = this.#jobs.find(({ groups }) => groups.length > 0);
    if (this.#isStrict)
      return (
        (isFloor ? undefined : this.#overtaking()) ?? again ?? (this.strict ? this.#inOrder() : undefined)
      );
    const overtaken = again !== undefined && again.guess !== 'stat' && this.#journal.waiting('stat');
    return (overtaken ? this.#take('stat') : undefined) ?? again ?? this.#byGuess(isFloor);
  }

  /** Takes out the jobs that are complete, those of one guess in their order. @param isOut a group of it is in the worker */
  *complete(isOut: (job: Job) => boolean): Generator<Job> {
    const held = new Set<Class>();
    const isStrict = this.#isStrict;
    for (const job of [...this.#jobs]) {
      if (held.has(job.guess) || (isStrict && job.taken !== 'alone' && held.size > 0)) continue;
      if (job.groups.length > 0 || isOut(job)) {
        held.add(job.guess);
        continue;
      }
      this.#jobs.splice(this.#jobs.indexOf(job), 1);
      yield job;
    }
  }

  /** Every record up to this sequence, and none beyond that is missing, has been normalized. */
  normalizedThrough(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { rows } of this.#jobs)
      for (const { records } of rows) lowest = Math.min(lowest, records[0]?.sequence ?? lowest);
    for (const guess of classes) lowest = Math.min(lowest, this.#journal.nextSequence(guess) ?? lowest);
    return lowest - 1;
  }

  get #isStrict(): boolean {
    return this.strict || this.#jobs.some(({ taken }) => taken === 'in order');
  }

  #byGuess(isFloor: boolean): Job | undefined {
    const waiting = classes.filter((guess) => this.#journal.waiting(guess));
    // In a burst the floor of the lower classes is held too.
    const urgent = waiting.filter((guess) => guess === 'stat' || guess === 'urgent');
    const held = urgent.length < waiting.length && this.#steppedBack();
    const chosen = held ? urgent : waiting;
    const guess = isFloor ? chosen.at(-1) : chosen[0];
    return guess === undefined ? undefined : this.#take(guess);
  }

  /**
   * With class rules in the config a guess is no verdict, so a record must not overtake its own patient's by it:
   * a row goes first when nothing of its patients stands before it.
   */
  #overtaking(): Job | undefined {
    const guess = (['stat', 'urgent'] as const).find(
      (one) => this.#journal.waiting(one) && this.#journal.mayOvertake(one) && !this.#isUnsent(one),
    );
    return guess === undefined ? undefined : this.#take(guess, 1, 'alone');
  }

  /** Are records of this guess in hand that the worker did not get, or has to get again? They may be of the same patients. */
  #isUnsent(guess: Class): boolean {
    return this.#jobs.some(
      ({ groups, rows }) => groups.length > 0 && rows.some((row) => row.guess === guess),
    );
  }

  #take(
    guess: Class,
    recordsMax = this.#size.recordsMax(guess, performance.now()),
    taken: Job['taken'] = 'by guess',
  ): Job | undefined {
    const rows = this.#journal.take(guess, recordsMax, jobBytesMax);
    return this.#job(rows, [rows.flatMap(({ records }) => records)], taken);
  }

  #inOrder(): Job | undefined {
    const recordsMax = this.#size.recordsMax(firstOf(this.#journal)?.guess ?? 'routine', performance.now());
    const { rows, groups } = takeInOrder(this.#journal, recordsMax, jobBytesMax);
    return this.#job(rows, groups, 'in order');
  }

  #job(rows: TakenRow[], groups: TakenRecord[][], taken: Job['taken']): Job | undefined {
    const [first] = rows;
    if (first === undefined) return undefined;
    const job = { guess: first.guess, rows, taken, groups, made: [] };
    this.#jobs.push(job);
    return job;
  }
}
