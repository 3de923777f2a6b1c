/**
 * What the loads sent, and whether the centre has it: counted from the generators' own numbers and the
 * events that the control plane gives out, never from Hilum's counters.
 *
 * Invariants: lost = positively answered and not there (at least so many, where some of a load went without
 * an answer); doubled = one message's event there twice. Numbers of one (kind, seed) are dense, so a bit each
 * is enough for millions of messages.
 */
import type { LoadResult } from './load.ts';

export interface Census {
  readonly answered: number;
  readonly stored: number;
  readonly lost: number;
  readonly doubled: number;
}

interface Entry {
  /** What every message control ID of the load begins with. */
  readonly prefix: string;
  readonly first: number;
  readonly sent: number;
  readonly answered: number;
}

export class Books {
  readonly #entries: Entry[] = [];
  answered = 0;

  /** A load whose messages are numbered from `first` on. */
  enter(prefix: string, first: number, { sent, answered }: LoadResult): void {
    this.#entries.push({ prefix, first, sent, answered });
    this.answered += answered;
  }

  /** Control ID and place among its record's events, for each event that is stored. */
  async census(stored: AsyncIterable<readonly { controlId: string; index: number }[]>): Promise<Census> {
    const seen = new Map(
      this.#entries.map(({ prefix, first, sent }) => [prefix, { first, marks: new Uint8Array(sent) }]),
    );
    let doubled = 0;
    for await (const events of stored) {
      for (const { controlId, index } of events) {
        if (index !== 1) continue;
        const load = seen.get(controlId.slice(0, -11));
        if (load === undefined) continue;
        const { first, marks } = load;
        const n = Number(controlId.slice(-11)) - first;
        if (n < 0 || n >= marks.length) continue;
        if (marks[n] === 1) doubled += 1;
        marks[n] = 1;
      }
    }
    let [total, lost] = [0, 0];
    for (const { prefix, answered } of this.#entries) {
      const there = seen.get(prefix)!.marks.reduce((sum, mark) => sum + mark, 0);
      total += there;
      lost += Math.max(0, answered - there);
    }
    return { answered: this.answered, stored: total, lost, doubled };
  }
}
