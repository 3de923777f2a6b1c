/**
 * The normalizer thread: open, scan, map, classify, match routes, encode, seal; then the
 * buffers go back. It holds no handle on the world: no socket, no file, no database. The
 * main thread ends it when it takes too long and starts a fresh one.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BackWriter } from '../proto/back-writer.ts';
import type { ClinicalEvent } from '../proto/gen/hilum/v1/event.ts';
import { writeClinicalEvent, writeEnvelope } from '../proto/gen/hilum/v1/event-writer.ts';
import { JournalRecord, LocalDelivery, QuarantinedRecord } from '../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../proto/gen/hilum/v1/session.ts';
import { batchElement } from '../proto/wire.ts';
import type { Class } from './capture/intake.ts';
import { memoryPlace, place, quarantineId } from './journal/layout.ts';
import { outboxRow, type SealedEntry } from './journal/rows.ts';
import { compileMeaning, type Meaning } from './meaning.ts';
import { type About, roundsMax } from './normalize/memory/memory.ts';
import { furtherNeedsOf, needsOf, remember } from './normalize/memory/rules.ts';
import { mappingVersion, normalize } from './normalize/normalize.ts';
import type { Normalized, Reject } from './normalize/outcome.ts';
import { adoptClock, nowUs } from './process/clock.ts';
import { blindKey, createBlind } from './process/keys.ts';
import { createOpener, createSealer, Damaged } from './process/seal.ts';
import {
  type Done,
  type FromWorker,
  type Have,
  type JobDelivery,
  type JobRecord,
  type JobReject,
  type JobResult,
  SliceWriter,
  type ToWorker,
  type WorkerSetup,
} from './worker-job.ts';
import { JobMemory } from './worker-memory.ts';

const setup = workerData as WorkerSetup;
adoptClock(setup.clock);
/** Kept, because a writer's buffers cost more than what is written. */
const eventWriter = new BackWriter();
const envelopeWriter = new BackWriter();
const nothing = new Uint8Array(0);
const sealer = createSealer(setup.masterKey, setup.segment, setup.sealerNumber);
const opener = createOpener(setup.masterKey, (number) => setup.salts.get(number));
let meaning: Meaning = compileMeaning(setup.configYaml, setup.configVersion);
let meaningVersion = versionOf(meaning);

const memoryTools = { blind: createBlind(blindKey(setup.masterKey)), sealer, opener, place: memoryPlace };
/** Messages that came while the job in hand waits for its rows. */
const queue: Exclude<ToWorker, Have>[] = [];
let waiting: Job | undefined;

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind !== 'have') queue.push(message);
  else if (waiting?.id === message.id) {
    const job = waiting;
    waiting = undefined;
    job.memory.have(
      message.values.map(({ offset, length }) => new Uint8Array(message.bytes, offset, length)),
    );
    for (const { about, made } of job.records)
      if (made.events.length > 0) job.memory.need(furtherNeedsOf(made.events, about, job.memory));
    ask(job);
  }
  while (waiting === undefined) {
    const next = queue.shift();
    if (next === undefined) return;
    handle(next);
  }
});

function handle(message: Exclude<ToWorker, Have>): void {
  if (message.kind === 'config') {
    meaning = compileMeaning(message.yaml, message.version);
    meaningVersion = versionOf(meaning);
  } else if (message.kind === 'epoch') setup.epoch = message.epoch;
  else if (message.kind === 'segment') setup.salts.set(message.number, message.salt);
  else {
    const bytes = Buffer.from(message.bytes);
    const memory = new JobMemory(memoryTools);
    const records = message.records.map((record) => open(record, bytes));
    for (const { about, made } of records)
      if (made.events.length > 0) memory.need(needsOf(made.events, about));
    ask({ id: message.id, records, memory, rounds: 0 });
  }
}

/** Asks for what was named and not asked for yet; completes the job when there is nothing. */
function ask(job: Job): void {
  const keys = job.rounds < roundsMax ? job.memory.keys() : nothing;
  if (keys.length === 0) {
    complete(job);
    return;
  }
  job.rounds += 1;
  waiting = job;
  const needed = Uint8Array.from(keys).buffer;
  parentPort?.postMessage({ kind: 'need', id: job.id, keys: needed } satisfies FromWorker, [needed]);
}

/** A record after the first phase: what it says by itself. */
interface Opened {
  job: JobRecord;
  record: JournalRecord;
  about: About;
  made: Normalized;
}

interface Job {
  id: number;
  records: Opened[];
  memory: JobMemory;
  /** Times that it has asked. */
  rounds: number;
}

