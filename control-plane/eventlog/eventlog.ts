/**
 * The event log: every event once, in the order of arrival, as its gateway encoded it.
 *
 *   events        first index(8)                        EventBlock: the batch as it came
 *   positions     gateway epoch lane first sequence     first index(8) events(4)
 *   cursors       gateway epoch lane                    last sequence(8)
 *   seen          gateway epoch chunk                   bitmap of complete records; see seen.ts
 *   control-ids   first index(8)                        8 bytes for each event, blinded
 *   counts        gateway source epoch                  StoredCounts; see counts.ts
 *
 * Deduplication is by position and nothing else: a lane is dense, so what is not above the
 * cursor was applied before. The same position with another record is refused, also where the first is
 * queued and not flushed. One block is one atomic write with its cursor, so the cursor is never ahead of
 * what is flushed, and an ack is given only for what a resolved write holds. A journal that was enrolled
 * anew goes on where it was under its earlier name.
 */
import { type Blind, createBlind } from '../../gateway/process/keys.ts';
import { type Batch, Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { EventBlock, type StoredCounts } from '../../proto/gen/hilum/v1/store.ts';
import { isSameEvent } from '../../proto/same-event.ts';
import { type Gone, stillAsked } from '../store/gone.ts';
import { DamagedRow, orDamaged, type Row, type Store, walk } from '../store/store.ts';
import { occurrences, type StoredEvent, unpack, without } from './block.ts';
import type { Book, Numbered } from './book.ts';
import { type ChangedCounts, Counts, rowsOf } from './counts.ts';
import { Cursors, cursorRow } from './cursors.ts';
import { blindedBytes, indexBehind, unreadable } from './damaged.ts';
import { type EventPosition, indexKey, parseEventId, positionKey } from './keys.ts';
import { type ChangedChunks, completesRecord, Seen, rowsOf as seenRows } from './seen.ts';
import { Needs, Turn } from './turn.ts';
import { type Unfit, unfit } from './unfit.ts';

export type { StoredEvent } from './block.ts';

export type Appended =
  | { outcome: 'applied'; through: bigint; applied: number; duplicates: number }
  | { outcome: 'gap'; expected: bigint }
  | { outcome: 'conflict'; sequence: bigint }
  | Unfit;

/** What a batch changes of what is kept in memory: taken over once its rows are made, so that one that fails changes nothing. */
interface Changes {
  chunks: ChangedChunks;
  counts: ChangedCounts;
}

export class EventLog {
  readonly #store: Store;
  readonly #blind: Blind;
  readonly #nowUs: () => bigint;
  readonly #books: readonly Book[];
  readonly #cursors: Cursors;
  readonly #counts = new Counts();
  readonly #seen: Seen;
  readonly #followers = new Set<() => void>();
  #nextIndex = 1n;
  #flushedIndex = 0n;
  /** Blocks are queued one after the other; flushes overlap. */
  readonly #turn = new Turn();

  /** @param earlierNames of a gateway: those under which its journal delivered before it was enrolled anew */
  constructor(
    store: Store,
    blindKey: Uint8Array,
    nowUs: () => bigint,
    books: readonly Book[] = [],
    earlierNames: (gateway: string) => readonly string[] = () => [],
  ) {
    this.#store = store;
    this.#seen = new Seen(store);
    this.#books = books;
    this.#cursors = new Cursors(store, earlierNames);
    this.#blind = createBlind(blindKey);
    this.#nowUs = nowUs;
  }

  async open(): Promise<void> {
    const newest = await orDamaged(this.#store.range('events', { limit: 1, reverse: true }));
    if (newest instanceof DamagedRow) this.#nextIndex = await indexBehind(this.#store, newest);
    else if (newest[0] !== undefined) {
      const block = EventBlock.decode(newest[0].value);
      this.#nextIndex = block.firstIndex + BigInt(block.batch?.envelopes.length ?? 0);
    }
    this.#flushedIndex = this.#nextIndex - 1n;
    await this.#counts.open(this.#store);
  }

  /**
   * The last sequence that is flushed for a lane of this journal, under whatever name it was delivered; 0 before the first.
   * Told once every batch that came before the question is flushed, so that none of them is behind the answer.
   */
  async cursor(gateway: string, epoch: bigint, lane: string): Promise<bigint> {
    await this.#turn.passed(this.#cursors.names(gateway));
    await this.#cursors.settled(gateway, { epoch, lane });
    return this.#cursors.flushed(gateway, { epoch, lane });
  }

  /**
   * A lane whose earlier events this log will never get (a new epoch here, an old one there): start after `sequence`.
   * @param write takes its cursor to the disk, with what is said of them
   */
  async startAfter(
    gateway: string,
    epoch: bigint,
    lane: string,
    sequence: bigint,
    write: (cursor: Row) => Promise<void>,
  ): Promise<void> {
    await write(cursorRow(gateway, { epoch, lane }, sequence));
    this.#cursors.set(gateway, { epoch, lane }, sequence);
  }

  /**
   * Resolves when everything up to `through` is on stable storage. Batches of one lane must be given in order.
   * @param replayed events in place of some that are here: their records came once and are counted once
   */
  async append(gateway: string, site: string, batch: Batch, replayed = false): Promise<Appended> {
    const queue = () => this.#queue(gateway, site, batch, replayed);
    const { appended, written } = await this.#turn.take(gateway, queue);
    await written;
    return appended;
  }

  async #queue(
    gateway: string,
    site: string,
    batch: Batch,
    replayed: boolean,
  ): Promise<{ appended: Appended; written?: Promise<void> } | Needs> {
    const cursor = await this.#cursors.of(gateway, batch);
    const through = batch.firstSequence + BigInt(batch.envelopes.length) - 1n;
    if (batch.firstSequence > cursor.queued + 1n) {
      return { appended: { outcome: 'gap', expected: cursor.queued + 1n } };
    }
    const duplicates = Number(min(cursor.queued, through) - batch.firstSequence + 1n);
    if (duplicates > 0) {
      const conflict = await this.#conflict(gateway, batch, duplicates);
      // Its gateway takes what stands before it for delivered: also an earlier batch of its own that is still being flushed.
      if (conflict !== undefined)
        return { appended: { outcome: 'conflict', sequence: conflict }, written: cursor.written };
    }
    const fresh = duplicates <= 0 ? batch : without(batch, duplicates);
    const repeated: ChangedCounts = new Map();
    this.#counts.add(repeated, { gateway, epoch: batch.epoch, source: '' }, { duplicates });
    if (fresh.envelopes.length === 0) {
      this.#counts.take(repeated);
      // Applied before, and maybe still being flushed by an earlier call: the answer waits for that.
      return {
        appended: { outcome: 'applied', through: min(cursor.queued, through), applied: 0, duplicates },
        written: cursor.written,
      };
    }
    const firstIndex = this.#nextIndex;
    const block: EventBlock = { gateway, site, batch: fresh, firstIndex, storedAtUs: this.#nowUs() };
    const changes: Changes = { chunks: new Map(), counts: repeated };
    const rows = await this.#rows(block, replayed, changes);
    if (rows instanceof Needs) return rows;
    if (!Array.isArray(rows)) return { appended: rows };
    this.#take(changes);
    cursor.queued = through;
    this.#nextIndex += BigInt(fresh.envelopes.length);
    cursor.flushing.add(fresh);
    const written = this.#store.write([...rows, cursorRow(gateway, batch, through)]).then(() => {
      cursor.flushing.delete(fresh);
      for (const book of this.#books) book.settled?.(rows);
      this.#flushedIndex = firstIndex + BigInt(fresh.envelopes.length) - 1n;
      for (const follower of this.#followers) follower();
    });
    cursor.written = written;
    const applied = fresh.envelopes.length;
    return {
      appended: { outcome: 'applied', through, applied, duplicates: Math.max(0, duplicates) },
      written,
    };
  }

  async #rows(
    block: EventBlock,
    replayed: boolean,
    { chunks, counts }: Changes,
  ): Promise<Row[] | Unfit | Needs> {
    const { gateway, firstIndex } = block;
    const batch = block.batch as Batch;
    const count = Buffer.alloc(12);
    count.writeBigUInt64BE(firstIndex);
    count.writeUInt32BE(batch.envelopes.length, 8);
    const controlIds = Buffer.alloc(batch.envelopes.length * blindedBytes);
    const noted = this.#books.map((book) => ({
      book,
      events: [] as Numbered[],
    }));
    for (const [at, bytes] of batch.envelopes.entries()) {
      const envelope = Envelope.decode(bytes);
      const objection = unfit(envelope);
      if (objection !== undefined) return objection;
      for (const { book, events } of noted)
        if (book.concerns(envelope)) events.push({ envelope, index: firstIndex + BigInt(at) });
      if (envelope.messageControlId !== '') {
        this.#blind(envelope.messageControlId).copy(controlIds, at * blindedBytes, 0, blindedBytes);
      }
      const complete = !replayed && completesRecord(envelope);
      const again =
        complete && (await this.#seen.mark(gateway, batch.epoch, envelope.recordSequence, chunks));
      if (again instanceof Needs) return again;
      this.#counts.add(
        counts,
        { gateway, epoch: batch.epoch, source: envelope.source },
        { events: 1, records: complete && !again ? 1 : 0, doubled: again ? 1 : 0 },
      );
    }
    const rows: Row[] = [
      { table: 'events', key: indexKey(firstIndex), value: EventBlock.encode(block).finish() },
      {
        table: 'positions',
        key: positionKey(gateway, batch.epoch, batch.lane, batch.firstSequence),
        value: count,
      },
      { table: 'control-ids', key: indexKey(firstIndex), value: controlIds },
    ];
    rows.push(...seenRows(chunks), ...rowsOf(counts));
    for (const { book, events } of noted)
      if (events.length > 0) rows.push(...(await book.rowsOf(gateway, events)));
    return rows;
  }

  #take({ chunks, counts }: Changes): void {
    this.#seen.take(chunks);
    this.#counts.take(counts);
  }

  /** The first of the repeated positions that held another record, if any. */
  async #conflict(gateway: string, batch: Batch, duplicates: number): Promise<bigint | undefined> {
    const { epoch, lane } = batch;
    const flushing = this.#cursors.flushing(gateway, batch);
    for (let at = 0; at < duplicates; at += 1) {
      const sequence = batch.firstSequence + BigInt(at);
      const queued = flushing.get(sequence);
      const stored =
        queued === undefined
          ? await orDamaged(this.given({ gateway, epoch, lane, sequence }))
          : { envelope: Envelope.decode(queued) };
      // What cannot be read says nothing of what was in it.
      if (stored === undefined || stored instanceof DamagedRow) continue;
      const came = Envelope.decode(batch.envelopes[at] as Uint8Array);
      // A place that is held for an event which was damaged on its gateway's disk says nothing of what was in it.
      if (came.recordSha256.length > 0 && !isSameEvent(came, stored.envelope)) return sequence;
    }
    return undefined;
  }

  /** One for each gateway and source. */
  counts(): StoredCounts[] {
    return this.#counts.sums();
  }

  /** Records of a source that are stored under each epoch, whichever of these names delivered them; 0: under any. */
  storedUnder(gateways: ReadonlySet<string>, source: string): Map<bigint, bigint> {
    return this.#counts.storedUnder(gateways, source);
  }

  /** The event at a position, if it is here. */
  async at(position: EventPosition): Promise<StoredEvent | undefined> {
    const { gateway, epoch, lane, sequence } = position;
    const [found] = await this.#store.range('positions', {
      start: positionKey(gateway, epoch, lane, 0n),
      end: positionKey(gateway, epoch, lane, sequence + 1n),
      limit: 1,
      reverse: true,
    });
    if (found === undefined) return undefined;
    const firstIndex = found.value.readBigUInt64BE(0);
    const [event] = (await this.#block(firstIndex)).filter((one) => one.sequence === sequence);
    return event;
  }

  /** What this journal delivered at a position, under whatever name. */
  async given(position: EventPosition): Promise<StoredEvent | undefined> {
    for (const gateway of this.#cursors.names(position.gateway)) {
      const event = await this.at({ ...position, gateway });
      if (event !== undefined) return event;
    }
    return undefined;
  }

  async byId(id: string): Promise<StoredEvent | undefined> {
    const position = parseEventId(id);
    return position === undefined ? undefined : this.at(position);
  }

  /**
   * Events whose message control ID is this, oldest first, and how many more there are. A scan of 8 bytes an event, in
   * which others have their turns.
   * @param gone whoever asked does not wait any more: rejects with `cancelled`
   */
  async byControlId(
    controlId: string,
    limit: number,
    gone: Gone = () => false,
  ): Promise<{ events: StoredEvent[]; leftOut: number }> {
    const wanted = this.#blind(controlId).subarray(0, blindedBytes);
    const events: StoredEvent[] = [];
    let leftOut = 0;
    for await (const row of walk(this.#store, 'control-ids', 500)) {
      stillAsked(gone);
      // Of a row that does not open the events themselves are looked at.
      const here = row instanceof DamagedRow ? undefined : occurrences(row.value, wanted);
      if (here === 0) continue;
      if (here !== undefined && events.length >= limit) {
        leftOut += here;
        continue;
      }
      const block = await this.#block(row.key.readBigUInt64BE(0));
      const fitting = block.filter(({ envelope }) => envelope.messageControlId === controlId);
      const taken = fitting.slice(0, limit - events.length);
      events.push(...taken);
      leftOut += fitting.length - taken.length;
    }
    return { events, leftOut };
  }

  /**
   * Events after an index, in order; never what is not flushed. At most one block more than `limit`. A block that is
   * damaged ends what is read before it; where it comes first, the error says which events it held.
   */
  async read(afterIndex: bigint, limit: number): Promise<StoredEvent[]> {
    const found: StoredEvent[] = [];
    const start = await this.#blockOf(afterIndex + 1n);
    const range = { start, limit: Math.max(2, Math.ceil(limit / 50)) };
    const page = await orDamaged(this.#store.range('events', range));
    const rows =
      page instanceof DamagedRow ? await this.#store.range('events', { ...range, end: page.key }) : page;
    for (const { value } of rows) {
      for (const event of unpack(EventBlock.decode(value))) if (event.index > afterIndex) found.push(event);
      if (found.length >= limit) break;
    }
    if (page instanceof DamagedRow && found.length === 0) throw await unreadable(this.#store, page);
    return found;
  }

  /** The index of the newest event. */
  last(): bigint {
    return this.#flushedIndex;
  }

  /** Called after each append; returns how to stop being called. */
  follow(follower: () => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** The key of the block that holds an index: by the small rows beside the blocks, which tell it without opening one. */
  async #blockOf(index: bigint): Promise<Buffer> {
    const range = { end: indexKey(index + 1n), limit: 1, reverse: true };
    const row = await orDamaged(this.#store.range('control-ids', range));
    return (row instanceof DamagedRow ? row.key : row[0]?.key) ?? indexKey(0n);
  }

  async eventAt(index: bigint): Promise<StoredEvent | undefined> {
    const key = await this.#blockOf(index);
    return (await this.#block(key.readBigUInt64BE(0))).find((one) => one.index === index);
  }

  async #block(firstIndex: bigint): Promise<StoredEvent[]> {
    const row = await this.#store.get('events', indexKey(firstIndex));
    return row === undefined ? [] : unpack(EventBlock.decode(row));
  }
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
