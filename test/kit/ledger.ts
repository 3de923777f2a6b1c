/**
 * The sender's own ledger: the only truth for what was lost, doubled or altered.
 *
 * Append-only lines of JSON. A `sent` line is on the disk (fdatasync) BEFORE its first byte goes to a socket;
 * one flush may serve a group of sends. `answered` marks ride with the next flush: losing one makes the check
 * weaker, never wrong. A torn last line is a send that never happened; any other bad line is an error.
 *
 *   {"n":7,"controlId":"O000700000000007","sha256":"ab…","bytes":1003,"source":"lab","key":"CNRY000042"}
 *   {"answered":7,"code":"AA"}
 */
import { createHash } from 'node:crypto';
import { closeSync, fdatasync, fdatasyncSync, openSync, readFileSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';

const flush = promisify(fdatasync);
const append = promisify(write) as (fd: number, text: string) => Promise<unknown>;

export interface SentEntry {
  readonly n: number;
  /** MSH-10, or what stands for it (MQTT: topic and sequence). */
  readonly controlId: string;
  /** Of the bytes between the framing, in hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly source?: string;
  /** The patient key whose order must be kept. */
  readonly key?: string;
  /** Sends on one connection arrive in their order; across connections only an answer orders them. */
  readonly connection?: string;
}

/** What stands in a ledger: sends in order, and answers with the line at which each stands. */
export interface LedgerContent {
  readonly sent: readonly (SentEntry & { readonly line: number })[];
  readonly answers: readonly { readonly n: number; readonly code: string; readonly line: number }[];
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The ledger entry of a message. */
export function entryOf(
  message: { readonly n: number; readonly controlId: string; readonly bytes: Buffer },
  more: Pick<SentEntry, 'source' | 'key' | 'connection'> = {},
): SentEntry {
  const { n, controlId, bytes } = message;
  return { n, controlId, sha256: sha256(bytes), bytes: bytes.length, ...more };
}

export class SenderLedger {
  readonly #fd: number;
  #pending: string[] = [];
  #waiting: { resolve: () => void; reject: (reason: unknown) => void }[] = [];
  #flushing = false;

  constructor(path: string) {
    this.#fd = openSync(path, 'a', 0o600);
  }

  /** Resolves when the entry is on the disk: only then may its bytes be sent. Shares flushes. */
  sent(entry: SentEntry): Promise<void> {
    this.#pending.push(JSON.stringify(entry));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#run();
    });
  }

  /** The same for a group, at once and blocking. */
  sentSync(entries: readonly SentEntry[]): void {
    for (const entry of entries) this.#pending.push(JSON.stringify(entry));
    this.#writePending();
    fdatasyncSync(this.#fd);
  }

  /** Marks an answer that came: the code is MSA-1, or 'PUBACK', 'HTTP 200'. */
  answered(n: number, code: string): void {
    this.#pending.push(`{"answered":${n},"code":${JSON.stringify(code)}}`);
  }

  /** Writes what waits, flushes and closes. Not while a `sent` is unsettled. */
  close(): void {
    this.#writePending();
    fdatasyncSync(this.#fd);
    closeSync(this.#fd);
  }

  #run(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    // #flushAll tells each sender of a failure itself and never rejects.
    void this.#flushAll().then(() => {
      this.#flushing = false;
      if (this.#waiting.length > 0) this.#run();
    });
  }

  async #flushAll(): Promise<void> {
    // A turn lets the other sends of this turn join the group.
    await new Promise((resolve) => setImmediate(resolve));
    const group = this.#waiting.splice(0);
    const text = `${this.#pending.splice(0).join('\n')}\n`;
    try {
      await append(this.#fd, text);
      await flush(this.#fd);
      for (const waiting of group) waiting.resolve();
    } catch (error) {
      for (const waiting of group) waiting.reject(error);
    }
  }

  #writePending(): void {
    if (this.#pending.length > 0) writeSync(this.#fd, `${this.#pending.splice(0).join('\n')}\n`);
  }
}

/** Reads a ledger back. */
export function readLedger(path: string): LedgerContent {
  const lines = readFileSync(path, 'utf8').split('\n');
  // Whole lines end in a newline: what follows the last one is torn, and was never sent.
  lines.pop();
  const sent: LedgerContent['sent'][number][] = [];
  const answers: LedgerContent['answers'][number][] = [];
  lines.forEach((text, line) => {
    const record = JSON.parse(text) as SentEntry & { answered?: number; code?: string };
    if (record.answered !== undefined) answers.push({ n: record.answered, code: record.code ?? '', line });
    else sent.push({ ...record, line });
  });
  return { sent, answers };
}

export { checkDelivery } from './delivery.ts';
