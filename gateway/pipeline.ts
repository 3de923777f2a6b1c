/**
 * The pump between journal and normalizer: takes records by class, keeps two jobs in the
 * worker, writes what comes back. Urgent records are taken first; every fifth job goes to
 * the lowest class that waits, so nothing starves. Answering senders comes before meaning: in a
 * burst, routine records wait a little for the processor, the less the more of them wait.
 *
 *   journal.take ──► job ──► worker ──► results ──► journal.finish
 *
 * A worker that dies or takes too long is replaced; its jobs are tried again record by
 * record, and a record that fails alone goes to quarantine. One worker: the order of its
 * queue is the order of the lanes.
 */
import { Worker } from 'node:worker_threads';
import { QuarantinedRecord } from '../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../proto/gen/hilum/v1/session.ts';
import type { Class } from './capture/intake.ts';
import type { Journal, MadeRecord, TakenRecord } from './journal/journal.ts';
import { nowUs } from './process/clock.ts';
import type { FromWorker, JobResult, ToWorker, WorkerSetup } from './worker-job.ts';

const order: readonly Class[] = ['stat', 'urgent', 'routine', 'bulk'];
const jobsInFlightMax = 2;
const jobRecordsMax = 64;
/** Small, so that a STAT record never waits behind more than this. */
const jobBytesMax = 256 * 1024;
const floorEvery = 5;
/** A sender was served this recently: there is a burst. */
const burstMs = 3;
/** Between two routine jobs in a burst, while few wait. */
const burstPauseMs = 25;
/** From this many waiting records on, bursts get no precedence. */
const burstRecordsMax = 10_000;
const jobTimeoutMs = 5_000;
const recordTimeoutMs = 1_000;
const workerHeapMb = 512;

export interface PipelineHooks {
  onAlarm(code: string, fields: Record<string, number | string>): void;
  /** A record's hop times, for the histograms. */
  onNormalized(result: JobResult, taken: TakenRecord, atUs: number): void;
}

export interface PipelineOptions {
  gateway: string;
  site: string;
  masterKey: Buffer;
}

interface Job {
  id: number;
  records: TakenRecord[];
  timer: NodeJS.Timeout;
}

export class Pipeline {
  readonly #journal: Journal;
  readonly #options: PipelineOptions;
  readonly #hooks: PipelineHooks;
  readonly #jobs: Job[] = [];
  /** Records of a job that did not come back, to be tried one at a time. */
  readonly #retry: TakenRecord[] = [];
  #worker: Worker | undefined;
  #workers = 0;
  #jobNumber = 0;
  #stopped = false;
  #strict = false;
  #config = { yaml: '', version: 0 };
  #idle: (() => void)[] = [];
  #routineAtMs = 0;
  #later: NodeJS.Timeout | undefined;

  constructor(journal: Journal, options: PipelineOptions, hooks: PipelineHooks) {
    this.#journal = journal;
    this.#options = options;
    this.#hooks = hooks;
  }

  start(): void {
    this.#startWorker();
    this.pump();
  }

  /** Between two jobs: what was posted before runs under the old config, what comes after under the new one. */
  setConfig(yaml: string, version: number, reclassifies: boolean): void {
    this.#config = { yaml, version };
    this.#strict = reclassifies;
    this.#post({ kind: 'config', yaml, version });
  }

  pump(): void {
    while (!this.#stopped && this.#worker !== undefined && this.#jobs.length < jobsInFlightMax) {
      const records = this.#next();
      if (records.length === 0) break;
      this.#send(records);
    }
    if (this.#jobs.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Every record up to this sequence, and none beyond that is missing, has been normalized. */
  normalizedThrough(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const job of this.#jobs)
      for (const record of job.records) lowest = Math.min(lowest, record.sequence);
    for (const record of this.#retry) lowest = Math.min(lowest, record.sequence);
    for (const guess of order) lowest = Math.min(lowest, this.#journal.nextSequence(guess) ?? lowest);
    return lowest - 1;
  }

  /** Takes nothing more; resolves when the jobs in hand are written, or at the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true;
    if (this.#jobs.length > 0) {
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#idle.push(resolve);
        }),
        new Promise<void>((resolve) => {
          setTimeout(resolve, deadlineMs).unref();
        }),
      ]);
    }
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #next(): TakenRecord[] {
    const again = this.#retry.shift();
    if (again !== undefined) return [again];
    const waiting = order.filter((guess) => this.#journal.waiting(guess));
    const guess = this.#choose(waiting);
    if (guess === undefined || this.#yields(guess)) return [];
    return this.#journal.take(guess, jobRecordsMax, jobBytesMax);
  }

  /** Routine work steps back for the senders in a burst, for a few milliseconds at a time. */
  #yields(guess: Class): boolean {
    if (this.#stopped || guess === 'stat' || guess === 'urgent') return false;
    const nowMs = performance.now();
    const { lastAppendMs, waitingRecords } = this.#journal.pressure();
    const pauseMs = burstPauseMs * (1 - waitingRecords / burstRecordsMax);
    if (nowMs - lastAppendMs > burstMs || nowMs - this.#routineAtMs >= pauseMs) {
      this.#routineAtMs = nowMs;
      return false;
    }
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      this.pump();
    }, burstMs + 1);
    return true;
  }

  #choose(waiting: Class[]): Class | undefined {
    if (!this.#strict) {
      return this.#jobNumber % floorEvery === floorEvery - 1 ? waiting.at(-1) : waiting[0];
    }
    // The config's own rules decide the class, so a guess must not let a record overtake its own patient's.
    let chosen: Class | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    for (const guess of waiting) {
      const next = this.#journal.nextSequence(guess) ?? Number.POSITIVE_INFINITY;
      if (next < lowest) {
        lowest = next;
        chosen = guess;
      }
    }
    return chosen;
  }

  #send(records: TakenRecord[]): void {
    this.#jobNumber += 1;
    const id = this.#jobNumber;
    let bytes = 0;
    for (const record of records) bytes += record.bytes.length;
    const buffer = new ArrayBuffer(bytes);
    const view = new Uint8Array(buffer);
    let offset = 0;
    const jobs = records.map((record) => {
      view.set(record.bytes, offset);
      const job = {
        sequence: record.sequence,
        sealed: record.sealed,
        journaledAtUs: record.journaledAtUs || nowUs(),
        offset,
        length: record.bytes.length,
      };
      offset += record.bytes.length;
      return job;
    });
    const timeoutMs = records.length === 1 ? recordTimeoutMs : jobTimeoutMs;
    // The first job of a worker also pays for its start.
    const timer = setTimeout(
      () => this.#replaceWorker('normalizer-timeout'),
      timeoutMs + jobTimeoutMs * (id < 3 ? 2 : 0),
    );
    this.#jobs.push({ id, records, timer });
    this.#worker?.postMessage({ kind: 'job', id, records: jobs, bytes: buffer } satisfies ToWorker, [buffer]);
  }