/** The second phase: what it says in the light of what came before. */
function complete({ id, records, memory }: Job): void {
  const reply = new Reply();
  for (const one of records) {
    try {
      memory.record(() => remember(one.made.events, one.about, memory));
    } catch {
      one.made = { events: [], reject: memoryFailed };
    }
    finish(one, reply);
  }
  const done = reply.finish(id, memory);
  parentPort?.postMessage(done, [done.bytes, done.plain]);
}

const memoryFailed: Reject = {
  code: 'mapping-failed',
  reason: 'The built-in rules over earlier messages failed on this one.',
};

function versionOf({ version }: Meaning): string {
  return version === 0 ? mappingVersion : `${mappingVersion}+config@${version}`;
}

/** What one job gives: for each lane its events in the order of the records. */
class Reply {
  readonly writer = new SliceWriter();
  readonly results: JobResult[] = [];
  readonly rejects: JobReject[] = [];
  readonly deliveries: JobDelivery[] = [];
  readonly #lanes = new Map<Class, { entries: SealedEntry[]; plain: Uint8Array[] }>();

  event(lane: Class, entry: SealedEntry, envelope: Uint8Array): void {
    let made = this.#lanes.get(lane);
    if (made === undefined) {
      made = { entries: [], plain: [] };
      this.#lanes.set(lane, made);
    }
    made.entries.push(entry);
    made.plain.push(batchElement(envelope));
  }

  finish(id: number, memory: JobMemory): Done {
    const { writer, results, rejects, deliveries } = this;
    const plainWriter = new SliceWriter();
    const lanes = [...this.#lanes].map(([lane, { entries, plain }]) => ({
      lane,
      row: writer.add(outboxRow(entries)),
      plain: plainWriter.addAll(plain),
    }));
    const remembered = memory.remembered(nowUs() / 1e6).map(({ key, value }) => ({
      key: writer.add(key),
      value: writer.add(value),
    }));
    const { damaged } = memory;
    const [bytes, plain] = [writer.finish(), plainWriter.finish()];
    return { kind: 'done', id, results, lanes, rejects, deliveries, remembered, damaged, bytes, plain };
  }
}

function open(job: JobRecord, bytes: Buffer): Opened {
  const stored = bytes.subarray(job.offset, job.offset + job.length);
  try {
    const plain = job.sealed ? opener.open(place('records', setup.origin, job.sequence), stored) : stored;
    const record = JournalRecord.decode(plain);
    return { job, record, about: aboutOf(job, record), made: normalize(record, meaning.contextFor(record)) };
  } catch (error) {
    // A damaged row costs itself alone.
    const why = error instanceof Damaged ? error.message : 'the row cannot be decoded';
    const record = JournalRecord.fromPartial({ capturedAtUs: BigInt(job.capturedS) * 1_000_000n });
    const reject: Reject = { code: 'damaged', reason: `Damaged on disk: ${why}.` };
    return { job, record, about: aboutOf(job, record), made: { events: [], reject } };
  }
}

function aboutOf({ sequence }: JobRecord, { source, capturedAtUs }: JournalRecord): About {
  const { enrichment } = meaning;
  return { epoch: setup.epoch, sequence: BigInt(sequence), source, capturedAtUs, enrichment };
}

