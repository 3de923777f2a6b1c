/**
 * The pump between journal and normalizer: takes rows of records by class (jobs.ts), keeps two jobs in the
 * worker, writes what comes back. In a burst routine records wait (burst.ts).
 *
 *   journal.take ──► job ──► worker ──► results ──► journal.finish
 *
 * A worker that dies or takes too long is replaced; the job that it was at is tried again record
 * by record, and a record that fails alone goes to quarantine. Rows of a job are finished together.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type Config, configSchema } from '../proto/config/schema.ts';
import { createBurst } from './burst.ts';
import type { Circuits } from './circuits.ts';
import { workMsOf } from './job-size.ts';
import { type Job, Jobs, jobBytesMax } from './jobs.ts';
import type { Journal } from './journal/journal.ts';
import type { TakenRecord } from './journal/records.ts';
import { giveUp, made, notTried, ranOut, sortOut } from './made.ts';
import { reclassifies } from './meaning.ts';
import { MemoryExchange } from './memory-exchange.ts';
import { Allowance } from './process/allowance.ts';
import { nowUs, shareClock } from './process/clock.ts';
import {
  type FromWorker,
  type JobReply,
  type JobResult,
  SliceWriter,
  type ToWorker,
  type WorkerSetup,
} from './worker-job.ts';

const jobsInFlightMax = 2;
/** In a burst, so long until routine records are thought of again. */
const lookAgainMs = 4;
/** A config of 20,000 codes takes a second to compile, on a busy machine many. */
const startTimeoutMs = 60_000;
/** After one that could not even start: at once and again it would take the processor from capture. */
const startAgainMs = 1_000;
/** A report of 13.8 MiB with 150,000 results takes 158; a daemon stays below 512 MiB when it is full beside a large message's copies. */
const workerHeapMb = 224;

export interface PipelineHooks {
  onAlarm(code: string, fields: Record<string, number | string>): void;
  /** A record's hop times, for the histograms. */
  onNormalized(result: JobResult, taken: TakenRecord, atUs: number): void;
}

export interface PipelineOptions {
  gateway: string;
  site: string;
  /** Under which keys of the memory are hashed [process/keys.ts]. */
  memoryKey: Uint8Array;
  circuits: Circuits;
}

/** A group in the worker. */
interface Flight {
  id: number;
  job: Job;
  records: TakenRecord[];
  /** Its message may take seconds: nothing is sent to wait behind it, so that what comes meanwhile can go first. */
  isLarge: boolean;
}

export class Pipeline {
  readonly #journal: Journal;
  #options: PipelineOptions;
  readonly #hooks: PipelineHooks;
  readonly #memory: MemoryExchange;
  readonly #jobs: Jobs;
  readonly #flights: Flight[] = [];
  #worker: Worker | undefined;
  /** It has started (began), and has compiled the config that was posted last (is ready). */
  #ready = false;
  #began = false;
  #again: NodeJS.Timeout | undefined;
  readonly #allowance = new Allowance();
  #jobNumber = 0;
  #stopped = false;
  #config = { config: configSchema.parse({}), version: 0 };
  #idle: (() => void)[] = [];
  readonly #burst = createBurst();
  #later: NodeJS.Timeout | undefined;

