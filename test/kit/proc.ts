/**
 * What the kernel says about a process: memory, processor time, descriptors, threads. Linux's /proc only.
 * Invariant: read from outside the process measured, so that a stuck one is measured too.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  readonly rssBytes: number;
  /** The most that the process ever held. */
  readonly rssBytesMax: number;
  /** The process's own pages; what it holds of files (a mapped store) is the kernel's to take back. */
  readonly anonBytes: number;
  readonly fileBytes: number;
  readonly cpuMs: number;
  readonly descriptors: number;
  readonly threads: number;
}

/** Kernel ticks are 10 ms on every Linux that Node runs on. */
const tickMs = 10;

/** Undefined where the process is gone. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command's name may hold spaces and parentheses; fields are counted from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      rssBytes: kilobytes(status, 'VmRSS') * 1024,
      rssBytesMax: kilobytes(status, 'VmHWM') * 1024,
      anonBytes: kilobytes(status, 'RssAnon') * 1024,
      fileBytes: (kilobytes(status, 'RssFile') + kilobytes(status, 'RssShmem')) * 1024,
      cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0),
    };
  } catch {
    return undefined;
  }
}

/** Processor time of a process over a span, as a share of one core. */
export async function cpuShareOf(pid: number, during: () => Promise<unknown>): Promise<number> {
  const [before, startedAt] = [usageOf(pid), performance.now()];
  await during();
  const [after, elapsedMs] = [usageOf(pid), performance.now() - startedAt];
  if (!before || !after) throw new Error(`process ${pid} is gone`);
  return (after.cpuMs - before.cpuMs) / elapsedMs;
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}
