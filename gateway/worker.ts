/**
 * The normalizer thread: scan, map, classify, match routes, encode; then the buffers go
 * back. It holds no handle on the world: no socket, no file, no database, and no key to what
 * is on disk. The main thread opens and seals, so that on two cores both threads have their
 * half of the work; it ends this one when it takes too long and starts a fresh one.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { takeFailed } from '../proto/config/cel.ts';
import { JournalRecord, LocalDelivery } from '../proto/gen/hilum/v1/journal.ts';
import { wireLimits } from '../proto/limits.ts';
import type { Class } from './capture/intake.ts';
import { resultOf } from './job-result.ts';
import { type OutboxEntry, packEntries } from './journal/rows.ts';
import { judge, type Meaning, meaningOf, read, type Understood } from './meaning.ts';
import { type About, type Need, roundsMax } from './normalize/memory/memory.ts';
import { furtherNeedsOf, lasting, mayLead, needsOf, remember } from './normalize/memory/rules.ts';
import {
  deliveredParts,
  mappingFailed,
  type Normalized,
  type Reject,
  tooManyEvents,
} from './normalize/outcome.ts';
import { adoptClock, nowUs } from './process/clock.ts';
import { collectAfter } from './process/heap.ts';
import { createKeyedHash } from './process/keyed-hash.ts';
import { carry } from './worker-carry.ts';
import { EventEncoder, Refused } from './worker-events.ts';
import {
  type FromWorker,
  type Have,
  type JobDelivery,
  type JobRecord,
  type JobReject,
  type JobReply,
  type JobResult,
  SliceWriter,
  type ToWorker,
  type WorkerSetup,
} from './worker-job.ts';
import { JobMemory, WorkerMemory } from './worker-memory.ts';
import { rejected, type Why } from './worker-rejects.ts';

const setup = workerData as WorkerSetup;
adoptClock(setup.clock);
const encoder = new EventEncoder();
let meaning: Meaning = meaningOf(setup.config, setup.configVersion);

const memory = new WorkerMemory({
  keyed: createKeyedHash(setup.memoryKey),
  nextRow: setup.memoryRow,
  lasting,
});
/** Messages that came while the job in hand waits for what it asked for. */
const queue: Exclude<ToWorker, Have>[] = [];
let waiting: Job | undefined;
/** The last record of each source that was rejected here: the main thread hears of it later. */
const lastRejected = new Map<number, number>();

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind !== 'have') queue.push(message);
  else if (waiting?.id === message.id) {
    const job = waiting;
    waiting = undefined;
    job.memory.have(message.chunks);
    follow(job);
  }
  while (waiting === undefined) {
    const next = queue.shift();
    if (next === undefined) return;
    handle(next);
  }
});

function handle(message: Exclude<ToWorker, Have>): void {
  if (message.kind === 'config') {
    meaning = meaningOf(message.config, message.version);
    tellReady();
  } else if (message.kind === 'setup') Object.assign(setup, message.change);
  else if (message.kind === 'heads') {
    if (message.bytes.length > 0) memory.load(Buffer.from(message.bytes.buffer));
    else tellReady();
  } else if (message.kind === 'carry')
    parentPort?.postMessage(carry(memory, message, nowUs() / 1e6) satisfies FromWorker);
  else {
    const bytes = Buffer.from(message.bytes);
    const job = new JobMemory(memory, nowUs() / 1e6);
    const reply = new Reply();
    for (const [at, record] of message.records.entries()) {
      const one = open(record, bytes);
      // Mostly all is at hand, and one record after the other comes and goes: what lives on costs the collector.
      if (isAtHand(one, job)) {
        conclude(one, job, reply);
        continue;
      }
      const records = [one, ...message.records.slice(at + 1).map((later) => open(later, bytes))];
      follow({ id: message.id, records, memory: job, reply, rounds: 0 });
      return;
    }
    answer(message.id, job, reply);
  }
}

/** Names the rows that a record needs, and those that they lead to; false where one is to be asked for. */
function isAtHand(one: Opened, job: JobMemory): boolean {
  const { events } = one.made;
  if (events.length === 0) return true;
  one.needs = needsOf(events, one.about);
  let fresh = job.need(one.needs);
  for (let round = 1; fresh && !job.isWaiting && round < roundsMax; round += 1) {
    if (!mayLead(events, one.needs, job)) break;
    fresh = job.need(furtherNeedsOf(events, one.about, job));
  }
  return !job.isWaiting;
}

