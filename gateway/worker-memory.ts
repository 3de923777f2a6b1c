/**
 * The memory as the normalizer sees it. It alone knows where the newest value of a key stands, because it alone
 * makes the rows: most of what a job asks for is answered here, and the main thread is asked for a chunk of a row
 * only where that was neither made nor read lately.
 *
 *   need ─► slots of the job ─► decoded rows ─► index: never seen ─► absent
 *                                                 └─► chunks in memory ─► decoded
 *                                                        └─► wanted: the job waits for the main thread
 *
 * Both caches have two generations: what is used moves to the young one, and when that is full the old one is
 * forgotten. What a job changed is encoded once, at its end, as the next row of the log [journal/memory.ts].
 * What a record changes counts only if all of its rules went well.
 */
import { type Location, locationOf, MemoryIndex, readLocation } from './journal/memory-index.ts';
import {
  ChunkWriter,
  chunksOf,
  entriesOf,
  entryIn,
  headOf,
  memoryRow,
  readHead,
  readIndexRow,
} from './journal/memory-row.ts';
import type { Need, Recall, RowKind } from './normalize/memory/memory.ts';
import type { KeyedHash } from './process/keyed-hash.ts';

export interface MemoryTools {
  keyed: KeyedHash;
  /** The number of the next row. */
  nextRow: number;
  /** Numbers of the kinds that last. */
  lasting: ReadonlySet<number>;
}

interface Slot {
  kind: RowKind<unknown>;
  /** Of its text, four words; undefined while it was not worked out. */
  hash: Hash | undefined;
  /** Undefined before it was found out, null where there is none. */
  row: unknown;
  /** Of a row: until when it is kept. */
  untilS: number;
  changed: boolean;
}

type Hash = readonly [number, number, number, number];

/** Of decoded rows, as their encoded length many times over; and of chunks. Each twice, for two generations. */
const rowBytesMax = 12 * 1024 * 1024;
const chunkBytesMax = 8 * 1024 * 1024;
const decodedFactor = 8;
const slotBytes = 300;
const kindsMax = 256;

/** Not sealed. */
export interface FinishedRow {
  row: number;
  bytes: Buffer;
}

export class WorkerMemory {
  readonly tools: MemoryTools;
  readonly #index = new MemoryIndex();
  readonly #writer = new ChunkWriter();
  readonly #rows: Generations<string, Slot>[] = [];
  readonly #chunks = new Generations<number, Buffer>(chunkBytesMax);
  /** What could not be decoded, and counts as absent. */
  damaged = 0;

  constructor(tools: MemoryTools) {
    this.tools = tools;
  }

  get entries(): number {
    return this.#index.size;
  }

  /** Bytes that the index takes. */
  get indexBytes(): number {
    return this.#index.bytes;
  }

  /** Heads of rows that were written before, as a row of the index; in any order. */
  load(heads: Buffer): void {
    for (const { row, head } of readIndexRow(heads) ?? []) {
      readHead(head, (high, low, chunk) => {
        const location = locationOf(row, chunk);
        if (location > this.#index.find(high, low)) this.#index.set(high, low, location);
      });
    }
  }

  /** The slot of what was read or written lately, and lasts. */
  known(kind: RowKind<unknown>, text: string, nowS: number): Slot | undefined {
    const slot = this.#rows[kind.number]?.get(text);
    return slot === undefined || slot.untilS <= nowS ? undefined : slot;
  }

  keep(text: string, slot: Slot, bytes: number): void {
    const { number } = slot.kind;
    if (number >= kindsMax) throw new Error(`kind ${number} of the memory does not fit into a byte`);
    this.#rows[number] ??= new Generations(rowBytesMax);
    this.#rows[number].set(text, slot, slotBytes + text.length + bytes * decodedFactor);
  }

  /** Fills the slot, or gives the location that is to be asked for. */
  resolve(text: string, slot: Slot, nowS: number): number {
    const hash = this.#hash(text, slot);
    const location = this.#index.find(hash[0], hash[1]);
    if (location === 0) {
      slot.row = null;
      if (slot.kind.lasts) {
        // It is asked for again with each message, and would be hashed each time.
        slot.untilS = Number.MAX_SAFE_INTEGER;
        this.keep(text, slot, 0);
      }
      return 0;
    }
    const chunk = this.#chunks.get(location);
    if (chunk === undefined) return location;
    this.#decode(text, slot, { chunk, location }, hash, nowS);
    return 0;
  }

  /** A chunk that was asked for; undefined or empty where it cannot be read. */
  have(location: number, chunk: Uint8Array | undefined): void {
    const { buffer, byteOffset, length } = chunk ?? nothing;
    this.#chunks.set(location, Buffer.from(buffer as ArrayBuffer, byteOffset, length), length + slotBytes);
  }

  #decode(
    text: string,
    slot: Slot,
    { chunk, location }: { chunk: Buffer; location: number },
    hash: Hash,
    nowS: number,
  ): void {
    slot.row = null;
    // A chunk that could not be read is empty; it was told once, and is not asked for again.
    if (chunk.length === 0) this.#index.remove(hash[0], hash[1], location);
    const entry = entryIn(chunk, hash);
    if (entry === undefined || entry.untilS <= nowS || entry.kind !== slot.kind.number) return;
    try {
      slot.row = slot.kind.decode(entry.value) ?? null;
    } catch {
      // Authenticated, so whole: written by a build that encoded it otherwise.
      this.damaged += 1;
      this.#index.remove(hash[0], hash[1], location);
      return;
    }
    slot.untilS = entry.untilS;
    if (slot.kind.lasts) this.keep(text, slot, entry.value.length);
  }

