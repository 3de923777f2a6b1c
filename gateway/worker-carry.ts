/** The old end of the memory, as the normalizer looks at it: what still counts goes on, what is dropped is known to be. */
import { censusNeed, isCensusLoaded, markCensus } from './normalize/memory/census.ts';
import type { Carried, ToWorker } from './worker-job.ts';
import { type FinishedRow, JobMemory, type WorkerMemory } from './worker-memory.ts';

export function carry(
  memory: WorkerMemory,
  { row, bytes, drop }: Extract<ToWorker, { kind: 'carry' }>,
  nowS: number,
): Carried {
  const carried = memory.carry(row, Buffer.from(bytes.buffer), drop, nowS);
  // Of what is dropped nothing goes on.
  const made = drop ? forgetCensus(memory, nowS) : carried;
  const into = made && { row: made.row, bytes: Uint8Array.from(made.bytes) };
  return { kind: 'carried', row, into, entries: memory.entries };
}

/** Who is here may be among what is dropped. The next row of the memory, or undefined where there was no census. */
export function forgetCensus(memory: WorkerMemory, nowS: number): FinishedRow | undefined {
  const job = new JobMemory(memory, nowS);
  job.need([censusNeed]);
  // It stands on the disk where it is not at hand; what it says there makes no difference.
  if (!job.isWaiting && !isCensusLoaded(job)) return undefined;
  job.record(() => markCensus(job, undefined));
  return job.finish();
}
