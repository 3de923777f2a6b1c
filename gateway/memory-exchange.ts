/** What passes between the journal's memory, which stores rows, and the normalizer's, which makes and asks for them. */
import type { Journal } from './journal/journal.ts';
import { nowUs } from './process/clock.ts';
import type { Carried, JobReply, Need, ToWorker } from './worker-job.ts';

/** Puts a message to the normalizer that is running. */
export type Post = (message: ToWorker, transfer?: ArrayBuffer[]) => void;

export class MemoryExchange {
  readonly #journal: Journal;
  readonly #post: Post;
  readonly #onAlarm: (code: string, fields: Record<string, number>) => void;

  constructor(journal: Journal, post: Post, onAlarm: (code: string, fields: Record<string, number>) => void) {
    this.#journal = journal;
    this.#post = post;
    this.#onAlarm = onAlarm;
  }

  /** To a normalizer that starts: where everything stands. */
  start(): void {
    const { memory } = this.#journal;
    memory.forsaken();
    for (const heads of memory.heads()) this.#post({ kind: 'heads', bytes: Uint8Array.from(heads) });
    this.#post({ kind: 'heads', bytes: new Uint8Array(0) });
    this.#tellDamaged();
  }

  heard(message: Need | Carried): void {
    const { memory } = this.#journal;
    if (message.kind === 'carried') {
      const { row, into, entries } = message;
      memory.carried(row, into && { row: into.row, bytes: Buffer.from(into.bytes.buffer) }, entries);
      this.carry();
      return;
    }
    const chunks: (Uint8Array | undefined)[] = [];
    for (let at = 0; at < message.locations.length; at += 2) {
      const chunk = memory.read(message.locations[at] as number, message.locations[at + 1] as number);
      chunks.push(chunk);
    }
    this.#post({ kind: 'have', id: message.id, chunks });
    this.#tellDamaged();
  }

  done({ remembered, entries, damaged, bytes }: JobReply): void {
    if (remembered !== undefined) {
      const { offset, length } = remembered.slice;
      const row = { row: remembered.row, bytes: Buffer.from(bytes, offset, length) };
      this.#journal.memory.accept(row, entries);
    }
    this.#tellDamaged(damaged);
  }

  #tellDamaged(more = 0): void {
    const rows = this.#journal.memory.takeDamaged() + more;
    if (rows > 0) this.#onAlarm('memory-damaged', { rows });
  }

  /** Has the old end looked at, where there is need of it. */
  carry(): void {
    const carry = this.#journal.memory.carry(nowUs() / 1e6);
    if (carry === undefined) return;
    const bytes = Uint8Array.from(carry.bytes);
    this.#post({ kind: 'carry', row: carry.row, bytes, drop: carry.drop }, [bytes.buffer]);
    this.#tellDamaged();
  }
}