  #done(reply: FromWorker): void {
    const at = this.#jobs.findIndex((job) => job.id === reply.id);
    const job = this.#jobs[at];
    if (job === undefined) return;
    this.#jobs.splice(at, 1);
    clearTimeout(job.timer);
    const atUs = nowUs();
    reply.results.forEach((result, index) => {
      const taken = job.records[index] as TakenRecord;
      this.#journal.finish(taken, made(result, reply.bytes));
      this.#hooks.onNormalized(result, taken, atUs);
    });
    this.pump();
  }

  #startWorker(): void {
    this.#workers += 1;
    const salts = new Map<number, Uint8Array>();
    for (let number = 1; number <= this.#journal.segment.number; number += 1) {
      const salt = this.#journal.segmentSalt(number);
      if (salt !== undefined) salts.set(number, Uint8Array.from(salt));
    }
    const { segment, epoch } = this.#journal;
    const setup: WorkerSetup = {
      masterKey: Uint8Array.from(this.#options.masterKey),
      segment: { number: segment.number, salt: Uint8Array.from(segment.salt) },
      salts,
      sealerNumber: this.#workers,
      epoch,
      gateway: this.#options.gateway,
      site: this.#options.site,
      configYaml: this.#config.yaml,
      configVersion: this.#config.version,
    };
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: workerHeapMb },
    });
    worker.on('message', (reply: FromWorker) => this.#done(reply));
    worker.on('error', () => this.#replaceWorker('normalizer-died'));
    this.#worker = worker;
  }

  #replaceWorker(code: string): void {
    const failed = this.#worker;
    if (failed === undefined || this.#stopped) return;
    this.#hooks.onAlarm(code, { jobs: this.#jobs.length });
    failed.removeAllListeners();
    failed.on('error', () => {});
    void failed.terminate();
    const jobs = this.#jobs.splice(0);
    for (const job of jobs) clearTimeout(job.timer);
    // The oldest job is the one that failed; a record that fails alone is the one to blame.
    const [culprit] = jobs;
    if (culprit?.records.length === 1) this.#giveUp(culprit.records[0] as TakenRecord);
    else this.#retry.unshift(...(culprit?.records ?? []));
    for (const job of jobs.slice(1)) this.#retry.push(...job.records);
    this.#startWorker();
    this.pump();
  }

  #giveUp(taken: TakenRecord): void {
    const record = this.#journal.openRecord(taken);
    const atUs = BigInt(nowUs());
    const urgent = taken.guess === 'stat' || taken.guess === 'urgent';
    const reason = 'The mapping ran out of its time or memory on this message.';
    const code = 'mapping-failed';
    const sealed = this.#journal.sealQuarantined(
      taken.sequence,
      QuarantinedRecord.fromPartial({ record, code, reason, atUs, urgent }),
    );
    const entry = QuarantineEntry.fromPartial({
      id: `${this.#options.gateway}.${this.#journal.epoch.toString(16)}.record.${taken.sequence}`,
      gateway: this.#options.gateway,
      site: this.#options.site,
      source: record.source,
      messageControlId: record.messageControlId,
      recordHash: Buffer.from(record.sha256).toString('hex'),
      recordEpoch: this.#journal.epoch,
      recordSequence: BigInt(taken.sequence),
      code,
      reason,
      atUs,
      urgent,
      protocol: record.protocol,
      bytes: BigInt(record.raw.length),
    });
    const capturedAtUs = Number(record.capturedAtUs);
    this.#journal.finish(taken, {
      lane: 'routine',
      capturedAtUs,
      events: [],
      deliveries: [],
      reject: { sealed, entry },
    });
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }
}

function made(result: JobResult, bytes: ArrayBuffer): MadeRecord {
  const slice = ({ offset, length }: { offset: number; length: number }) =>
    new Uint8Array(bytes, offset, length);
  const record: MadeRecord = {
    lane: result.lane,
    capturedAtUs: result.capturedAtUs,
    events: result.events.map((event) => ({ plain: slice(event.plain), sealed: slice(event.sealed) })),
    deliveries: result.deliveries.map(({ destination, sealed }) => ({ destination, sealed: slice(sealed) })),
  };
  if (result.reject !== undefined) {
    record.reject = {
      sealed: slice(result.reject.sealed),
      entry: QuarantineEntry.decode(result.reject.entry),
    };
  }
  return record;
}