  constructor(journal: Journal, options: PipelineOptions, hooks: PipelineHooks) {
    this.#journal = journal;
    this.#options = options;
    this.#hooks = hooks;
    this.#jobs = new Jobs(journal, () => this.#steppedBack());
    this.#memory = new MemoryExchange(
      journal,
      (message, transfer) => this.#post(message, transfer),
      hooks.onAlarm,
    );
  }

  start(): void {
    this.#startWorker();
    this.pump();
  }

  /** Between two jobs: what was posted before runs under the old config, what comes after under the new one. */
  setConfig(config: Config, version: number): void {
    this.#config = { config, version };
    this.#jobs.strict = reclassifies(config);
    this.#options.circuits.reset(version);
    this.#ready = false;
    this.#post({ kind: 'config', config, version });
    this.#watch();
  }

  /** Records that are normalized from here on are of another epoch, or another gateway's. */
  change(change: { epoch: bigint } | { gateway: string; site: string }): void {
    this.#options = { ...this.#options, ...change };
    this.#post({ kind: 'setup', change });
  }

  pump(): void {
    while (!this.#stopped && this.#worker !== undefined && this.#mayTake()) {
      const job = this.#jobs.next(this.#jobNumber);
      const group = job?.groups.shift();
      if (job === undefined || group === undefined) break;
      const readable = sortOut(this.#journal, this.#options, group, job.made);
      const records = this.#options.circuits.anyOpen ? this.#tried(job, readable) : readable;
      if (records.length === 0) {
        this.#finish();
        // Many may follow; senders are answered between them.
        setImmediate(() => this.pump());
        break;
      }
      this.#send(job, records);
    }
    if (this.#flights.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #mayTake(): boolean {
    return this.#flights.length < jobsInFlightMax && !this.#flights.some(({ isLarge }) => isLarge);
  }

  /** Every record up to this sequence, and none beyond that is missing, has been normalized. */
  normalizedThrough(): number {
    return this.#jobs.normalizedThrough();
  }

  /** Takes nothing more; resolves when the jobs in hand are written, or at the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true;
    if (this.#flights.length > 0) {
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#idle.push(resolve);
        }),
        delay(deadlineMs, undefined, { ref: false }),
      ]);
    }
    const worker = this.#worker;
    this.#worker = undefined;
    this.#allowance.end();
    clearTimeout(this.#again);
    await worker?.terminate();
  }

  /** Does routine work step back for the senders of a burst? It is thought of again soon. */
  #steppedBack(): boolean {
    const { taken, waiting } = this.#journal.pressure();
    if (this.#stopped || !this.#burst.holds(taken, waiting)) return false;
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      this.pump();
    }, lookAgainMs);
    return true;
  }

  /** Without those of a source whose circuit is open, which go to quarantine; one of them is tried now and then, alone. */
  #tried(job: Job, group: TakenRecord[]): TakenRecord[] {
    const { circuits } = this.#options;
    const others: TakenRecord[] = [];
    for (const [at, record] of group.entries()) {
      const next = circuits.next(this.#journal.sourceName(record.source));
      if (next === 'map') others.push(record);
      else if (next === 'quarantine') job.made.push(giveUp(this.#journal, this.#options, record, notTried));
      else {
        others.push(...group.slice(at + 1));
        if (others.length > 0) job.groups.unshift(others);
        return [record];
      }
    }
    return others;
  }

  #send(job: Job, records: TakenRecord[]): void {
    this.#jobNumber += 1;
    const id = this.#jobNumber;
    const writer = new SliceWriter();
    const parts = records.map((record) => ({
      sequence: record.sequence,
      source: record.source,
      capturedS: record.capturedS,
      journaledAtUs: record.journaledAtUs,
      lastQuarantined: this.#journal.lastQuarantined(record.source),
      ...writer.add(record.bytes),
    }));
    const buffer = writer.finish();
    this.#flights.push({ id, job, records, isLarge: buffer.byteLength > jobBytesMax });
    if (this.#flights.length === 1) this.#watch();
    this.#worker?.postMessage({ kind: 'job', id, records: parts, bytes: buffer } satisfies ToWorker, [
      buffer,
    ]);
  }

  /** Gives the job that the worker is at its time from here on; one that waits behind it loses none. */
  #watch(): void {
    const [head] = this.#flights;
    if (head === undefined) {
      this.#allowance.end();
      return;
    }
    // A worker that starts, or compiles another config, does not map yet.
    const startMs = this.#ready ? 0 : startTimeoutMs;
    this.#allowance.give(workMsOf(head.records) + startMs, () => this.#replaceWorker('normalizer-timeout'));
  }

  #heard(message: FromWorker): void {
    if (message.kind === 'done') this.#done(message);
    else if (message.kind === 'need' || message.kind === 'carried') this.#memory.heard(message);
    else {
      this.#began = true;
      this.#ready = message.configVersion === this.#config.version;
      this.#watch();
    }
  }

  #done(reply: JobReply): void {
    const at = this.#flights.findIndex(({ id }) => id === reply.id);
    const flight = this.#flights[at];
    if (flight === undefined) return;
    this.#flights.splice(at, 1);
    this.#watch();
    const one = made(reply);
    this.#memory.done(reply);
    flight.job.made.push(one);
    const atUs = nowUs();
    reply.results.forEach((result, index) => {
      const record = flight.records[index] as TakenRecord;
      this.#options.circuits.ran(this.#journal.sourceName(record.source), result);
      this.#hooks.onNormalized(result, record, atUs);
    });
    this.#finish();
    this.pump();
  }

  /** Writes the jobs that are complete. */
  #finish(): void {
    const isOut = (job: Job) => this.#flights.some((flight) => flight.job === job);
    for (const { rows, made } of this.#jobs.complete(isOut)) this.#journal.finish(rows, made);
    this.#memory.carry();
  }

  #startWorker(): void {
    this.#ready = false;
    this.#began = false;
    const setup: WorkerSetup = {
      clock: shareClock(),
      memoryKey: Uint8Array.from(this.#options.memoryKey),
      epoch: this.#journal.epoch,
      gateway: this.#options.gateway,
      site: this.#options.site,
      config: this.#config.config,
      configVersion: this.#config.version,
      memoryRow: this.#journal.memory.nextRow,
    };
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: workerHeapMb },
    });
    worker.on('message', (message: FromWorker) => this.#heard(message));
    // Its code or name: what it says may be out of a message.
    worker.on('error', (error: NodeJS.ErrnoException) =>
      this.#replaceWorker('normalizer-died', { error: error.code ?? error.name }),
    );
    this.#worker = worker;
    this.#memory.start();
  }

  #replaceWorker(code: string, fields: Record<string, string> = {}): void {
    const failed = this.#worker;
    if (failed === undefined || this.#stopped) return;
    this.#hooks.onAlarm(code, { jobs: this.#flights.length, ...fields });
    failed.removeAllListeners();
    failed.on('error', () => {});
    void failed.terminate();
    const flights = this.#flights.splice(0);
    this.#allowance.end();
    // The oldest group is the one that failed; a record that fails alone is the one to blame. None is, where nothing
    // began, or where a config was being compiled meanwhile.
    const culprit = this.#ready ? flights.shift() : undefined;
    for (const { job, records } of flights.reverse()) job.groups.unshift(records);
    if (culprit?.records.length === 1) {
      const [record] = culprit.records as [TakenRecord];
      culprit.job.made.push(giveUp(this.#journal, this.#options, record, ranOut));
      this.#options.circuits.failed(this.#journal.sourceName(record.source), 'died');
    } else culprit?.job.groups.unshift(...culprit.records.map((record) => [record]));
    this.#worker = undefined;
    this.#finish();
    if (this.#began) this.start();
    else this.#again = setTimeout(() => this.start(), startAgainMs);
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }
}
