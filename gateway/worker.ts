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
import { place, quarantineId } from './journal/layout.ts';
import { outboxRow, type SealedEntry } from './journal/rows.ts';
import { compileMeaning, type Meaning, type Understood, understand } from './meaning.ts';
import { mappingVersion } from './normalize/normalize.ts';
import { senderTime } from './normalize/sender-time.ts';
import { adoptClock, nowUs } from './process/clock.ts';
import { createOpener, createSealer, Damaged } from './process/seal.ts';
import {
  type FromWorker,
  type JobDelivery,
  type JobRecord,
  type JobReject,
  type JobReply,
  type JobResult,
  SliceWriter,
  type ToWorker,
  type WorkerSetup,
} from './worker-job.ts';

const setup = workerData as WorkerSetup;
adoptClock(setup.clock);
/** Kept, because a writer's buffers cost more than what is written. */
const eventWriter = new BackWriter();
const envelopeWriter = new BackWriter();
const nothing = new Uint8Array(0);
const sealer = createSealer(setup.masterKey, setup.segment, setup.sealerNumber);
const opener = createOpener(setup.masterKey, (number) => setup.salts.get(number));
let meaning: Meaning = compileMeaning(setup.configYaml, setup.configVersion);

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'config') {
    meaning = compileMeaning(message.yaml, message.version);
    tellReady();
  } else if (message.kind === 'setup') Object.assign(setup, message.change);
  else if (message.kind === 'segment') setup.salts.set(message.number, message.salt);
  else {
    const reply = new Reply();
    const bytes = Buffer.from(message.bytes);
    for (const record of message.records) work(record, bytes, reply);
    const done = reply.finish(message.id);
    parentPort?.postMessage(done, [done.bytes, done.plain]);
  }
});

tellReady();

function tellReady(): void {
  parentPort?.postMessage({ kind: 'ready', configVersion: meaning.version } satisfies FromWorker);
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

  finish(id: number): JobReply {
    const { writer, results, rejects, deliveries } = this;
    const plainWriter = new SliceWriter();
    const lanes = [...this.#lanes].map(([lane, { entries, plain }]) => ({
      lane,
      row: writer.add(outboxRow(entries)),
      plain: plainWriter.addAll(plain),
    }));
    const [bytes, plain] = [writer.finish(), plainWriter.finish()];
    return { kind: 'done', id, results, lanes, rejects, deliveries, bytes, plain };
  }
}

function work(job: JobRecord, bytes: Buffer, reply: Reply): void {
  const stored = bytes.subarray(job.offset, job.offset + job.length);
  let record: JournalRecord;
  try {
    const plain = job.sealed ? opener.open(place('records', setup.origin, job.sequence), stored) : stored;
    record = JournalRecord.decode(plain);
  } catch (error) {
    // A damaged row costs itself alone.
    const reason = error instanceof Damaged ? error.message : 'the row cannot be decoded';
    reject(job, JournalRecord.create(), { code: 'damaged', reason: `Damaged on disk: ${reason}.` }, reply);
    reply.results.push(resultOf(job, 'routine', job.capturedS * 1_000_000, []));
    return;
  }
  finish(job, record, understand(record, meaning, setup.epoch), reply);
}

function finish(job: JobRecord, record: JournalRecord, made: Understood, reply: Reply): void {
  const normalizedAtUs = nowUs();
  const { lane } = made;
  const destinations = new Map<string, string>();
  made.events.forEach((event) => {
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
      recordEpoch: setup.epoch,
    }).finish();
    const sealed = sealer.seal(place('deliveries', setup.origin, job.sequence, part), delivery);
    reply.deliveries.push({ sequence: job.sequence, destination, sealed: reply.writer.add(sealed) });
  }
  if (rejected !== undefined) reject(job, record, rejected, reply);
  const result = resultOf(job, empty ? 'routine' : lane, capturedAtUs, made.events);
  if (made.unmapped !== undefined) result.unmapped = made.unmapped;
  if (made.critical !== undefined) result.critical = made.critical;
  if (rejected?.code === 'mapping-failed') result.failed = true;
  addClock(result, record, made.events);
  reply.results.push(result);
}

/** What comes a second time, or was written beforehand, says nothing of the sender's clock now. */
function addClock(result: JobResult, record: JournalRecord, events: readonly ClinicalEvent[]): void {
  if (record.resend || record.will || record.replays > 0) return;
  const sent = senderTime(events);
  if (sent === undefined) return;
  result.aheadMs = sent.ms - result.capturedAtUs / 1000;
  result.stepMs = sent.stepMs;
  if (sent.assumed !== '') result.assumed = sent.assumed;
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
      capturedAtUs: record.capturedAtUs,
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
