/**
 * The listener's lines in the log. Whoever is not taken mostly comes again at once and for ever, so that each kind of
 * line is bounded; the counters have them all. Never what was sent.
 */
import { PerMinute } from '../rate.ts';
import type { MllpHooks } from './options.ts';

/** For an address and a kind of line. */
const perMinuteMax = 120;
const notJournaledEveryMs = 1_000;

type Fields = Record<string, string | number>;

export class Lines {
  readonly #listener: string;
  readonly #hooks: MllpHooks;
  readonly #some = new PerMinute(perMinuteMax);
  readonly #one = new PerMinute(1);
  #notJournaled = 0;
  #notJournaledAtMs = Number.NEGATIVE_INFINITY;

  constructor(listener: string, hooks: MllpHooks) {
    this.#listener = listener;
    this.#hooks = hooks;
  }

  /** Of an address that is not known, as that of a peer that is gone, the line has none. */
  warn(code: string, address: string, fields: Fields = {}): void {
    if (this.#some.allow(`${code} ${address}`, this.#hooks.elapsedMs())) this.#write(code, address, fields);
  }

  /** A probe comes every few seconds. @param kind one line a minute for each */
  warnOnce(code: string, kind: string, address: string, fields: Fields): void {
    if (this.#one.allow(`${kind} ${address}`, this.#hooks.elapsedMs())) this.#write(code, address, fields);
  }

  /** A full disk refuses everybody: one line a second says how many. */
  notJournaled(source: string, reason: string): void {
    this.#notJournaled += 1;
    const now = this.#hooks.elapsedMs();
    if (now - this.#notJournaledAtMs < notJournaledEveryMs) return;
    this.#notJournaledAtMs = now;
    this.#hooks.log('warn', 'mllp-not-journaled', { source, reason, count: this.#notJournaled });
    this.#notJournaled = 0;
  }

  #write(code: string, address: string, fields: Fields): void {
    const where = address === '' ? {} : { address };
    this.#hooks.log('warn', code, { listener: this.#listener, ...where, ...fields });
  }
}
