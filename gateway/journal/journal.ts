/**
 * The journal: durable order. It takes what capture hands over, gives it to the
 * normalizer, keeps the events until the control plane has them, and counts.
 *
 *   append ──► records ──► take … finish ──► outbox ──► parcel … acked
 *              (records.ts)              ├──► quarantine (quarantine.ts)
 *                                        └──► local queues (local-queues.ts)
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
import { randomBytes } from 'node:crypto';
import { type Class, classes } from '../../proto/config/event-words.ts';
import type { JournalRecord, QuarantinedRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { type Intake, IntakeRefused, type Receipt, type RecordDraft } from '../capture/intake.ts';
import { blindKey, createBlind } from '../process/keys.ts';
import { type Environment, openEnvironment } from '../process/lmdb.ts';
import { createSealer, type Opener, type Segment } from '../process/seal.ts';
import { beginSegment } from '../process/segments.ts';
import { Account, type HourAccount, type SourceAccount } from './account.ts';
import { type Committer, createCommitter, type Round } from './committer.ts';
import { type Custody, createCustody } from './custody.ts';
import { draftedRecord } from './drafted-record.ts';
import { KeptSessions } from './kept-sessions.ts';
import { mendKeys, mendOrder } from './key-order.ts';
import { LocalQueues, type MadeDelivery } from './local-queues.ts';
import type { MadeLane } from './made-lane.ts';
import { Memory } from './memory.ts';
import type { JournalHooks, JournalOptions } from './options.ts';
import { type LaneState, Outbox } from './outbox.ts';
import type { Parcel } from './parcel.ts';
import { collectAround, settled } from './part.ts';
import { Planes } from './planes.ts';
import { type MadeReject, type Meant, Quarantine } from './quarantine.ts';
import { Receipts } from './receipts.ts';
import { Records, type TakenRow } from './records.ts';
import { RepeatLog } from './repeat-log.ts';
import { Reports } from './reports.ts';
import type { OutboxEntry } from './rows.ts';
import { Sources } from './sources.ts';
import { createSpace, type Room, type Space } from './space.ts';
import { keptTwice, State, sequenceGap } from './state.ts';

export type { JournalHooks, JournalOptions } from './options.ts';

/** What the normalizer made of the records of one job, or of some of them. */
export interface Made {
  lanes: MadeLane[];
  rejects: MadeReject[];
  /** Of each record that a route sends on: record sequence and its messages. */
  deliveries: { sequence: number; made: MadeDelivery[] }[];
  /** The row of what the records changed in the memory, which has accepted it; absent where that is nothing. */
  remembered?: number;
}

export class Journal implements Intake {
  /** The epoch that the journal was created with: rows are sealed for places under it. */
  readonly origin: bigint;
  /** Messages on their way to destinations at the site. */
  readonly local: LocalQueues;
  /** What the control plane has to be told beside the events. */
  readonly reports: Reports;
  readonly sessions: KeptSessions;
  /** What the normalizer remembers of earlier records. */
  readonly memory: Memory;
  readonly room: () => Room;
  /** Milliseconds that the recovery scan took, and what it found. */
  readonly recovered: { ms: number; records: number; events: number };

  readonly #environment: Environment;
  readonly #committer: Committer;
  readonly #space: Space;
  readonly #custody: Custody;
  readonly #repeats: RepeatLog;
  readonly #records: Records;
  readonly #outbox: Outbox;
  readonly #quarantine: Quarantine;
  readonly #account: Account;
  readonly #planes: Planes;
  readonly #sources: Sources;
  readonly #state: State;
  readonly #hooks: JournalHooks;
  readonly #options: JournalOptions;
  readonly #receipts = new Receipts();
  #epoch: bigint;
  #sequence: number;
  #liveBytes = 0;
  #unmappedBytes = 0;
  #phase: 'open' | 'draining' | 'faulted' = 'open';
  #refusals = 0;

