/**
 * Events on their way to the control plane: one lane for each class, dense sequences, removed by the
 * cumulative ack. What a job of the normalizer made for a lane is one row; the newest rows stay in
 * memory as the bytes that will be sent, the others are opened when their turn comes.
 *
 *   put ─► row of the open round ─► settled: durable, hot ─► parcel ─► acked: row removed, counted
 *
 * A lane's sequence is assigned in the round that writes the row, and an event is handed out only
 * after that round is flushed. An ack may end inside a row: the row stays, and what it completed up to
 * there is counted once. On the wire sequences begin anew with each epoch; here they go on, and `before`
 * is what earlier epochs had.
 */
import { type Class, classes, perClass } from '../../proto/config/event-words.ts';
import { Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { batchElement, batchElementEnd } from '../../proto/wire.ts';
import { nowUs } from '../process/clock.ts';
import type { Table } from '../process/lmdb.ts';
import { Damaged, messagesOf } from '../process/seal.ts';
import type { Round } from './committer.ts';
import { Fifo } from './fifo.ts';
import { outboxTable, place, sequenceMax } from './layout.ts';
import { type MadeLane, rowsOf } from './made-lane.ts';
import type { OutboxCounters, OutboxHooks } from './outbox-hooks.ts';
import { fill, type OpenRow, type Parcel } from './parcel.ts';
import type { JournalPart } from './part.ts';
import {
  emptyOutboxRow,
  type OutboxEntry,
  type OutboxRowKey,
  outboxRowKey,
  readOutboxHead,
  readOutboxRowKey,
  sequenceKey,
  withoutHead,
} from './rows.ts';
import { storedBytes } from './space.ts';
import type { State } from './state.ts';

const hotBytesMax = 8 * 1024 * 1024;

export interface LaneState {
  lane: Class;
  /** First sequence still held, last assigned; last = first - 1 when empty. */
  first: number;
  last: number;
}

interface Lane {
  name: Class;
  table: Table;
  last: number;
  /** Last sequence whose round is flushed. */
  durable: number;
  acked: number;
  /** Sequences that belong to earlier epochs. */
  before: number;
  /** The row that the last ack ended in, if it ended inside of one. */
  partly: { key: Buffer; entries: readonly OutboxEntry[] } | undefined;
  hot: Fifo<OpenRow>;
  hotBytes: number;
  /** The last row that was read back: it often goes out in several parcels. */
  opened: OpenRow | undefined;
  /** Rows that were written anew, by their first sequence, until that is flushed: readers still see the damaged ones. */
  mended: Map<number, { key: Buffer; row: OpenRow }>;
}

export class Outbox {
  readonly #part: JournalPart;
  readonly #state: State;
  readonly #counters: OutboxCounters;
  readonly #hooks: OutboxHooks;
  readonly #lanes: Record<Class, Lane>;
  readonly found: { events: number };

  constructor(part: JournalPart, state: State, counters: OutboxCounters, hooks: OutboxHooks) {
    this.#part = part;
    this.#state = state;
    this.#counters = counters;
    this.#hooks = hooks;
    this.found = { events: 0 };
    this.#lanes = perClass((name) => this.#recover(name));
  }

  #recover(name: Class): Lane {
    const table = this.#part.environment.table(outboxTable(name));
    let acked = this.#state.number(`acked.${name}`);
    let last = Math.max(acked, this.#state.number(`assigned.${name}`));
    if (this.#state.isDamaged(`acked.${name}`)) {
      // What is held was not acked; of its first row some may have been, and the control plane knows those.
      const [first] = table.getKeys({ limit: 1 });
      acked = first === undefined ? last : readOutboxRowKey(Buffer.from(first as Buffer)).first - 1;
      this.#state.set(`acked.${name}`, acked);
    }
    let partly: Lane['partly'];
    for (const found of table.getKeys({})) {
      const key = Buffer.from(found as Buffer);
      const row = readOutboxRowKey(key);
      // Where keys could not be mended [key-order.ts].
      if (row.first <= sequenceMax) last = Math.max(last, row.first + row.count - 1);
      this.#counters.bytes(storedBytes(key.length, row.bytes));
      for (const [source, completed] of row.completed) this.#counters.pending(source, completed);
      if (row.first <= acked) {
        const entries = this.#entries(table, key, row);
        partly = { key, entries };
        const before = entries.slice(0, acked - row.first + 1).filter(({ completes }) => completes);
        for (const { source } of before) this.#counters.pending(source, -1);
        this.found.events -= acked - row.first + 1;
      }
      this.found.events += row.count;
    }
    if (this.#state.isDamaged(`assigned.${name}`)) this.#state.set(`assigned.${name}`, last);
    const before = this.#state.number(`before.${name}`);
    return {
      name,
      table,
      last,
      durable: last,
      acked,
      before,
      partly,
      hot: new Fifo(),
      hotBytes: 0,
      opened: undefined,
      mended: new Map(),
    };
  }

  /** Assigns the sequences and puts what was made into the round: one row, if it is not very much. */
  put(round: Round, made: MadeLane): void {
    for (const row of rowsOf(made)) this.#putRow(round, row);
  }

  #putRow(round: Round, made: MadeLane): void {
    const lane = this.#lanes[made.lane];
    const { entries, plain } = made;
    const queuedAtUs = nowUs();
    const first = lane.last + 1;
    const row = this.#sealed(lane, first, entries, plain, queuedAtUs);
    const key = outboxRowKey(first, entries, row.length);
    lane.last += entries.length;
    round.put(lane.table, key, row);
    this.#state.set(`assigned.${made.lane}`, lane.last);
    this.#counters.bytes(storedBytes(key.length, row.length));
    round.whenSettled(() => {
      lane.durable = first + entries.length - 1;
      if (lane.hotBytes === 0 || lane.hotBytes + plain.length <= hotBytesMax) {
        lane.hot.push({ first, entries, queuedAtUs, plain });
        lane.hotBytes += plain.length;
      }
      this.#hooks.onEvents();
    });
  }

  #sealed(
    lane: Lane,
    first: number,
    entries: readonly OutboxEntry[],
    plain: Uint8Array,
    queuedAtUs: number,
  ): Buffer {
    const lengths: number[] = [];
    for (let at = 0; at < plain.length; ) {
      const end = batchElementEnd(plain, at);
      lengths.push(end - at);
      at = end;
    }
    const { row, body } = emptyOutboxRow(entries, lengths, queuedAtUs);
    this.#part.sealer.sealMany(row, body, this.#place(lane, first), lengths, [plain]);
    return row;
  }

  #place({ name }: Lane, first: number): string {
    return place(outboxTable(name), this.#part.origin, first);
  }

  lanes(): LaneState[] {
    return classes.map((name) => {
      const lane = this.#lanes[name];
      return { lane: name, first: lane.acked + 1 - lane.before, last: lane.durable - lane.before };
    });
  }

  /** A new epoch begins: what is not acked is numbered from 1. */
  restart(): void {
    for (const name of classes) {
      const lane = this.#lanes[name];
      lane.before = lane.acked;
      this.#state.set(`before.${name}`, lane.before);
    }
  }

  /** Events of a lane from `first` on, at least one where there is one; never beyond what is flushed. */
  parcel(name: Class, wireFirst: number, countMax: number, bytesMax: number): Parcel | undefined {
    const lane = this.#lanes[name];
    const first = wireFirst + lane.before;
    if (first > lane.durable) return undefined;
    const parcel = this.#parcel(lane, first, countMax, bytesMax);
    return parcel.count === 0 ? undefined : { ...parcel, first: wireFirst };
  }

  #parcel(lane: Lane, first: number, countMax: number, bytesMax: number): Parcel {
    this.#dropHot(lane, first - 1);
    const parcel: Parcel = { first, count: 0, bytes: 0, chunks: [], queuedAtUs: [], capturedAtUs: [] };
    for (let at = 0; ; at += 1) {
      const row = lane.hot.peek(at);
      const next = first + parcel.count;
      if (row === undefined || row.first > next) break;
      if (!fill(parcel, row, countMax, bytesMax)) return parcel;
    }
    // What is not in memory stands before what is.
    if (lane.hot.length > 0 && parcel.count > 0) return parcel;
    for (;;) {
      const next = first + parcel.count;
      const row = next > lane.durable ? undefined : this.#readBack(lane, next);
      if (row === undefined || !fill(parcel, row, countMax, bytesMax)) break;
    }
    return parcel;
  }

  /** The row that holds the sequence, from the disk: the last that begins at or before it. */
  #readBack(lane: Lane, sequence: number): OpenRow | undefined {
    const { opened } = lane;
    if (opened !== undefined && sequence >= opened.first && sequence < opened.first + opened.entries.length)
      return opened;
    const [found] = lane.table.getRange({ start: sequenceKey(sequence + 1), reverse: true, limit: 1 });
    if (found === undefined) return undefined;
    const key = Buffer.from(found.key);
    const { first, count } = readOutboxRowKey(key);
    if (sequence >= first + count) return undefined;
    lane.opened = lane.mended.get(first)?.row ?? this.#open(lane, key, found.value);
    return lane.opened;
  }

  /** Opens a row; what is damaged costs itself alone: an empty envelope keeps its place in the lane. */
  #open(lane: Lane, key: Buffer, value: Buffer): OpenRow {
    const row = readOutboxRowKey(key);
    const head = readOutboxHead(value);
    if (head === undefined) {
      const entries = withoutHead(row);
      const why = new Damaged('checksum', 'the head of its row does not match its checksum');
      return this.#mend(
        lane,
        key,
        nowUs(),
        entries,
        entries.map(() => why),
      );
    }
    const { entries, lengths, queuedAtUs, body } = head;
    const where = this.#place(lane, row.first);
    const opened = this.#part.opener.openMany(value, body, where, lengths);
    const isAstray = !outboxRowKey(row.first, entries, value.length).equals(key);
    if (isAstray) this.#hooks.onDamagedKey(outboxTable(lane.name));
    if (isAstray || opened.damaged.size > 0)
      return this.#mend(lane, key, queuedAtUs, entries, messagesOf(opened, lengths));
    return { first: row.first, entries, queuedAtUs, plain: opened.plain };
  }

  #blank({ recordSequence, index, source }: OutboxEntry): Uint8Array {
    return Envelope.encode(
      Envelope.fromPartial({
        recordEpoch: this.#part.epoch(),
        recordSequence: BigInt(recordSequence),
        index,
        source: this.#hooks.sourceName(source),
        kind: 'damaged',
      }),
    ).finish();
  }

  /**
   * Writes the row anew, under the key that its entries make, with blanks in the place of what is damaged, whose records go
   * to quarantine.
   * @param found of each entry its element of a Batch, or why that cannot be read.
   */
  #mend(
    lane: Lane,
    key: Buffer,
    queuedAtUs: number,
    entries: readonly OutboxEntry[],
    found: readonly (Uint8Array | Damaged)[],
  ): OpenRow {
    const round = this.#part.committer.round();
    const { first, bytes, completed } = readOutboxRowKey(key);
    for (const [source, records] of completed) this.#counters.pending(source, -records);
    for (const { source, completes } of entries) this.#counters.pending(source, completes ? 1 : 0);
    const parts: Uint8Array[] = [];
    const kept = entries.map((entry, at) => {
      const element = found[at] as Uint8Array | Damaged;
      if (!(element instanceof Damaged)) {
        parts.push(element);
        return entry;
      }
      if (first + at > lane.acked) this.#hooks.onDamaged(round, entry, element.message);
      parts.push(batchElement(this.#blank(entry)));
      return { ...entry, completes: false };
    });
    const plain = Buffer.concat(parts);
    const value = this.#sealed(lane, first, kept, plain, queuedAtUs);
    const mended = outboxRowKey(first, kept, value.length);
    round.remove(lane.table, key);
    round.put(lane.table, mended, value);
    this.#counters.bytes(storedBytes(mended.length, value.length) - storedBytes(key.length, bytes));
    if (lane.partly?.key.equals(key)) lane.partly = { key: mended, entries: kept };
    const row = { first, entries: kept, queuedAtUs, plain };
    lane.mended.set(first, { key: mended, row });
    round.whenSettled(() => lane.mended.delete(first));
    return row;
  }

  #dropHot(lane: Lane, through: number): void {
    const { opened } = lane;
    if (opened !== undefined && opened.first + opened.entries.length - 1 <= through) lane.opened = undefined;
    for (
      let row = lane.hot.peek();
      row !== undefined && row.first + row.entries.length - 1 <= through;
      row = lane.hot.peek()
    ) {
      lane.hot.shift();
      lane.hotBytes -= row.plain.length;
    }
  }

  /** The control plane has flushed everything of the lane up to `sequence`. Returns false for a sequence never assigned. */
  acked(name: Class, wireSequence: number): boolean {
    const lane = this.#lanes[name];
    const sequence = wireSequence + lane.before;
    if (sequence > lane.durable) return false;
    if (sequence <= lane.acked) return true;
    this.#part.environment.root.resetReadTxn();
    const round = this.#part.committer.round('later');
    const partly = lane.partly;
    if (partly !== undefined) this.#ackRow(round, lane, partly.key, sequence);
    const start = sequenceKey(lane.acked + 1);
    for (const found of lane.table.getKeys({ start, end: sequenceKey(sequence + 1) })) {
      const key = Buffer.from(found as Buffer);
      this.#ackRow(round, lane, lane.mended.get(readOutboxRowKey(key).first)?.key ?? key, sequence);
    }
    lane.acked = sequence;
    this.#state.set(`acked.${name}`, sequence);
    this.#dropHot(lane, sequence);
    return true;
  }

  #ackRow(round: Round, lane: Lane, key: Buffer, sequence: number): void {
    const row = readOutboxRowKey(key);
    const last = row.first + row.count - 1;
    const whole = lane.acked < row.first && last <= sequence;
    if (whole) {
      for (const [source, completed] of row.completed) this.#delivered(source, row.capturedS, completed);
    } else {
      const entries = lane.partly?.key.equals(key)
        ? lane.partly.entries
        : (lane.mended.get(row.first)?.row.entries ?? this.#entries(lane.table, key, row));
      entries.forEach(({ source, completes, capturedAtUs }, at) => {
        const one = row.first + at;
        if (completes && one > lane.acked && one <= sequence)
          this.#delivered(source, Math.floor(capturedAtUs / 1e6), 1);
      });
      lane.partly = last <= sequence ? undefined : { key, entries };
    }
    if (last <= sequence) {
      round.remove(lane.table, key);
      this.#counters.bytes(-storedBytes(key.length, row.bytes));
    }
    lane.acked = Math.min(last, sequence);
  }

  #delivered(source: number, capturedS: number, by: number): void {
    if (by === 0) return;
    this.#counters.delivered(source, capturedS, by);
    this.#counters.pending(source, -by);
  }

  #entries(table: Table, key: Buffer, row: OutboxRowKey): readonly OutboxEntry[] {
    const value = table.get(key);
    return (value === undefined ? undefined : readOutboxHead(value)?.entries) ?? withoutHead(row);
  }

  /** Seconds since 1970 at which the oldest message was captured. */
  oldestS(): number | undefined {
    const oldest = classes.flatMap((name) => {
      const [key] = this.#lanes[name].table.getKeys({ limit: 1 });
      return key === undefined ? [] : [readOutboxRowKey(key as Buffer).capturedS];
    });
    return oldest.length === 0 ? undefined : Math.min(...oldest);
  }
}