  #hash(text: string, slot: Slot): Hash {
    if (slot.hash === undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = this.tools.keyed.hash(`${slot.kind.number}|${text}`);
      slot.hash = [a, b, c, d];
    }
    return slot.hash;
  }

  /** What these slots hold by now as the next row; undefined where there are none. */
  write(changed: readonly [text: string, slot: Slot][], nowS: number): FinishedRow | undefined {
    if (changed.length === 0) return undefined;
    const row = this.tools.nextRow;
    for (const [text, slot] of changed) {
      const { kind } = slot;
      slot.changed = false;
      const value = kind.encode(slot.row);
      const hash = this.#hash(text, slot);
      const untilS = Math.floor(nowS + kind.keepS);
      slot.untilS = untilS;
      const chunk = this.#writer.add({ hash, kind: kind.number, untilS, value });
      this.#index.set(hash[0], hash[1], locationOf(row, chunk));
      if (kind.lasts) this.keep(text, slot, value.length);
    }
    return this.#finish(row, nowS);
  }

  /** Of an old row: what still counts and lasts, as the next row; the rest is forgotten. */
  carry(row: number, bytes: Buffer, drop: boolean, nowS: number): FinishedRow | undefined {
    const next = this.tools.nextRow;
    let some = false;
    /** Hashes by chunk. */
    const live = new Map<number, number[]>();
    const head = headOf(bytes);
    if (head !== undefined)
      readHead(head, (high, low, chunk) => {
        const location = locationOf(row, chunk);
        if (this.#index.find(high, low) !== location) return;
        if (drop) this.#index.remove(high, low, location);
        else {
          const hashes = live.get(chunk);
          if (hashes === undefined) live.set(chunk, [high, low]);
          else hashes.push(high, low);
        }
      });
    const chunks = live.size === 0 ? [] : chunksOf(bytes);
    for (const [chunk, hashes] of live) {
      const location = locationOf(row, chunk);
      const plain = this.#chunks.get(location) ?? chunks[chunk] ?? nothing;
      // What cannot be read is not carried on, and nothing points at it any more.
      for (let at = 0; plain.length === 0 && at < hashes.length; at += 2)
        this.#index.remove(hashes[at] as number, hashes[at + 1] as number, location);
      for (const entry of entriesOf(plain)) {
        const [high, low] = entry.hash as unknown as [number, number];
        if (this.#index.find(high, low) !== location) continue;
        if (!this.tools.lasting.has(entry.kind) || entry.untilS <= nowS) {
          this.#index.remove(high, low, location);
          continue;
        }
        this.#index.set(high, low, locationOf(next, this.#writer.add(entry)));
        some = true;
      }
    }
    return some ? this.#finish(next, nowS) : undefined;
  }

  #finish(row: number, nowS: number): FinishedRow {
    this.tools.nextRow = row + 1;
    const chunks = this.#writer.take().map(({ plain, hashes }, chunk) => {
      this.#chunks.set(locationOf(row, chunk), plain, plain.length + slotBytes);
      return { bytes: plain, hashes };
    });
    return { row, bytes: memoryRow(chunks, Math.floor(nowS)) };
  }
}

