/**
 * Maps records again in a thread with the limits that a gateway's normalizer has: one that loops or
 * grows costs itself, never the control plane.
 */
import { Worker } from 'node:worker_threads';
import type { RemapJob, Remapped } from './remap-job.ts';

const recordTimeoutMs = 2_000;
/** The first one also pays for the thread's start and the config. */
const firstTimeoutMs = 15_000;
const heapMb = 512;

export class Remapper {
  #worker: Worker | undefined;
  #version = -1;
  #jobs = 0;

  /** Undefined where the mapping threw or ran out of its time or memory. */
  async run(job: Omit<RemapJob, 'id'>): Promise<Remapped | undefined> {
    this.#jobs += 1;
    const id = this.#jobs;
    const fresh = this.#worker === undefined || this.#version !== job.version;
    this.#version = job.version;
    this.#worker ??= this.#start();
    const worker = this.#worker;
    let timer: NodeJS.Timeout | undefined;
    const done = await new Promise<Remapped | undefined>((resolve) => {
      const failed = () => resolve(undefined);
      worker.removeAllListeners();
      // Not once: one that is given up may yet run out of memory, and an error without a listener ends the process.
      worker.on('error', failed);
      worker.once('exit', failed);
      worker.on('message', (reply: Remapped) => {
        if (reply.id === id) resolve(reply);
      });
      timer = setTimeout(failed, fresh ? firstTimeoutMs : recordTimeoutMs);
      worker.postMessage({ ...job, id } satisfies RemapJob);
    });
    clearTimeout(timer);
    if (done === undefined) await this.stop();
    return done;
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.removeAllListeners();
    worker?.on('error', () => {});
    await worker?.terminate();
  }

  #start(): Worker {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    return new Worker(new URL(`./remap-worker.${extension}`, import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
  }
}
