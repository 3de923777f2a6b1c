/**
 * Which lane sends next. Each lane is FIFO; the choice is between their heads.
 *
 *   1. A lane that has waited below its floor goes first, so nothing starves.
 *   2. Otherwise the earliest deadline (captured + budget) goes first.
 *
 * A head whose deadline has passed counts as if it had just come, less the shortest budget. Plain
 * earliest-deadline-first would send a whole overdue backlog before a fresh STAT event, which is
 * how every backlog looks after an outage. A late STAT stays first.
 *
 * Floors are shares of what is sent while the lane has something waiting, counted in `cost`
 * (events, or bytes). They sum to less than one; the rest is chosen by deadline. Idle lanes save
 * nothing up. No clock and no randomness: the same calls give the same lanes.
 */
import { type Class, classes, perClass } from '../../proto/config/event-words.ts';

export interface Head {
  lane: Class;
  capturedAtUs: bigint;
  /** What sending it takes, in one unit for all lanes; default 1. */
  cost?: number;
}

export type Shares = Readonly<Record<Class, number>>;

/** Routine keeps a fifth under any load, so that admissions still come; bulk moves, and no more. */
export const defaultFloors: Shares = { stat: 0.5, urgent: 0.15, routine: 0.2, bulk: 0.05 };

export class Lanes {
  #budgetsUs: Readonly<Record<Class, number>>;
  readonly #floors: Shares;
  /** How much a lane is owed (above zero) or has had beyond its floor, in cost. */
  readonly #owed: Record<Class, number> = { stat: 0, urgent: 0, routine: 0, bulk: 0 };

  constructor(budgetsMs: Readonly<Record<Class, number>>, floors: Shares = defaultFloors) {
    const sum = classes.reduce((total, lane) => total + floors[lane], 0);
    if (sum >= 1)
      throw new RangeError(`the floors of the lanes sum to ${sum}; they must leave something to choose`);
    this.#budgetsUs = inUs(budgetsMs);
    this.#floors = floors;
  }

  /** A config with other budgets; what lanes are owed stays. */
  useBudgets(budgetsMs: Readonly<Record<Class, number>>): void {
    this.#budgetsUs = inUs(budgetsMs);
  }

  /** The lane to send from, one head per lane that has something; undefined without heads. The send is taken as done. */
  next(heads: readonly Head[], nowUs: bigint): Class | undefined {
    const first = this.#mostOwed(heads) ?? this.#earliest(heads, nowUs);
    this.#account(heads, first);
    return first?.lane;
  }

  #mostOwed(heads: readonly Head[]): Head | undefined {
    let best: Head | undefined;
    for (const head of heads) {
      const owed = this.#owed[head.lane];
      if (owed <= rounding) continue;
      if (
        best === undefined ||
        owed > this.#owed[best.lane] ||
        (owed === this.#owed[best.lane] && before(head, best))
      ) {
        best = head;
      }
    }
    return best;
  }

  #earliest(heads: readonly Head[], nowUs: bigint): Head | undefined {
    let best: Head | undefined;
    let bestAtUs = Number.POSITIVE_INFINITY;
    for (const head of heads) {
      const atUs = this.#deadlineUs(head, Number(nowUs));
      if (best === undefined || atUs < bestAtUs || (atUs === bestAtUs && before(head, best))) {
        best = head;
        bestAtUs = atUs;
      }
    }
    return best;
  }

  /** Microseconds since 1970 stay exact in a double until the year 2255. */
  #deadlineUs({ lane, capturedAtUs }: Head, nowUs: number): number {
    const budgetUs = this.#budgetsUs[lane];
    const deadlineUs = Number(capturedAtUs) + budgetUs;
    const shortestUs = Math.min(...Object.values(this.#budgetsUs));
    return deadlineUs >= nowUs ? deadlineUs : nowUs + budgetUs - shortestUs;
  }

  #account(heads: readonly Head[], sent: Head | undefined): void {
    if (sent === undefined) return;
    const cost = sent.cost ?? 1;
    for (const lane of classes) {
      const owed = this.#owed[lane] + this.#floors[lane] * cost;
      if (lane === sent.lane) {
        // At most the last send is to be waited for: what it had in quiet times is not held against it.
        this.#owed[lane] = Math.max(owed - cost, -cost);
      } else {
        // Where nothing waited nothing is owed, but the debt of a large event is still paid off.
        this.#owed[lane] = heads.some((head) => head.lane === lane) ? owed : Math.min(owed, 0);
      }
    }
  }
}

/** Sums of shares are not exact; this is far below one share of one event. */
const rounding = 1e-9;

/** stat before urgent before routine before bulk */
function before(a: Head, b: Head): boolean {
  return classes.indexOf(a.lane) < classes.indexOf(b.lane);
}

function inUs(budgetsMs: Readonly<Record<Class, number>>): Record<Class, number> {
  return perClass((lane) => budgetsMs[lane] * 1_000);
}
