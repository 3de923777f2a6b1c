/** What senders are owed: the receipts of the open round, given in the order of the calls once it is flushed. */
import { IntakeRefused, type Receipt } from '../capture/intake.ts';
import type { Round } from './committer.ts';

interface Owed {
  receipt: Receipt;
  resolve(receipt: Receipt): void;
  reject(cause: unknown): void;
}

export class Receipts {
  #owed: Owed[] = [];

  owe(receipt: Receipt): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      this.#owed.push({ receipt, resolve, reject });
    });
  }

  /** Just before the round is sealed: with it they are given, or refused where it fails. */
  write(round: Round, given: () => void): void {
    const owed = this.#owed;
    if (owed.length === 0) return;
    this.#owed = [];
    round.whenSettled(
      () => {
        for (const { resolve, receipt } of owed) resolve(receipt);
        given();
      },
      (cause) => {
        const refused = new IntakeRefused('fault', `the commit failed: ${String(cause)}`);
        for (const { reject } of owed) reject(refused);
      },
    );
  }
}
