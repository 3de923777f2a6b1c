/**
 * The memory as one job of the worker sees it: keys are made from texts, rows are opened when a rule asks
 * for them, and what was changed is sealed. What a record changes counts only if all of its rules went well.
 */
import type { Need, Recall, RowKind } from './normalize/memory/memory.ts';
import type { Blind } from './process/keys.ts';
import { Damaged, type Opener, type Sealer } from './process/seal.ts';

export interface MemoryTools {
  blind: Blind;
  sealer: Sealer;
  opener: Opener;
  /** The place that a row with this key is sealed for. */
  place(key: Uint8Array): Uint8Array;
}

interface Slot {
  kind: RowKind<unknown>;
  key: Buffer;
  /** As it came; empty where there is none. */
  sealed: Uint8Array;
  /** Undefined before it was opened, null where there is none. */
  row: unknown;
  changed: boolean;
}

const headBytes = 4;

export class JobMemory implements Recall {
  readonly #tools: MemoryTools;
  readonly #slots = new Map<string, Slot>();
  /** Of the record in hand. */
  readonly #changes = new Map<Slot, unknown>();
  /** Named, and not asked for yet. */
  #unasked: Slot[] = [];
  #asked: Slot[] = [];
  /** Rows that could not be read. */
  damaged = 0;

  constructor(tools: MemoryTools) {
    this.#tools = tools;
  }

  need(needs: readonly Need[]): void {
    for (const { kind, text } of needs) {
      const name = nameOf(kind, text);
      if (this.#slots.has(name)) continue;
      const key = Buffer.concat([Buffer.of(kind.number), this.#tools.blind(name)]);
      const slot: Slot = { kind, key, sealed: nothing, row: undefined, changed: false };
      this.#slots.set(name, slot);
      this.#unasked.push(slot);
    }
  }

  /** Of what was named since the last time, one after the other; empty where nothing is needed. */
  keys(): Buffer {
    this.#asked = this.#unasked;
    this.#unasked = [];
    return Buffer.concat(this.#asked.map(({ key }) => key));
  }

  /** Values in the order of `keys`. */
  have(values: readonly Uint8Array[]): void {
    for (const [at, slot] of this.#asked.entries()) slot.sealed = values[at] ?? nothing;
  }

  has(kind: RowKind<unknown>, text: string): boolean {
    return this.#slots.has(nameOf(kind, text));
  }

  get<Row>(kind: RowKind<Row>, text: string): Row | undefined {
    const slot = this.#slot(kind, text);
    const changed = this.#changes.get(slot);
    if (changed !== undefined) return changed as Row;
    if (slot.row === undefined) slot.row = this.#open(slot) ?? null;
    return (slot.row ?? undefined) as Row | undefined;
  }

  set<Row>(kind: RowKind<Row>, text: string, row: Row): void {
    this.#changes.set(this.#slot(kind, text), row);
  }

  /** Runs the rules of one record; where they throw, its changes are forgotten. */
  record(apply: () => void): void {
    this.#changes.clear();
    apply();
    for (const [slot, row] of this.#changes) {
      slot.row = row;
      slot.changed = true;
    }
  }

  /** What the job leaves: keep until s(4) and the sealed row. */
  remembered(nowS: number): { key: Buffer; value: Buffer }[] {
    const left: { key: Buffer; value: Buffer }[] = [];
    for (const { kind, key, row, changed } of this.#slots.values()) {
      if (!changed) continue;
      const head = Buffer.alloc(headBytes);
      head.writeUInt32BE(Math.floor(nowS + kind.keepS));
      const sealed = this.#tools.sealer.seal(this.#tools.place(key), kind.encode(row));
      left.push({ key, value: Buffer.concat([head, sealed]) });
    }
    return left;
  }

  #slot(kind: RowKind<unknown>, text: string): Slot {
    const slot = this.#slots.get(nameOf(kind, text));
    if (slot === undefined)
      throw new Error(`a rule of the memory reads a row of kind ${kind.number} that it did not name`);
    return slot;
  }

  #open({ kind, key, sealed }: Slot): unknown {
    if (sealed.length <= headBytes) return undefined;
    try {
      return kind.decode(this.#tools.opener.open(this.#tools.place(key), sealed.subarray(headBytes)));
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      this.damaged += 1;
      return undefined;
    }
  }
}

const nothing = new Uint8Array(0);

function nameOf(kind: RowKind<unknown>, text: string): string {
  return `${kind.number}|${text}`;
}
