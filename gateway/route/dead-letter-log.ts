/**
 * What a destination refuses for good, in the log: the first one at once, those of the seconds that follow in one line for
 * each route and reason. So a receiver that refuses its whole queue does not fill the log, and the counts of all lines
 * are what was refused.
 */
export type LogWarning = (
  level: 'warn',
  code: 'delivery-dead-letter',
  fields: Record<string, string | number>,
) => void;

const restMs = 10_000;

interface Untold {
  route: string;
  reason: string;
  /** Since the last line. */
  count: number;
  /** Sequence of the last one's record. */
  record: number;
}

export class DeadLetterLog {
  readonly #destination: string;
  readonly #log: LogWarning;
  /** By route and reason. */
  readonly #untold = new Map<string, Untold>();
  /** While nothing is told. */
  #rest: NodeJS.Timeout | undefined;

  constructor(destination: string, log: LogWarning) {
    this.#destination = destination;
    this.#log = log;
  }

  note(route: string, reason: string, record: number): void {
    const key = JSON.stringify([route, reason]);
    const count = (this.#untold.get(key)?.count ?? 0) + 1;
    this.#untold.set(key, { route, reason, count, record });
    if (this.#rest === undefined) this.#tell();
  }

  /** Tells what is left. */
  stop(): void {
    this.#tell();
    clearTimeout(this.#rest);
    this.#rest = undefined;
  }

  #tell(): void {
    this.#rest = undefined;
    if (this.#untold.size === 0) return;
    for (const untold of this.#untold.values())
      this.#log('warn', 'delivery-dead-letter', { destination: this.#destination, ...untold });
    this.#untold.clear();
    this.#rest = setTimeout(() => this.#tell(), restMs).unref();
  }
}
