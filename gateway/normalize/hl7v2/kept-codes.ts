/**
 * Codes repeat: a laboratory has some hundred tests and a dozen units, and sends each of them all
 * day. A coded field whose bytes were read before gives the same code, encoded already.
 * Kept for each set of code tables and source, because both decide what a code becomes.
 *
 * A hash table of its own, because it is asked with a stretch of the message: a Map would want
 * that stretch as a string first, and would hash and compare it outside of compiled code.
 */
import type { KeptCode } from '../../../proto/back-writer.ts';
import type { Code } from '../../../proto/gen/hilum/v1/event.ts';
import { keptCode } from '../kept-code.ts';
import type { CodeTables, NormalizeContext } from '../outcome.ts';

interface Kept {
  /** The field as sent: ASCII, the usual delimiters, no escape sequence. */
  readonly sent: Uint8Array;
  readonly hash: number;
  readonly code: KeptCode;
  /** Code tables that fired, for provenance. */
  readonly rules: readonly string[];
}

/** Longer fields are mostly text, which does not repeat. */
export const keptBytesMax = 128;
const slotsMin = 64;
const slotsMax = 8192;
/** Neighbouring slots that one code may lie in: a look-up has a bound, whatever is sent. */
const probesMax = 16;
const sourcesMax = 256;

const bySource = new WeakMap<CodeTables, Map<string, KeptCodes>>();

export function keptCodes({ codes, source }: NormalizeContext): KeptCodes {
  let sources = bySource.get(codes);
  if (sources === undefined) {
    sources = new Map();
    bySource.set(codes, sources);
  }
  let kept = sources.get(source);
  if (kept === undefined) {
    if (sources.size >= sourcesMax) sources.clear();
    kept = new KeptCodes();
    sources.set(source, kept);
  }
  return kept;
}

export class KeptCodes {
  private slots = new Array<Kept | undefined>(slotsMin).fill(undefined);

  find(bytes: Uint8Array, start: number, end: number): Kept | undefined {
    const { slots } = this;
    const hash = hashOf(bytes, start, end);
    for (let probe = 0; probe < probesMax; probe++) {
      const kept = slots[(hash + probe) & (slots.length - 1)];
      if (kept === undefined) return undefined;
      if (kept.hash === hash && same(kept.sent, bytes, start, end)) return kept;
    }
    return undefined;
  }

  /** Keeps what `find` did not find. */
  keep(bytes: Uint8Array, start: number, end: number, code: Code, rules: readonly string[]): KeptCode {
    // A string cut out of the message would keep all of the message in memory.
    const codings = code.codings.map((one) =>
      one.mapped
        ? one
        : {
            ...one,
            code: copied(one.code),
            display: copied(one.display),
            version: copied(one.version),
            name: copied(one.name),
          },
    );
    const kept: Kept = {
      sent: Uint8Array.from(bytes.subarray(start, end)),
      hash: hashOf(bytes, start, end),
      code: keptCode({ text: copied(code.text), codings }),
      rules,
    };
    while (!this.place(kept)) this.makeRoom();
    return kept.code;
  }

  private place(kept: Kept): boolean {
    for (let probe = 0; probe < probesMax; probe++) {
      const slot = (kept.hash + probe) & (this.slots.length - 1);
      if (this.slots[slot] !== undefined) continue;
      this.slots[slot] = kept;
      return true;
    }
    return false;
  }

  /** Twice the slots; at the bound all is forgotten, and what is still in use comes back. */
  private makeRoom(): void {
    const old = this.slots;
    this.slots = new Array<Kept | undefined>(Math.min(old.length * 2, slotsMax)).fill(undefined);
    if (old.length >= slotsMax) return;
    for (const kept of old) if (kept !== undefined) this.place(kept);
  }
}

/** FNV-1a, its high bits folded in, as a small integer. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & 0x3fffffff;
}

function same(kept: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (kept.length !== end - start) return false;
  for (let i = start; i < end; i++) if (kept[i - start] !== bytes[i]) return false;
  return true;
}

function copied(ascii: string): string {
  return Buffer.from(ascii, 'latin1').toString('latin1');
}
