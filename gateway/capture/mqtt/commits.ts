/**
 * Commits and releases in hand. A stop waits until there are none, because each owes somebody an answer.
 *
 * `append` calls back instead of returning a promise: what it calls runs in the turn in which the journal
 * settled, and the answers of one round leave together.
 */
import { type Intake, IntakeRefused, type Receipt, type RecordDraft } from '../intake.ts';
import type { Counters } from './counters.ts';

export class Commits {
  readonly #intake: Intake;
  readonly #counters: Counters;
  #inHand = 0;
  #idle: (() => void) | undefined;

  constructor(intake: Intake, counters: Counters) {
    this.#intake = intake;
    this.#counters = counters;
  }

  /** Calls exactly one of the two, once; never before it returns. A draft that cannot be made is refused, too. */
  append(
    draft: () => RecordDraft,
    onReceipt: (receipt: Receipt) => void,
    onRefused: (error: Error) => void,
  ): void {
    this.#inHand++;
    let appended: Promise<Receipt>;
    try {
      appended = this.#intake.append(draft());
    } catch (error) {
      appended = Promise.reject(error);
    }
    appended.then(
      (receipt) => {
        onReceipt(receipt);
        this.#handedBack();
      },
      (error: unknown) => {
        onRefused(this.#refused(error));
        this.#handedBack();
      },
    );
  }

  /** Resolves when the key is durably forgotten. */
  async release(key: string): Promise<void> {
    this.#inHand++;
    try {
      await this.#intake.release(key);
    } finally {
      this.#handedBack();
    }
  }

  /** Resolves when it is durable what is kept of a session. */
  async session(what: 'keep' | 'end', key: string): Promise<void> {
    this.#inHand++;
    try {
      await this.#intake.sessions[what](key);
    } finally {
      this.#handedBack();
    }
  }

  hasSession(key: string): boolean {
    return this.#intake.sessions.has(key);
  }

  /** For a key that nobody can use again: it only takes up room in the journal's index, so a failure is no matter. */
  forget(key: string): void {
    this.#intake.release(key).catch(() => {});
  }

  /** Resolves when nothing is in hand, and its answers were written. */
  async drained(): Promise<void> {
    do {
      if (this.#inHand > 0) {
        await new Promise<void>((resolve) => {
          this.#idle = resolve;
        });
      }
      // A QoS 2 answer goes through the persistence's promises before it is written: let those turns pass.
      await new Promise<void>((resolve) => setImmediate(resolve));
    } while (this.#inHand > 0);
  }

  #refused(error: unknown): Error {
    this.#counters.stats.appendsRefused++;
    const code = error instanceof IntakeRefused ? error.code : 'fault';
    this.#counters.log('mqtt-commit-refused', { code });
    return error instanceof Error ? error : new Error('commit refused');
  }

  #handedBack(): void {
    this.#inHand--;
    if (this.#inHand === 0) this.#idle?.();
  }
}