  /** Opens or creates; async because the key segment of this life must be on disk before it is used. */
  static async open(
    options: JournalOptions,
    hooks: JournalHooks,
    environment = openEnvironment({ directory: options.directory }),
  ): Promise<Journal> {
    const state = new State(environment);
    state.checkFormat();
    const { segment, opener } = await beginSegment(environment, options.key);
    const damaged = await mendOrder(environment);
    const missing = state.missing();
    await environment.write(() => {
      for (const { key, value } of missing) void state.table.put(key, value);
    });
    damaged.push(...(await mendKeys(environment, opener)));
    for (const one of damaged) hooks.onAlarm('keys-damaged', { ...one });
    const journal = new Journal(environment, segment, opener, options, hooks);
    await journal.#renumber();
    if (!(await journal.#space.hold())) hooks.onAlarm('reserve-not-held', {});
    return journal;
  }

  private constructor(
    environment: Environment,
    segment: Segment,
    opener: Opener,
    options: JournalOptions,
    hooks: JournalHooks,
  ) {
    const startedAtMs = performance.now();
    this.#environment = environment;
    this.#hooks = hooks;
    this.#options = options;
    this.#state = new State(environment);
    this.#epoch = this.#state.kept('epoch');
    this.origin = this.#state.kept('origin');
    this.#committer = createCommitter(
      environment,
      {
        onFault: (code, cause) => this.#fault(code, cause),
        onStall: (ms) => hooks.onAlarm('commit-slow', { ms: Math.round(ms) }),
        beforeCommit: (round) => this.#beforeCommit(round),
      },
      options.roundBytesMax,
    );
    const part = {
      environment,
      committer: this.#committer,
      sealer: createSealer(options.key, segment),
      opener,
      origin: this.origin,
      epoch: () => this.#epoch,
    };
    this.#sources = new Sources(part);
    const custody = createCustody(this.#state);
    this.#custody = custody;
    const pending = (source: number, by: number) => custody.pending(source, by);
    const live = (bytes: number) => {
      this.#liveBytes += bytes;
    };
    const keyDamaged = (table: string) => hooks.onAlarm('keys-damaged', { table, rows: 1 });
    this.#records = new Records(part, {
      freshSequence: () => this.#freshSequence(),
      pending,
      bytes: (liveBytes, unmapped) => {
        this.#liveBytes += liveBytes;
        this.#unmappedBytes += unmapped;
      },
      keyDamaged,
    });
    this.#outbox = new Outbox(
      part,
      this.#state,
      {
        pending,
        delivered: (source, capturedS, by) => custody.count('delivered', source, capturedS, by),
        bytes: live,
      },
      {
        onEvents: () => hooks.onEvents(),
        sourceName: (source) => this.sourceName(source),
        onDamaged: (round, entry, why) => this.#onDamagedEvent(round, entry, why),
        onDamagedKey: keyDamaged,
      },
    );
    const gateway = options.gateway ?? (() => '');
    const alarmed = {
      bytes: live,
      onAlarm: (code: string, fields: Record<string, number | string>) => hooks.onAlarm(code, fields),
    };
    this.reports = new Reports(part, this.#state, gateway, { ...alarmed, onReport: () => hooks.onEvents() });
    this.local = new LocalQueues(part, this.#state, this.reports, alarmed);
    this.#quarantine = new Quarantine(part, this.reports, gateway, {
      ...alarmed,
      onEvents: () => hooks.onEvents(),
      sourceName: (source) => this.sourceName(source),
    });
    this.#planes = new Planes(this.#state);
    this.#account = new Account(custody, this.#quarantine, this.#planes, (source) => this.sourceName(source));
    const blind = createBlind(blindKey(options.key));
    this.sessions = new KeptSessions(part, blind);
    this.#repeats = new RepeatLog(part, blind, options.repeatEntriesMax, options.repeatAgeMs);
    this.memory = new Memory(part, options, live);
    // No key stands above the counter, which has a checksum; without it they are all that there is.
    const counted = this.#state.known('sequence') ?? this.#quarantine.lastSequence;
    this.#sequence = Math.max(counted, this.#records.found.lastSequence);
    this.#space = createSpace({
      file: environment.file,
      onGone: (cause) => this.#fault('database-gone', cause),
      budgetBytes: options.budgetBytes,
      reserveBytes: options.reserveBytes,
      liveBytes: () => this.#liveBytes,
      unmappedBytes: () => this.#unmappedBytes,
    });
    this.room = () => this.#space.room();
    this.recovered = {
      ms: performance.now() - startedAtMs,
      records: this.#records.found.records,
      events: this.#outbox.found.events,
    };
  }

  // ---- capture ----

  append(draft: RecordDraft): Promise<Receipt> {
    // Before the look for a repeat, too: its first copy may stand in a file that is gone.
    this.#space.look();
    if (this.#phase !== 'open') {
      return Promise.reject(
        new IntakeRefused(this.#phase === 'draining' ? 'draining' : 'fault', 'not taking records'),
      );
    }
    const record = draftedRecord(draft);
    const capturedS = Math.floor(Number(draft.capturedAtUs) / 1e6);
    const { repeat } = draft;
    const key = repeat === undefined ? undefined : this.#repeats.blind(repeat.key);
    const repeated =
      repeat === undefined || key === undefined
        ? undefined
        : this.#repeats.lookUp(repeat, key, record, capturedS);
    if (repeated !== undefined) {
      const source = this.#sources.number(draft.source);
      this.#custody.count('duplicates', source, capturedS);
      this.#hooks.onRepeat(repeated);
      this.#committer.round();
      // The first copy may still be in flight: its round settles before this one.
      return this.#receipts.owe({ outcome: 'repeat', sequence: BigInt(repeated) });
    }
    const room = this.#space.state(draft.raw.length * 3 + 1024);
    if (room !== 'open') {
      this.#refusals += 1;
      return Promise.reject(new IntakeRefused(room, `the journal takes nothing: ${room}`));
    }
    const source = this.#sources.number(record.source);
    // One round from here on: a repeat that is remembered without its record would be answered and lost.
    const round = this.#committer.round();
    this.#sequence += 1;
    if (repeat !== undefined && key !== undefined)
      this.#repeats.add(repeat, key, record, this.#sequence, capturedS);
    const orderKeys = this.#options.orderKeysOf(draft);
    return this.#journal(round, record, source, draft.classGuess, capturedS, orderKeys);
  }

  #fault(code: string, cause: unknown): void {
    this.#phase = 'faulted';
    this.#hooks.onFault(code, cause);
  }

  /** Forgets a repeat key; resolves when that is durable. */
  release(key: string): Promise<void> {
    this.#repeats.release(key);
    return settled(this.#committer.round());
  }

  #journal(
    round: Round,
    record: JournalRecord,
    source: number,
    guess: Class,
    capturedS: number,
    orderKeys: readonly number[],
  ): Promise<Receipt> {
    const sequence = this.#sequence;
    const bytes = this.#records.add(round, { sequence, guess, source, capturedS, orderKeys }, record);
    collectAround(round, bytes);
    // A restart must not hand out a sequence twice, also when its row is gone by then.
    this.#state.set('sequence', sequence);
    this.#custody.count('accepted', source, capturedS);
    return this.#receipts.owe({ outcome: 'journaled', sequence: BigInt(sequence) });
  }

  // ---- normalization ----

  /** Rows of one class guess, in order, until they hold so many records or bytes; each is handed out once per life. */
  take(guess: Class, countMax: number, bytesMax: number): TakenRow[] {
    return this.#records.take(guess, countMax, bytesMax);
  }

  /** Is there a record of this guess that was not taken yet? */
  waiting(guess: Class): boolean {
    return this.#records.waiting(guess);
  }

  /** Can the next row of this guess be normalized before everything that came earlier, with no patient's order broken? */
  mayOvertake(guess: Class): boolean {
    return this.#records.mayOvertake(guess);
  }

  /** How hard senders press: records ever taken in, and how many of them are flushed and wait in memory. */
  pressure(): { taken: number; waiting: number } {
    return { taken: this.#sequence, waiting: this.#records.waitingRecords() };
  }

  /** The sequence that `take` would hand out next, or undefined. */
  nextSequence(guess: Class): number | undefined {
    return this.#records.nextSequence(guess);
  }

  /** Moves the records of these rows on: events to their lanes, records to quarantine, deliveries to their queues. */
  finish(rows: readonly TakenRow[], made: readonly Made[]): void {
    const urgent = made.some(({ lanes }) => lanes.some(({ lane }) => lane === 'stat' || lane === 'urgent'));
    const round = this.#committer.round(urgent ? 'now' : 'soon');
    for (const row of rows) this.#records.remove(round, row);
    for (const { records } of rows) for (const { bytes } of records) collectAround(round, bytes.length);
    for (const { lanes, rejects, deliveries, remembered } of made) {
      if (remembered !== undefined) this.memory.put(round, remembered);
      for (const lane of lanes) this.#outbox.put(round, lane);
      for (const reject of rejects) {
        this.#custody.count('quarantined', reject.source, reject.capturedS);
        this.#custody.pending(reject.source, -1);
        this.#quarantine.put(round, reject);
      }
      for (const one of deliveries) this.local.add(round, one.sequence, one.made);
    }
    // A message waits for all that came before its record, also for what has none.
    round.whenSettled(() => {
      if (this.local.waits) this.#hooks.onDeliveries();
    });
  }

  /** What became of every finished record up to this sequence is flushed, messages for destinations too. */
  finishedThrough(): number {
    return this.#records.removedThrough();
  }

  // ---- uplink ----

  /** Half of every position that is given out: new with the journal, and when a copy of it went on without it. */
  get epoch(): bigint {
    return this.#epoch;
  }

  /**
   * The control plane has other events under our positions: this journal is a copy of one that went on; or it is another.
   * What is not acked keeps its order and goes out under a new epoch; resolves when that is durable.
   */
  async renewEpoch(plane: Uint8Array | undefined = this.#planes.of(this.#epoch)): Promise<void> {
    const epoch = randomBytes(8);
    const round = this.#committer.round();
    for (const { key, value } of keptTwice('epoch', epoch)) round.put(this.#state.table, key, value);
    this.#outbox.restart();
    this.#custody.endEpoch(round, this.#epoch);
    this.#epoch = epoch.readBigUInt64BE(0);
    if (plane !== undefined) this.#planes.put(round, this.#epoch, plane);
    this.#hooks.onEpoch(this.#epoch);
    await settled(round);
  }

  /** Events go to this control plane (planes.ts) from here on; resolves when that is durable. */
  async deliverTo(plane: Uint8Array): Promise<void> {
    const before = this.#planes.of(this.#epoch);
    if (before?.equals(plane)) return;
    if (before !== undefined) {
      await this.#quarantine.tellAgain();
      return this.renewEpoch(plane);
    }
    const round = this.#committer.round();
    this.#planes.put(round, this.#epoch, plane);
    await settled(round);
  }

  /** Numbers that hang from a counter that is lost may have been given before: under another epoch none has. */
  async #renumber(): Promise<void> {
    const damaged = this.#state.damagedCounters();
    if (damaged.length === 0) return;
    this.#hooks.onAlarm('counter-damaged', { counters: damaged.join(' ') });
    // Rows that wait for a destination have the numbers of records that may be gone.
    if (damaged.includes('sequence')) this.#sequence += sequenceGap;
    this.#state.set('sequence', this.#sequence);
    await this.renewEpoch();
  }

  lanes(): LaneState[] {
    return this.#outbox.lanes();
  }

  /** Events of a lane from `first` on, in order, as they are to be sent. Never beyond what is flushed. */
  parcel(lane: Class, first: number, countMax: number, bytesMax: number): Parcel | undefined {
    return this.#outbox.parcel(lane, first, countMax, bytesMax);
  }

  /** The control plane has flushed everything of the lane up to `sequence`. Returns false for a sequence never assigned. */
  acked(lane: Class, sequence: number): boolean {
    return this.#outbox.acked(lane, sequence);
  }

  #freshSequence(): number {
    this.#sequence += 1;
    this.#state.set('sequence', this.#sequence);
    return this.#sequence;
  }

  #onDamagedEvent(round: Round, entry: OutboxEntry, why: string): void {
    const { recordSequence, source, capturedAtUs, completes } = entry;
    const capturedS = Math.floor(capturedAtUs / 1e6);
    if (completes) {
      this.#custody.count('quarantined', source, capturedS);
      this.#custody.pending(source, -1);
    } else if (recordSequence === 0) return;
    // Where not even the record's number can be read, the entry gets one of its own.
    const sequence = recordSequence || this.#freshSequence();
    const where = { sequence, source, capturedS };
    this.#quarantine.putDamaged(round, where, this.sourceName(source), completes, why);
  }

  // ---- quarantine ----

  /** The last record of the source, by its number, that went to quarantine; 0: none. */
  lastQuarantined(source: number): number {
    return this.#quarantine.lastOf(source);
  }

  quarantined(sequence: number): QuarantinedRecord | undefined {
    return this.#quarantine.find(sequence)?.kept;
  }

  /** The bytes of a quarantined record, where the one that is meant is there and can be read. */
  rawQuarantined(sequence: number, meant: Meant = {}): Uint8Array | undefined {
    return this.#quarantine.find(sequence, meant)?.kept?.record?.raw;
  }

  /**
   * Puts a quarantined record back to be normalized again, as a new record, and reports that under the entry's id
   * where one is given; resolves when it is durable.
   */
  async replay(sequence: number, meant: Meant = {}): Promise<'replayed' | 'missing' | 'damaged'> {
    const round = this.#committer.round();
    const record = this.#quarantine.release(round, sequence, meant, this.#sequence + 1);
    if (typeof record === 'string') return record;
    const source = this.#sources.number(record.source);
    const capturedS = Math.floor(Number(record.capturedAtUs) / 1e6);
    this.#sequence += 1;
    const guess = (classes as readonly string[]).includes(record.classGuess)
      ? (record.classGuess as Class)
      : 'routine';
    // It was out of its order already, so it is in nobody's way.
    const journaled = this.#journal(round, record, source, guess, capturedS, []);
    // The record was accepted once: only its state changes.
    this.#custody.count('accepted', source, capturedS, -1);
    this.#custody.count('quarantined', source, capturedS, -1);
    this.#custody.count('replayed', source, capturedS);
    await journaled;
    return 'replayed';
  }

  /** Takes a quarantined record out for good, and reports that under the entry's id; resolves when it is durable. */
  async discard(sequence: number, meant: Meant): Promise<'discarded' | 'missing'> {
    const round = this.#committer.round();
    const found = this.#quarantine.discard(round, sequence, meant);
    if (found === undefined) return 'missing';
    if (found.counted) {
      this.#custody.count('quarantined', found.source, found.capturedS, -1);
      this.#custody.count('expired', found.source, found.capturedS);
    }
    await settled(round);
    return 'discarded';
  }

  /** The record is on its way to quarantine. */
  noteQuarantined(sequence: number, source: number): void {
    this.#quarantine.note(sequence, source);
  }

  // ---- counts and life ----

  custodyTotals(): SourceAccount[] {
    return this.#account.totals(this.#epoch);
  }

  custodyHours(): HourAccount[] {
    return this.#account.hours();
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
    const [record, event] = [this.#records.oldestS(), this.#outbox.oldestS()];
    return record === undefined || event === undefined ? (record ?? event) : Math.min(record, event);
  }

  sourceName(number: number): string {
    return this.#sources.name(number);
  }

  /** Intake stops; what was queued commits and is answered. */
  async stop(): Promise<void> {
    if (this.#phase === 'open') this.#phase = 'draining';
    await this.#committer.drain();
  }

  async close(): Promise<void> {
    this.#committer.stop();
    if (this.#phase !== 'faulted') await this.#environment.close();
  }

  #beforeCommit(round: Round): void {
    this.#records.write(round);
    this.#custody.write(round);
    this.local.write(round);
    this.#state.write(round);
    this.#repeats.write(round);
    this.#receipts.write(round, () => this.#hooks.onRecords());
  }
}