/** A record after the first phase: what it says by itself. */
interface Opened {
  job: JobRecord;
  record: JournalRecord;
  about: About;
  made: Normalized;
  /** Rules of the config whose predicates failed on it. */
  failed: readonly string[];
  /** Rows that its events named. */
  needs: readonly Need[];
  /** After the second phase. */
  ready?: Ready;
}

/** What goes out of a record. */
interface Ready {
  made: Understood;
  /** Its events, as elements of a Batch. */
  elements: Uint8Array[];
  /** By destination: the route that sends it there. */
  destinations: Map<string, string>;
}

interface Job {
  id: number;
  records: Opened[];
  memory: JobMemory;
  reply: Reply;
  /** Times that its rows have been looked at for what they lead to. */
  rounds: number;
}

/** Of several records at once, so that they ask together for what is not at hand. */
function follow(job: Job): void {
  for (; job.rounds < roundsMax; job.rounds += 1) {
    const first = job.rounds === 0;
    let fresh = false;
    for (const one of job.records) {
      const { events } = one.made;
      if (events.length === 0) continue;
      if (first) {
        one.needs = needsOf(events, one.about);
        if (job.memory.need(one.needs)) fresh = true;
      } else if (mayLead(events, one.needs, job.memory)) {
        if (job.memory.need(furtherNeedsOf(events, one.about, job.memory))) fresh = true;
      }
    }
    const wanted = job.memory.wanted();
    if (wanted.length > 0) {
      job.rounds += 1;
      waiting = job;
      const locations = wanted.flatMap(({ row, chunk }) => [row, chunk]);
      parentPort?.postMessage({ kind: 'need', id: job.id, locations } satisfies FromWorker);
      return;
    }
    if (!fresh) break;
  }
  complete(job);
}

function complete(job: Job): void {
  for (const one of job.records) conclude(one, job.memory, job.reply);
  answer(job.id, job.memory, job.reply);
}

/** The second phase: what the record says in the light of what came before. Of what is refused nothing is remembered. */
function conclude(one: Opened, job: JobMemory, reply: Reply): void {
  try {
    job.record(() => {
      recall(one, job);
      one.ready = prepare(one);
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    one.made = { events: [], reject: error.reject };
    one.ready = prepare(one);
  }
  finish(one, one.ready as Ready, reply);
}

function recall({ made, about }: Opened, job: JobMemory): void {
  try {
    remember(made.events, about, job);
  } catch (error) {
    throw new Refused(mappingFailed('The rules over earlier messages failed on this one', error));
  }
}

function answer(id: number, job: JobMemory, reply: Reply): void {
  const done = reply.finish(id, job);
  encoder.clear();
  const { byteLength } = done.bytes;
  parentPort?.postMessage(done, [done.bytes, done.plain]);
  // It may be the last job for a while, and its copies would stay.
  collectAfter(byteLength);
}

function tellReady(): void {
  parentPort?.postMessage({ kind: 'ready', configVersion: meaning.version } satisfies FromWorker);
}

/** What one job gives: for each lane its events in the order of the records. */
class Reply {
  readonly writer = new SliceWriter();
  readonly results: JobResult[] = [];
  readonly rejects: JobReject[] = [];
  readonly deliveries: JobDelivery[] = [];
  readonly #lanes = new Map<Class, { entries: OutboxEntry[]; plain: Uint8Array[] }>();

  event(lane: Class, entry: OutboxEntry, element: Uint8Array): void {
    let made = this.#lanes.get(lane);
    if (made === undefined) {
      made = { entries: [], plain: [] };
      this.#lanes.set(lane, made);
    }
    made.entries.push(entry);
    made.plain.push(element);
  }

  finish(id: number, job: JobMemory): JobReply {
    const { writer, results, rejects, deliveries } = this;
    const plainWriter = new SliceWriter();
    const lanes = [...this.#lanes].map(([lane, { entries, plain }]) => ({
      lane,
      entries: packEntries(entries),
      plain: plainWriter.addAll(plain),
    }));
    const row = job.finish();
    const remembered = row === undefined ? undefined : { row: row.row, slice: writer.add(row.bytes) };
    const { entries, damaged } = memory;
    memory.damaged = 0;
    const [bytes, plain] = [writer.finish(), plainWriter.finish()];
    return {
      kind: 'done',
      id,
      results,
      lanes,
      rejects,
      deliveries,
      remembered,
      entries,
      damaged,
      bytes,
      plain,
    };
  }
}