function finish({ job, record, made }: Opened, reply: Reply): void {
  const normalizedAtUs = nowUs();
  let lane: Class = 'bulk';
  for (const [position, event] of made.events.entries()) {
    stamp(event, record, position + 1, made.events.length);
  }
  const classified = made.events.map((event) => {
    const verdict = meaning.classify(event, record);
    if (rank[verdict.class] < rank[lane]) lane = verdict.class;
    return verdict;
  });
  const destinations = new Map<string, string>();
  made.events.forEach((event, position) => {
    const verdict = classified[position];
    // All events of a record share its highest class [CONTRACT 1].
    event.class = lane;
    event.budgetMs = meaning.budgetMs(lane);
    if (verdict !== undefined && event.provenance !== undefined) event.provenance.rules.push(verdict.rule);
    for (const match of meaning.routes(event)) destinations.set(match.destination, match.route);
  });
  const capturedAtUs = Number(record.capturedAtUs);
  const empty = made.events.length === 0;
  const rejected =
    made.reject ??
    (empty
      ? { code: 'nothing-in-it', reason: 'The message says nothing that an event could carry.' }
      : undefined);
  made.events.forEach((event, position) => {
    const index = position + 1;
    eventWriter.clear();
    writeClinicalEvent(eventWriter, event);
    envelopeWriter.clear();
    writeEnvelope(envelopeWriter, {
      recordEpoch: setup.epoch,
      recordSequence: BigInt(job.sequence),
      recordSha256: record.sha256,
      index,
      count: made.events.length,
      source: record.source,
      kind: event.kind,
      // Of several messages in one record each is found by its own.
      messageControlId: event.provenance?.messageControlId || record.messageControlId,
      capturedAtUs: record.capturedAtUs,
      journaledAtUs: BigInt(job.journaledAtUs),
      normalizedAtUs: BigInt(normalizedAtUs),
      event: eventWriter.since(0),
      raw: position === 0 ? record.raw : nothing,
    });
    // The writer's own bytes: they are copied (sealed, and as an element of a batch) before it writes again.
    const envelope = envelopeWriter.since(0);
    const sealed = sealer.seal(place('outbox', setup.origin, job.sequence, index), envelope);
    const completes = rejected === undefined && index === made.events.length;
    const { sequence: recordSequence, source } = job;
    reply.event(lane, { recordSequence, capturedAtUs, index, source, completes, sealed }, envelope);
  });
  for (const [part, [destination, rule]] of [...destinations].entries()) {
    const delivery = LocalDelivery.encode({
      destination,
      source: record.source,
      raw: record.raw,
      messageControlId: record.messageControlId,
      recordSequence: BigInt(job.sequence),
      capturedAtUs: record.capturedAtUs,
      rule,
    }).finish();
    const sealed = sealer.seal(place('deliveries', setup.origin, job.sequence, part), delivery);
    reply.deliveries.push({ sequence: job.sequence, destination, sealed: reply.writer.add(sealed) });
  }
  if (rejected !== undefined) reject(job, record, rejected, reply);
  const result = resultOf(job, empty ? 'routine' : lane, capturedAtUs, made.events);
  if (made.unmapped !== undefined) result.unmapped = made.unmapped;
  reply.results.push(result);
}

function resultOf(
  { sequence }: JobRecord,
  lane: Class,
  capturedAtUs: number,
  events: readonly ClinicalEvent[],
): JobResult {
  const results = events.filter(isResult);
  const unflagged = results.filter((event) => !isFlagged(event));
  return { sequence, lane, capturedAtUs, results: results.length, unflagged: unflagged.length };
}

/** What only the journal knows of an event; id, gateway, site and position follow from the envelope when it is read. */
function stamp(event: ClinicalEvent, record: JournalRecord, index: number, count: number): void {
  const provenance = event.provenance;
  if (provenance === undefined) return;
  provenance.source = record.source;
  provenance.protocol = record.protocol;
  provenance.mappingVersion = meaningVersion;
  provenance.index = index;
  provenance.count = count;
  provenance.topic = record.topic;
  provenance.resend = record.resend;
  if (provenance.messageControlId === '') provenance.messageControlId = record.messageControlId;
  if (record.resend) provenance.duplicateOf = `${setup.epoch.toString(16)}.${record.resendOf}`;
  if (record.conflict) provenance.conflict = `${setup.epoch.toString(16)}.${record.conflictWith}`;
  event.times ??= {
    observed: undefined,
    issued: undefined,
    message: undefined,
    observedEnd: undefined,
    capturedAtUs: 0n,
  };
  event.times.capturedAtUs = record.capturedAtUs;
}

function reject(
  job: JobRecord,
  record: JournalRecord,
  { code, reason }: { code: string; reason: string },
  reply: Reply,
): void {
  const atUs = BigInt(nowUs());
  const urgent = record.classGuess === 'stat' || record.classGuess === 'urgent';
  const sealed = sealer.seal(
    place('quarantine', setup.origin, job.sequence),
    QuarantinedRecord.encode({ record, code, reason, atUs, urgent, mappingVersion }).finish(),
  );
  const entry = QuarantineEntry.encode(
    QuarantineEntry.fromPartial({
      id: quarantineId(setup.gateway, setup.epoch, job.sequence),
      gateway: setup.gateway,
      site: setup.site,
      source: record.source,
      messageControlId: record.messageControlId,
      recordHash: Buffer.from(record.sha256).toString('hex'),
      recordEpoch: setup.epoch,
      recordSequence: BigInt(job.sequence),
      code,
      reason,
      atUs,
      urgent,
      protocol: record.protocol,
      bytes: BigInt(record.raw.length),
    }),
  ).finish();
  const { sequence, source, capturedS } = job;
  reply.rejects.push({ sequence, source, capturedS, sealed: reply.writer.add(sealed), entry });
}

function isResult(event: ClinicalEvent): boolean {
  return event.kind === 'observation' && event.observations.length > 0;
}

function isFlagged(event: ClinicalEvent): boolean {
  return event.observations.some(({ interpretation }) => interpretation !== '');
}

const rank: Record<Class, number> = { stat: 0, urgent: 1, routine: 2, bulk: 3 };