/** The memory for one job. */
export class JobMemory implements Recall {
  readonly #memory: WorkerMemory;
  readonly #nowS: number;
  /** By kind and text. */
  readonly #slots: (Map<string, Slot> | undefined)[] = [];
  readonly #changed: [string, Slot][] = [];
  /** Of the record in hand. */
  readonly #changes = new Map<Slot, { text: string; row: unknown }>();
  readonly #wanted = new Map<number, [string, Slot][]>();

  constructor(memory: WorkerMemory, nowS: number) {
    this.#memory = memory;
    this.#nowS = nowS;
  }

  /** True where any of them was not named before. */
  need(needs: readonly Need[]): boolean {
    let fresh = false;
    for (const { kind, text } of needs) {
      let slots = this.#slots[kind.number];
      if (slots === undefined) {
        slots = new Map();
        this.#slots[kind.number] = slots;
      }
      if (slots.has(text)) continue;
      fresh = true;
      let slot = this.#memory.known(kind, text, this.#nowS);
      if (slot === undefined) {
        slot = { kind, hash: undefined, row: undefined, untilS: 0, changed: false };
        this.#resolve(text, slot);
      }
      slots.set(text, slot);
    }
    return fresh;
  }

  get isWaiting(): boolean {
    return this.#wanted.size > 0;
  }

  /** Locations that are to be asked for. */
  wanted(): Location[] {
    return [...this.#wanted.keys()].map(readLocation);
  }

  /** The chunks at `wanted`, in that order. */
  have(chunks: readonly (Uint8Array | undefined)[]): void {
    const wanted = [...this.#wanted];
    this.#wanted.clear();
    for (const [at, [location, slots]] of wanted.entries()) {
      this.#memory.have(location, chunks[at]);
      for (const [text, slot] of slots) this.#resolve(text, slot);
    }
  }

  #resolve(text: string, slot: Slot): void {
    const location = this.#memory.resolve(text, slot, this.#nowS);
    if (location === 0) return;
    const waiting = this.#wanted.get(location);
    if (waiting === undefined) this.#wanted.set(location, [[text, slot]]);
    else waiting.push([text, slot]);
  }

  has(kind: RowKind<unknown>, text: string): boolean {
    return this.#slots[kind.number]?.has(text) === true;
  }

  get<Row>(kind: RowKind<Row>, text: string): Row | undefined {
    this.#slot(kind, text);
    return this.find(kind, text);
  }

  find<Row>(kind: RowKind<Row>, text: string): Row | undefined {
    const slot = this.#slots[kind.number]?.get(text);
    if (slot === undefined) return undefined;
    const changed = this.#changes.size === 0 ? undefined : this.#changes.get(slot);
    return ((changed === undefined ? slot.row : changed.row) ?? undefined) as Row | undefined;
  }

  set<Row>(kind: RowKind<Row>, text: string, row: Row): void {
    this.#changes.set(this.#slot(kind, text), { text, row });
  }

  /** Runs the rules of one record; where they throw, its changes are forgotten. */
  record(apply: () => void): void {
    try {
      apply();
      for (const [slot, { text, row }] of this.#changes) {
        slot.row = row;
        if (!slot.changed) this.#changed.push([text, slot]);
        slot.changed = true;
      }
    } finally {
      this.#changes.clear();
    }
  }

  /** What the job leaves; undefined where it changed nothing. */
  finish(): FinishedRow | undefined {
    return this.#memory.write(this.#changed, this.#nowS);
  }

  #slot(kind: RowKind<unknown>, text: string): Slot {
    const slot = this.#slots[kind.number]?.get(text);
    if (slot === undefined)
      throw new Error(`a rule of the memory reads a row of kind ${kind.number} that it did not name`);
    return slot;
  }
}

/** A cache of bounded size: when the young generation is full, it becomes the old one. */
class Generations<Key, Value> {
  readonly #bytesMax: number;
  #young = new Map<Key, { value: Value; bytes: number }>();
  #old = new Map<Key, { value: Value; bytes: number }>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get(key: Key): Value | undefined {
    const found = this.#young.get(key);
    if (found !== undefined) return found.value;
    const old = this.#old.size === 0 ? undefined : this.#old.get(key);
    if (old !== undefined) this.set(key, old.value, old.bytes);
    return old?.value;
  }

  set(key: Key, value: Value, bytes: number): void {
    const known = this.#young.get(key);
    this.#bytes += bytes - (known?.bytes ?? 0);
    if (known === undefined) this.#young.set(key, { value, bytes });
    else {
      known.value = value;
      known.bytes = bytes;
    }
    if (this.#bytes <= this.#bytesMax) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#bytes = 0;
  }
}

const nothing = Buffer.alloc(0);