function open(job: JobRecord, bytes: Buffer): Opened {
  let record: JournalRecord;
  try {
    record = JournalRecord.decode(bytes.subarray(job.offset, job.offset + job.length));
  } catch {
    record = JournalRecord.fromPartial({ capturedAtUs: BigInt(job.capturedS) * 1_000_000n });
    const reject: Reject = { code: 'damaged', reason: 'Damaged on disk: the row cannot be decoded.' };
    const made = { events: [], reject };
    return { job, record, about: aboutOf(job, record, made), made, failed: none, needs: none };
  }
  const made = countable(read(record, meaning, setup.epoch));
  return { job, record, about: aboutOf(job, record, made), made, failed: takeFailed(), needs: none };
}

/** What has too many events is refused before anything is remembered of it. */
function countable(made: Normalized): Normalized {
  return made.events.length <= wireLimits.recordEventsMax ? made : { events: [], reject: tooManyEvents };
}

const none: readonly never[] = [];

function aboutOf(job: JobRecord, record: JournalRecord, { events }: Normalized): About {
  const { source, capturedAtUs, censusEnd, replays } = record;
  const { enrichment } = meaning;
  const once = meaning.onceFor(record, events);
  return {
    epoch: setup.epoch,
    sequence: BigInt(job.sequence),
    source,
    capturedAtUs,
    enrichment,
    once,
    lastUnread: once && (() => Math.max(job.lastQuarantined, lastRejected.get(job.source) ?? 0)),
    censusEnd,
    replayed: replays > 0,
  };
}

/** Throws `Refused` where the line could not carry it. */
function prepare(one: Opened): Ready {
  const { job, record } = one;
  const normalizedAtUs = nowUs();
  const made = judge(one.made, record, meaning);
  const destinations = new Map<string, string>();
  for (const event of made.events) {
    const heldBack = event.once?.heldBack;
    for (const { destination, route } of meaning.routes(event))
      if (heldBack?.includes(destination) !== true && !record.deliveredTo.includes(destination))
        destinations.set(destination, route);
  }
  const failed = takeFailed();
  if (failed.length > 0) one.failed = [...one.failed, ...failed];
  for (const rule of one.failed)
    for (const { provenance } of made.events)
      provenance?.remarks.push(`the condition of ${rule} could not be evaluated, and counts as not met`);
  const { sequence, journaledAtUs } = job;
  const place = { epoch: setup.epoch, sequence, journaledAtUs, normalizedAtUs, destinations };
  return { made, elements: encoder.encode(made.events, record, place), destinations };
}

function finish(
  { job, record, failed }: Opened,
  { made, elements, destinations }: Ready,
  reply: Reply,
): void {
  const { lane } = made;
  const capturedAtUs = Number(record.capturedAtUs);
  const replayed = record.replays > 0;
  const empty = made.events.length === 0;
  const refusal =
    made.reject ??
    (empty
      ? { code: 'nothing-in-it', reason: 'The message says nothing that an event could carry.' }
      : undefined);
  const { sequence: recordSequence, source } = job;
  for (let index = 1; index <= elements.length; index += 1) {
    const completes = refusal === undefined && index === elements.length;
    const element = elements[index - 1] as Uint8Array;
    reply.event(lane, { recordSequence, capturedAtUs, index, source, completes, replayed }, element);
  }
  for (const [destination, rule] of destinations) {
    const delivery = LocalDelivery.encode({
      destination,
      source: record.source,
      raw: record.raw,
      messageControlId: record.messageControlId,
      recordSequence: BigInt(job.sequence),
      capturedAtUs: record.capturedAtUs,
      rule,
      recordEpoch: setup.epoch,
    }).finish();
    reply.deliveries.push({ sequence: job.sequence, destination, delivery: reply.writer.add(delivery) });
  }
  if (refusal !== undefined) {
    // So that a replay makes only what is still missing.
    const parts = [...record.deliveredParts, ...deliveredParts(made)];
    const deliveredTo = [...record.deliveredTo, ...destinations.keys()];
    reject(job, { ...record, deliveredParts: parts, deliveredTo }, refusal, reply);
  }
  const result = resultOf(job, record, made, empty ? 'routine' : lane);
  if (refusal?.code === 'mapping-failed') result.failed = true;
  if (failed.length > 0) result.failedRules = [...failed];
  reply.results.push(result);
}

function reject(job: JobRecord, record: JournalRecord, why: Why, reply: Reply): void {
  const { sequence, source, capturedS } = job;
  const made = rejected(setup, sequence, record, why);
  lastRejected.set(source, sequence);
  reply.rejects.push({
    sequence,
    source,
    capturedS,
    record: reply.writer.add(made.record),
    entry: made.entry,
  });
}
