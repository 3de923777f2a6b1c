/**
 * The journal: durable order. It takes what capture hands over, gives it to the
 * normalizer, keeps the events until the control plane has them, and counts.
 *
 * Invariants
 * - `append` settles after the flush of the round that holds the record, in order of the calls.
 * - A record's sequence is dense in the order of capture; an event's sequence is dense in its
 *   lane and is assigned in the round that writes it.
 * - A record leaves `records` in the round that writes its events, its quarantine entry and its
 *   local deliveries; it is never in two states.
 * - An event is handed to the uplink only after its own round is flushed.
 * Survives: kill -9 and power loss at any point lose nothing that was settled.
 */
import { createHash, hash, randomBytes } from 'node:crypto';
import { JournalRecord, QuarantinedRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { Envelope, QuarantineEntry } from '../../proto/gen/hilum/v1/session.ts';
import { type Class, type Intake, IntakeRefused, type Receipt, type RecordDraft } from '../capture/intake.ts';
import { nowUs } from '../process/clock.ts';
import { exitCode, HilumError } from '../process/errors.ts';
import { type Blind, createBlind } from '../process/keys.ts';
import { type Environment, openEnvironment, type Table } from '../process/lmdb.ts';
import {
  createOpener,
  createSealer,
  Damaged,
  type Opener,
  type Sealer,
  type Segment,
} from '../process/seal.ts';
import { type Committer, createCommitter, type Round } from './committer.ts';
import { type Custody, createCustody } from './custody.ts';
import { Fifo } from './fifo.ts';
import {
  classes,
  format,
  numberKey,
  outboxFlag,
  outboxHeaderBytes,
  outboxKey,
  outboxTable,
  outboxValue,
  place,
  readOutboxHeader,
  readOutboxKey,
  readRecordKey,
  readUInt64,
  recordKey,
  recordsTable,
  shortKey,
  tables,
} from './layout.ts';
import { LocalQueues, type MadeDelivery } from './local-queues.ts';
import { settled } from './part.ts';
import { createRepeatIndex, type RepeatIndex } from './repeats.ts';
import { Reports } from './reports.ts';
import { createSpace, type Room, type Space, storedBytes } from './space.ts';

const hotRecordBytesMax = 16 * 1024 * 1024;
const hotEventBytesMax = 16 * 1024 * 1024;
const ackScanMax = 2_000;

export interface JournalOptions {
  /** The gateway's name, for what it reports; empty before enrollment. */
  gateway?: string;
  directory: string;
  key: Buffer;
  budgetBytes: number;
  reserveBytes?: number | undefined;
  repeatEntriesMax: number;
  repeatAgeMs: number;
}

export interface JournalHooks {
  /** Nothing is answered any more; the process must exit with 75. */
  onFault(code: string, cause: unknown): void;
  onAlarm(code: string, fields: Record<string, number | string>): void;
  /** New records can be taken, or new events sent. */
  onRecords(): void;
  onEvents(): void;
  onDeliveries(): void;
  /** A repeat was answered without a second effect. */
  onRepeat(sequence: number): void;
}

/** A record on its way to the normalizer: plain where it is still in memory, sealed where it was read back. */
export interface TakenRecord {
  sequence: number;
  guess: Class;
  source: number;
  capturedS: number;
  size: number;
  bytes: Uint8Array;
  sealed: boolean;
  journaledAtUs: number;
}

export interface MadeEvent {
  /** Encoded Envelope, as it will be sent. */
  plain: Uint8Array;
  /** The same, sealed for place('outbox', epoch, record sequence, index). */
  sealed: Uint8Array;
}

/** What the normalizer made of one record. */
export interface MadeRecord {
  lane: Class;
  capturedAtUs: number;
  events: MadeEvent[];
  deliveries: MadeDelivery[];
  reject?: { sealed: Uint8Array; entry: QuarantineEntry };
}

export interface StoredEvent {
  sequence: number;
  plain: Uint8Array;
  queuedAtUs: number;
  capturedAtUs: number;
}

export interface LaneState {
  lane: Class;
  /** First sequence still held, last assigned; last = first - 1 when empty. */
  first: number;
  last: number;
}

interface LaneMemory {
  lane: Class;
  table: Table;
  last: number;
  /** Last sequence whose round is flushed. */
  durable: number;
  acked: number;
  hot: Fifo<StoredEvent>;
  hotBytes: number;
}

interface GuessMemory {
  guess: Class;
  table: Table;
  hot: Fifo<TakenRecord>;
  hotBytes: number;
  /** Rows on disk that are not in `hot` wait behind `takenThrough`. */
  spilled: boolean;
  takenThrough: number;
  durable: number;
}

export class Journal implements Intake {
  readonly epoch: bigint;
  readonly segment: Segment;
  /** Messages on their way to destinations at the site. */
  readonly local: LocalQueues;
  /** What the control plane has to be told beside the events. */
  readonly reports: Reports;
  readonly room: () => Room;
  /** Milliseconds that the recovery scan took, and what it found. */
  readonly recovered: { ms: number; records: number; events: number };

  readonly #environment: Environment;
  readonly #committer: Committer;
  readonly #space: Space;
  readonly #custody: Custody;
  readonly #repeats: RepeatIndex;
  readonly #sealer: Sealer;
  readonly #opener: Opener;
  readonly #blind: Blind;
  readonly #hooks: JournalHooks;
  readonly #options: JournalOptions;
  readonly #lanes: Record<Class, LaneMemory>;
  readonly #guesses: Record<Class, GuessMemory>;
  readonly #sources = new Map<string, number>();
  readonly #sourceNames = new Map<number, string>();
  #sequence: number;
  #repeatRow: number;
  #repeatOldest: number;
  #liveBytes = 0;
  #unmappedBytes = 0;
  #state: 'open' | 'draining' | 'faulted' = 'open';
  #refusals = 0;
  readonly #damaged = new Set<string>();
  #lastAppendMs = 0;

  /** Opens or creates; async because the key segment of this life must be on disk before it is used. */
  static async open(options: JournalOptions, hooks: JournalHooks): Promise<Journal> {
    const environment = openEnvironment({ directory: options.directory });
    const meta = environment.table(tables.meta);
    const found = meta.get(Buffer.from('format'))?.toString();
    if (found !== undefined && found !== format) {
      throw new HilumError('journal-format', `The journal has format ${found}; this build reads ${format}.`, {
        hint: 'Run the build that wrote it, drain it, then upgrade.',
        exit: exitCode.badConfig,
      });
    }
    const segments = environment.table(tables.segments);
    const [newest] = segments.getKeys({ reverse: true, limit: 1 });
    const segment: Segment = {
      number: newest === undefined ? 1 : (newest as Buffer).readUInt32BE(0) + 1,
      salt: randomBytes(16),
    };
    const segmentKey = Buffer.alloc(4);
    segmentKey.writeUInt32BE(segment.number);
    await environment.write(() => {
      void segments.put(segmentKey, Buffer.from(segment.salt));
      if (found === undefined) {
        void meta.put(Buffer.from('format'), Buffer.from(format));
        void meta.put(Buffer.from('epoch'), randomBytes(8));
      }
    });
    return new Journal(environment, segment, options, hooks);
  }

  private constructor(
    environment: Environment,
    segment: Segment,
    options: JournalOptions,
    hooks: JournalHooks,
  ) {
    const startedAtMs = performance.now();
    this.#environment = environment;
    this.#options = options;
    this.#hooks = hooks;
    this.segment = segment;
    const meta = environment.table(tables.meta);
    this.epoch = (meta.get(Buffer.from('epoch')) as Buffer).readBigUInt64BE(0);
    this.#blind = createBlind(createHash('sha256').update('hilum blind v1').update(options.key).digest());
    this.#sealer = createSealer(options.key, segment, 0);
    this.#opener = createOpener(options.key, (number) => this.segmentSalt(number));
    this.#custody = createCustody(environment.table(tables.custody));
    for (const { key, value } of environment.table(tables.sources).getRange({})) {
      this.#rememberSource(value.toString(), key.readUInt16BE(0));
    }
    let records = 0;
    let events = 0;
    this.#sequence = Number(meta.get(Buffer.from('sequence'))?.toString() ?? 0);
    this.#guesses = perClass((guess) => {
      const table = environment.table(recordsTable(guess));
      let durable = 0;
      for (const key of table.getKeys({})) {
        const { sequence, source, size } = readRecordKey(key as Buffer);
        durable = sequence;
        records += 1;
        this.#custody.pending(source, 1);
        this.#unmappedBytes += size;
        this.#liveBytes += storedBytes((key as Buffer).length, size);
      }
      this.#sequence = Math.max(this.#sequence, durable);
      return { guess, table, hot: new Fifo(), hotBytes: 0, spilled: durable > 0, takenThrough: 0, durable };
    });
    this.#lanes = perClass((lane) => {
      const table = environment.table(outboxTable(lane));
      const acked = Number(meta.get(Buffer.from(`acked.${lane}`))?.toString() ?? 0);
      let last = Math.max(acked, Number(meta.get(Buffer.from(`assigned.${lane}`))?.toString() ?? 0));
      for (const key of table.getKeys({})) {
        const { sequence, source, flags, size } = readOutboxKey(key as Buffer);
        last = sequence;
        events += 1;
        if ((flags & outboxFlag.completes) !== 0) this.#custody.pending(source, 1);
        this.#liveBytes += storedBytes((key as Buffer).length, size);
      }
      return { lane, table, last, durable: last, acked, hot: new Fifo(), hotBytes: 0 };
    });
    for (const { key, value } of environment.table(tables.quarantine).getRange({})) {
      this.#liveBytes += storedBytes(key.length, value.length);
      this.#sequence = Math.max(this.#sequence, readUInt64(key, 0));
    }
    this.#repeats = createRepeatIndex();
    const repeats = environment.table(tables.repeats);
    this.#repeatRow = 0;
    this.#repeatOldest = 0;
    for (const { key, value } of repeats.getRange({})) {
      this.#repeats.load(value);
      this.#repeatRow = readUInt64(key, 0);
      if (this.#repeatOldest === 0) this.#repeatOldest = this.#repeatRow;
    }
    this.#space = createSpace({
      file: environment.file,
      budgetBytes: options.budgetBytes,
      reserveBytes: options.reserveBytes,
      liveBytes: () => this.#liveBytes,
      unmappedBytes: () => this.#unmappedBytes,
    });
    this.room = () => this.#space.room();
    this.#committer = createCommitter(environment, {
      onFault: (code, cause) => {
        this.#state = 'faulted';
        hooks.onFault(code, cause);
      },
      onStall: (ms) => hooks.onAlarm('commit-slow', { ms: Math.round(ms) }),
      beforeCommit: (round) => this.#beforeCommit(round),
    });
    const part = {
      environment,
      committer: this.#committer,
      sealer: this.#sealer,
      opener: this.#opener,
      epoch: this.epoch,
    };
    this.local = new LocalQueues(part, () => hooks.onDeliveries());
    this.reports = new Reports(part, () => hooks.onEvents());
    this.recovered = { ms: performance.now() - startedAtMs, records, events };
  }

  // ---- capture ----

  append(draft: RecordDraft): Promise<Receipt> {
    if (this.#state !== 'open') {
      return Promise.reject(
        new IntakeRefused(this.#state === 'draining' ? 'draining' : 'fault', 'not taking records'),
      );
    }
    this.#lastAppendMs = performance.now();
    const sha256 = hash('sha256', draft.raw as Buffer, 'buffer');
    const record = JournalRecord.create({
      source: draft.source,
      protocol: draft.protocol,
      raw: draft.raw,
      sha256,
      capturedAtUs: draft.capturedAtUs,
      classGuess: draft.classGuess,
      messageControlId: draft.messageControlId,
      topic: draft.topic ?? '',
      client: draft.client ?? '',
      qos: draft.qos ?? 0,
      will: draft.will ?? false,
    });
    const capturedS = Math.floor(Number(draft.capturedAtUs) / 1e6);
    const repeated = draft.repeat === undefined ? undefined : this.#lookUp(draft.repeat, record, capturedS);
    if (repeated !== undefined) return this.#answerRepeat(repeated, draft.source, capturedS);
    const room = this.#space.state(draft.raw.length * 3 + 1024);
    if (room !== 'open') {
      this.#refusals += 1;
      return Promise.reject(new IntakeRefused(room, `the journal takes nothing: ${room}`));
    }
    this.#sequence += 1;
    const sequence = this.#sequence;
    if (draft.repeat !== undefined) {
      this.#repeats.add(this.#repeatKeyOf(draft.repeat, record), sha256, sequence, capturedS);
    }
    return this.#journal(record, sequence, draft.classGuess, capturedS);
  }

  /** Forgets a repeat key; resolves when that is durable. */
  release(key: string): Promise<void> {
    this.#repeats.release(this.#blind(key));
    return settled(this.#committer.round());
  }

  #journal(record: JournalRecord, sequence: number, guess: Class, capturedS: number): Promise<Receipt> {
    const source = this.#sourceNumber(record.source);
    const memory = this.#guesses[guess];
    const plain = JournalRecord.encode(record).finish();
    const value = this.#sealer.seal(place('records', this.epoch, sequence), plain);
    const key = recordKey(sequence, source, capturedS, value.length);
    const round = this.#committer.round();
    round.put(memory.table, key, value);
    this.#liveBytes += storedBytes(key.length, value.length);
    this.#unmappedBytes += value.length;
    this.#custody.count('accepted', source, capturedS);
    this.#custody.pending(source, 1);
    const taken: TakenRecord = {
      sequence,
      guess,
      source,
      capturedS,
      size: value.length,
      bytes: plain,
      sealed: false,
      journaledAtUs: 0,
    };
    return new Promise((resolve, reject) => {
      round.whenSettled(
        () => {
          taken.journaledAtUs = nowUs();
          this.#offer(memory, taken);
          resolve({ outcome: 'journaled', sequence: BigInt(sequence) });
          this.#hooks.onRecords();
        },
        (cause) => reject(new IntakeRefused('fault', `the commit failed: ${String(cause)}`)),
      );
    });
  }

  /** Keeps a flushed record in memory for the normalizer while there is room; else it is read back. */
  #offer(memory: GuessMemory, taken: TakenRecord): void {
    memory.durable = taken.sequence;
    if (taken.sequence <= memory.takenThrough) return;
    if (!memory.spilled && memory.hotBytes + taken.bytes.length > hotRecordBytesMax) memory.spilled = true;
    if (memory.spilled) return;
    memory.hot.push(taken);
    memory.hotBytes += taken.bytes.length;
  }

  #repeatKeyOf(repeat: NonNullable<RecordDraft['repeat']>, record: JournalRecord): Buffer {
    // The first bytes under a message control ID keep the plain key; other bytes get one of their own.
    return record.conflict
      ? this.#blind(`${repeat.key}|${Buffer.from(record.sha256).toString('base64')}`)
      : this.#blind(repeat.key);
  }

  /** The sequence of the record that this one repeats; marks the record as resend or conflict otherwise. */
  #lookUp(
    repeat: NonNullable<RecordDraft['repeat']>,
    record: JournalRecord,
    capturedS: number,
  ): number | undefined {
    if (!repeat.consult) return undefined;
    let seen = this.#repeats.find(this.#blind(repeat.key), record.sha256);
    if (seen === undefined) return undefined;
    if (repeat.window === 'released') return seen.sequence;
    if (!seen.sameBytes) {
      if (repeat.otherBytes === 'replace') return undefined;
      record.conflict = true;
      record.conflictWith = BigInt(seen.sequence);
      seen = this.#repeats.find(this.#repeatKeyOf(repeat, record), record.sha256);
      if (seen === undefined || !seen.sameBytes) return undefined;
    }
    if ((capturedS - seen.atS) * 1000 <= repeat.window.ms) return seen.sequence;
    record.resend = true;
    record.resendOf = BigInt(seen.sequence);
    return undefined;
  }

  #answerRepeat(sequence: number, sourceName: string, capturedS: number): Promise<Receipt> {
    this.#custody.count('duplicates', this.#sourceNumber(sourceName), capturedS);
    this.#hooks.onRepeat(sequence);
    // The first copy may still be in flight: its round settles before this one.
    return settled(this.#committer.round()).then(() => ({
      outcome: 'repeat',
      sequence: BigInt(sequence),
    }));
  }

  // ---- normalization ----

  /** Up to `countMax` records of one class guess, in order, each handed out once per life. */
  take(guess: Class, countMax: number, bytesMax: number): TakenRecord[] {
    const memory = this.#guesses[guess];
    const taken: TakenRecord[] = [];
    let bytes = 0;
    while (taken.length < countMax && bytes < bytesMax) {
      const hot = memory.hot.shift();
      if (hot === undefined) break;
      memory.hotBytes -= hot.bytes.length;
      taken.push(hot);
      bytes += hot.bytes.length;
      memory.takenThrough = hot.sequence;
    }
    if (taken.length > 0 || !memory.spilled) return taken;
    const start = recordKey(memory.takenThrough + 1, 0, 0, 0);
    for (const { key, value } of memory.table.getRange({ start, limit: countMax })) {
      const { sequence, source, capturedS, size } = readRecordKey(key);
      if (sequence > memory.durable) break;
      taken.push({ sequence, guess, source, capturedS, size, bytes: value, sealed: true, journaledAtUs: 0 });
      memory.takenThrough = sequence;
      bytes += value.length;
      if (bytes >= bytesMax) break;
    }
    if (memory.takenThrough >= memory.durable) memory.spilled = false;
    return taken;
  }

  /** Is there a record of this guess that was not taken yet? */
  waiting(guess: Class): boolean {
    const memory = this.#guesses[guess];
    return memory.hot.length > 0 || (memory.spilled && memory.takenThrough < memory.durable);
  }

  /** How hard senders press: when one was last served, and how many flushed records wait in memory. */
  pressure(): { lastAppendMs: number; waitingRecords: number } {
    let waitingRecords = 0;
    for (const guess of classes) {
      const memory = this.#guesses[guess];
      waitingRecords += memory.spilled ? Number.POSITIVE_INFINITY : memory.hot.length;
    }
    return { lastAppendMs: this.#lastAppendMs, waitingRecords };
  }

  /** The sequence that `take` would hand out next, or undefined. */
  nextSequence(guess: Class): number | undefined {
    const memory = this.#guesses[guess];
    const hot = memory.hot.peek();
    if (hot !== undefined) return hot.sequence;
    if (!memory.spilled || memory.takenThrough >= memory.durable) return undefined;
    const [key] = memory.table.getKeys({ start: recordKey(memory.takenThrough + 1, 0, 0, 0), limit: 1 });
    return key === undefined ? undefined : readRecordKey(key as Buffer).sequence;
  }

  /** Moves a record on: its events to their lane, or the record to quarantine, its deliveries to their queues. */
  finish(taken: TakenRecord, made: MadeRecord): void {
    const round = this.#committer.round(made.lane === 'stat' || made.lane === 'urgent' ? 'now' : 'patient');
    const memory = this.#guesses[taken.guess];
    const key = recordKey(taken.sequence, taken.source, taken.capturedS, taken.size);
    round.remove(memory.table, key);
    this.#liveBytes -= storedBytes(key.length, taken.size);
    this.#unmappedBytes -= taken.size;
    const lane = this.#lanes[made.lane];
    const queuedAtUs = nowUs();
    made.events.forEach((event, position) => {
      const index = position + 1;
      lane.last += 1;
      const completes = made.reject === undefined && index === made.events.length;
      const value = outboxValue(
        { recordSequence: taken.sequence, index, queuedAtUs, capturedAtUs: made.capturedAtUs },
        event.sealed,
      );
      const flags = completes ? outboxFlag.completes : 0;
      const eventKey = outboxKey(lane.last, taken.source, flags, taken.capturedS, value.length);
      round.put(lane.table, eventKey, value);
      this.#liveBytes += storedBytes(eventKey.length, value.length);
      const stored: StoredEvent = {
        sequence: lane.last,
        plain: event.plain,
        queuedAtUs,
        capturedAtUs: made.capturedAtUs,
      };
      round.whenSettled(() => {
        lane.durable = stored.sequence;
        if (lane.hotBytes + stored.plain.length <= hotEventBytesMax) {
          lane.hot.push(stored);
          lane.hotBytes += stored.plain.length;
        }
        this.#hooks.onEvents();
      });
    });
    if (made.reject !== undefined) this.#quarantine(round, taken, made.reject);
    this.local.add(round, taken.sequence, made.deliveries);
  }

  #quarantine(round: Round, taken: TakenRecord, reject: NonNullable<MadeRecord['reject']>): void {
    this.#custody.count('quarantined', taken.source, taken.capturedS);
    this.#custody.pending(taken.source, -1);
    const key = quarantineKey(taken.sequence, taken.source);
    round.put(this.#environment.table(tables.quarantine), key, reject.sealed);
    this.#liveBytes += storedBytes(key.length, reject.sealed.length);
    const entry = { ...reject.entry, state: 'open' };
    this.reports.quarantined(round, entry);
    if (entry.urgent) this.#hooks.onAlarm('urgent-quarantined', { source: entry.source, code: entry.code });
    round.whenSettled(() => this.#hooks.onEvents());
  }

  // ---- uplink ----

  lanes(): LaneState[] {
    return classes.map((name) => {
      const lane = this.#lanes[name];
      return { lane: name, first: lane.acked + 1, last: lane.durable };
    });
  }

  /** Events of a lane from `first` on, in order, as they are to be sent. Never beyond what is flushed. */
  events(laneName: Class, first: number, countMax: number, bytesMax: number): StoredEvent[] {
    const lane = this.#lanes[laneName];
    if (first > lane.durable) return [];
    this.#dropHot(lane, first - 1);
    const found: StoredEvent[] = [];
    let bytes = 0;
    if (lane.hot.peek()?.sequence === first) {
      for (;;) {
        const event = lane.hot.peek(found.length);
        if (event === undefined || event.sequence !== first + found.length) break;
        if (found.length >= countMax || (found.length > 0 && bytes + event.plain.length > bytesMax)) break;
        found.push(event);
        bytes += event.plain.length;
      }
      return found;
    }
    for (const { key, value } of lane.table.getRange({
      start: outboxKey(first, 0, 0, 0, 0),
      limit: countMax,
    })) {
      const { sequence } = readOutboxKey(key);
      if (found.length > 0 && bytes + value.length > bytesMax) break;
      const header = readOutboxHeader(value);
      const plain = this.#readEvent(lane, key, value);
      found.push({ sequence, plain, queuedAtUs: header.queuedAtUs, capturedAtUs: header.capturedAtUs });
      bytes += plain.length;
    }
    return found;
  }

  /** A row that is damaged costs itself alone: an empty envelope keeps its place in the lane, the record goes to quarantine. */
  #readEvent(lane: LaneMemory, key: Buffer, value: Buffer): Uint8Array {
    const header = readOutboxHeader(value);
    const where = place('outbox', this.epoch, header.recordSequence, header.index);
    try {
      return this.#opener.open(where, value.subarray(outboxHeaderBytes));
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      const row = readOutboxKey(key);
      const source = this.sourceName(row.source);
      const blank = Envelope.encode(
        Envelope.fromPartial({
          recordEpoch: this.epoch,
          recordSequence: BigInt(header.recordSequence),
          index: header.index,
          source,
          kind: 'damaged',
        }),
      ).finish();
      const known = `${lane.lane}.${row.sequence}`;
      if (!this.#damaged.has(known)) {
        this.#damaged.add(known);
        const round = this.#committer.round();
        const replaced = outboxValue(header, this.#sealer.seal(where, blank));
        round.remove(lane.table, key);
        round.put(
          lane.table,
          outboxKey(row.sequence, row.source, 0, row.capturedS, replaced.length),
          replaced,
        );
        if ((row.flags & outboxFlag.completes) !== 0) {
          this.#custody.count('quarantined', row.source, row.capturedS);
          this.#custody.pending(row.source, -1);
        }
        this.#quarantineDamaged(round, header.recordSequence, row.source, error.message);
      }
      return blank;
    }
  }

  /** What is left of a damaged event: that it was, and why it cannot be read. */
  #quarantineDamaged(round: Round, recordSequence: number, source: number, why: string): void {
    const facts = { code: 'damaged', reason: `Damaged on disk: ${why}.`, atUs: BigInt(nowUs()) };
    const key = quarantineKey(recordSequence, source);
    const sealed = this.sealQuarantined(recordSequence, QuarantinedRecord.fromPartial(facts));
    round.put(this.#environment.table(tables.quarantine), key, sealed);
    this.reports.quarantined(
      round,
      QuarantineEntry.fromPartial({
        ...facts,
        id: `${this.#options.gateway ?? ''}.${this.epoch.toString(16)}.record.${recordSequence}`,
        gateway: this.#options.gateway ?? '',
        source: this.sourceName(source),
        recordEpoch: this.epoch,
        recordSequence: BigInt(recordSequence),
        state: 'open',
      }),
    );
    this.#hooks.onAlarm('event-damaged', { source: this.sourceName(source) });
  }

  #dropHot(lane: LaneMemory, through: number): void {
    for (
      let event = lane.hot.peek();
      event !== undefined && event.sequence <= through;
      event = lane.hot.peek()
    ) {
      lane.hot.shift();
      lane.hotBytes -= event.plain.length;
    }
  }

  /** The control plane has flushed everything of the lane up to `sequence`. Returns false for a sequence never assigned. */
  acked(laneName: Class, sequence: number): boolean {
    const lane = this.#lanes[laneName];
    if (sequence > lane.durable) return false;
    this.#environment.root.resetReadTxn();
    while (lane.acked < sequence) {
      const round = this.#committer.round('patient');
      const start = outboxKey(lane.acked + 1, 0, 0, 0, 0);
      const end = outboxKey(sequence + 1, 0, 0, 0, 0);
      let through = sequence;
      let scanned = 0;
      for (const found of lane.table.getKeys({ start, end, limit: ackScanMax })) {
        const key = found as Buffer;
        const row = readOutboxKey(key);
        round.remove(lane.table, key);
        this.#liveBytes -= storedBytes(key.length, row.size);
        if ((row.flags & outboxFlag.completes) !== 0) {
          this.#custody.count('delivered', row.source, row.capturedS);
          this.#custody.pending(row.source, -1);
        }
        scanned += 1;
        through = row.sequence;
      }
      lane.acked = scanned < ackScanMax ? sequence : through;
      round.put(
        this.#environment.table(tables.meta),
        Buffer.from(`acked.${laneName}`),
        Buffer.from(String(lane.acked)),
      );
    }
    this.#dropHot(lane, sequence);
    return true;
  }

  // ---- quarantine ----

  quarantined(sequence: number): QuarantinedRecord | undefined {
    const table = this.#environment.table(tables.quarantine);
    const [row] = table.getRange({
      start: quarantineKey(sequence, 0),
      end: quarantineKey(sequence + 1, 0),
      limit: 1,
    });
    if (row === undefined) return undefined;
    return QuarantinedRecord.decode(this.#opener.open(place('quarantine', this.epoch, sequence), row.value));
  }

  /** Puts a quarantined record back to be normalized again, as a new record; false when there is none. */
  async replay(sequence: number): Promise<boolean> {
    const table = this.#environment.table(tables.quarantine);
    const [row] = table.getRange({
      start: quarantineKey(sequence, 0),
      end: quarantineKey(sequence + 1, 0),
      limit: 1,
    });
    const entry = this.quarantined(sequence);
    const record = entry?.record;
    if (row === undefined || record === undefined) return false;
    const source = this.#sourceNumber(record.source);
    const capturedS = Math.floor(Number(record.capturedAtUs) / 1e6);
    this.#sequence += 1;
    const replayed: JournalRecord = { ...record, replays: record.replays + 1 };
    this.#committer.round().remove(table, row.key);
    this.#liveBytes -= storedBytes(row.key.length, row.value.length);
    const guess = (classes as readonly string[]).includes(record.classGuess)
      ? (record.classGuess as Class)
      : 'routine';
    const journaled = this.#journal(replayed, this.#sequence, guess, capturedS);
    // The record was accepted once: only its state changes.
    this.#custody.count('accepted', source, capturedS, -1);
    this.#custody.count('quarantined', source, capturedS, -1);
    this.#custody.count('replayed', source, capturedS);
    await journaled;
    return true;
  }

  // ---- counts and life ----

  custodyTotals(): {
    source: string;
    counts: ReturnType<Custody['totals']> extends Map<number, infer C> ? C : never;
  }[] {
    return [...this.#custody.totals()].map(([source, counts]) => ({
      source: this.sourceName(source),
      counts,
    }));
  }

  custodyHours(): { source: string; hour: number; counts: ReturnType<Custody['hours']>[number]['counts'] }[] {
    return this.#custody
      .hours()
      .map(({ source, hour, counts }) => ({ source: this.sourceName(source), hour, counts }));
  }

  stats(): { refusals: number; repeats: number; rounds: number; liveBytes: number; records: number } {
    return {
      refusals: this.#refusals,
      repeats: this.#repeats.size(),
      rounds: this.#committer.stats().rounds,
      liveBytes: this.#liveBytes,
      records: this.#sequence,
    };
  }

  /** Seconds since 1970 of the oldest record that is not delivered, or undefined. */
  oldestPendingS(): number | undefined {
    let oldest: number | undefined;
    for (const name of classes) {
      const [record] = this.#guesses[name].table.getKeys({ limit: 1 });
      const [event] = this.#lanes[name].table.getKeys({ limit: 1 });
      if (record !== undefined)
        oldest = Math.min(oldest ?? Number.POSITIVE_INFINITY, readRecordKey(record as Buffer).capturedS);
      if (event !== undefined)
        oldest = Math.min(oldest ?? Number.POSITIVE_INFINITY, readOutboxKey(event as Buffer).capturedS);
    }
    return oldest;
  }

  segmentSalt(number: number): Uint8Array | undefined {
    const key = Buffer.alloc(4);
    key.writeUInt32BE(number);
    return this.#environment.table(tables.segments).get(key);
  }

  sourceName(number: number): string {
    return this.#sourceNames.get(number) ?? `source-${number}`;
  }

  /** Seals for quarantine what the worker could not even return. */
  sealQuarantined(sequence: number, record: QuarantinedRecord): Uint8Array {
    return this.#sealer.seal(
      place('quarantine', this.epoch, sequence),
      QuarantinedRecord.encode(record).finish(),
    );
  }

  openRecord(taken: TakenRecord): JournalRecord {
    return JournalRecord.decode(
      taken.sealed
        ? this.#opener.open(place('records', this.epoch, taken.sequence), taken.bytes)
        : taken.bytes,
    );
  }

  /** Intake stops; what was queued commits and is answered. */
  async stop(): Promise<void> {
    if (this.#state === 'open') this.#state = 'draining';
    await this.#committer.drain();
  }

  async close(): Promise<void> {
    this.#committer.stop();
    if (this.#state !== 'faulted') await this.#environment.close();
  }

  #beforeCommit(round: Round): void {
    this.#custody.write(round);
    this.local.write(round);
    const meta = this.#environment.table(tables.meta);
    // A restart must not hand out a sequence twice, also when its row is gone by then.
    round.put(meta, Buffer.from('sequence'), Buffer.from(String(this.#sequence)));
    for (const name of classes) {
      const lane = this.#lanes[name];
      if (lane.last > lane.durable)
        round.put(meta, Buffer.from(`assigned.${name}`), Buffer.from(String(lane.last)));
    }
    const row = this.#repeats.takeRow();
    if (row === undefined) return;
    this.#repeatRow += 1;
    if (this.#repeatOldest === 0) this.#repeatOldest = this.#repeatRow;
    const repeats = this.#environment.table(tables.repeats);
    round.put(repeats, numberKey(this.#repeatRow), row);
    this.#expireRepeats(round, repeats);
  }

  /** Drops at most two of the oldest rows a round, so that the index shrinks as it grows. */
  #expireRepeats(round: Round, repeats: Table): void {
    const oldestAllowedS = (nowUs() - this.#options.repeatAgeMs * 1000) / 1e6;
    for (let dropped = 0; dropped < 2 && this.#repeatOldest < this.#repeatRow; dropped += 1) {
      const tooMany = this.#repeats.size() > this.#options.repeatEntriesMax;
      if (!tooMany && this.#repeatRow % 256 !== 0) return;
      const row = repeats.get(numberKey(this.#repeatOldest));
      if (row !== undefined) {
        if (!tooMany && row.readUInt32BE(24) > oldestAllowedS) return;
        this.#repeats.forget(row);
        round.remove(repeats, numberKey(this.#repeatOldest));
      }
      this.#repeatOldest += 1;
    }
  }

  #rememberSource(name: string, number: number): void {
    this.#sources.set(name, number);
    this.#sourceNames.set(number, name);
  }

  #sourceNumber(name: string): number {
    const known = this.#sources.get(name);
    if (known !== undefined) return known;
    const number = this.#sources.size + 1;
    this.#rememberSource(name, number);
    this.#committer.round().put(this.#environment.table(tables.sources), shortKey(number), Buffer.from(name));
    return number;
  }
}

function quarantineKey(sequence: number, source: number): Buffer {
  return Buffer.concat([numberKey(sequence), shortKey(source)]);
}

function perClass<T>(make: (name: Class) => T): Record<Class, T> {
  return { stat: make('stat'), urgent: make('urgent'), routine: make('routine'), bulk: make('bulk') };
}
