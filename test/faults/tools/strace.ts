/**
 * Faults of the disk, made by strace between a program and the kernel: errors, a full disk, slow flushes.
 *
 * Invariants: the tracer is a grandchild (-D), so the pid, the signals and the exit code are the program's
 * own; only the named calls stop at the tracer (--seccomp-bpf), so the rest runs at full speed; `when` counts
 * PER THREAD (measured), so "the 2nd flush" is the 2nd of each thread that flushes.
 */
import { spawnSync } from 'node:child_process';

export interface Injection {
  readonly syscall:
    | 'fdatasync'
    | 'fsync'
    | 'pwrite64'
    | 'pwritev'
    | 'write'
    | 'writev'
    | 'ftruncate'
    | 'openat';
  /** EIO, ENOSPC, ... */
  readonly error?: string;
  /** `3` only the third, `3+` from the third on, `1+2` every second. Default: always. */
  readonly when?: string;
  readonly delayEnterUs?: number;
  readonly delayExitUs?: number;
}

export interface StraceOptions {
  readonly inject: readonly Injection[];
  /** Where strace writes what it saw. */
  readonly log: string;
  /** Only calls that touch these paths are traced and injected: the journal, not the log. */
  readonly paths?: readonly string[];
}

/** The command line that runs `command` under strace. */
export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
}

/** True where strace is there and may trace: containers often forbid it. */
export function available(): boolean {
  return (
    spawnSync('strace', ['-f', '--seccomp-bpf', '-e', 'trace=fdatasync', '-o', '/dev/null', 'true'])
      .status === 0
  );
}

export function underStrace(options: StraceOptions, command: string, args: readonly string[]): CommandLine {
  const calls = [...new Set(options.inject.map((injection) => injection.syscall))];
  return {
    command: 'strace',
    args: [
      // biome-ignore format: one option a line says more
      '-D',
      '-f',
      '-q',
      '--seccomp-bpf',
      '-o',
      options.log,
      '-e',
      `trace=${calls.join(',')}`,
      // Without this a SIGTERM to the daemon fills the log; signals themselves pass in any case.
      '-e',
      'signal=none',
      ...(options.paths ?? []).flatMap((path) => ['-P', path]),
      ...options.inject.flatMap((injection) => ['-e', ruleOf(injection)]),
      command,
      ...args,
    ],
  };
}

function ruleOf({ syscall, error, when, delayEnterUs, delayExitUs }: Injection): string {
  const parts = [`inject=${syscall}`];
  if (error !== undefined) parts.push(`error=${error}`);
  if (delayEnterUs !== undefined) parts.push(`delay_enter=${delayEnterUs}`);
  if (delayExitUs !== undefined) parts.push(`delay_exit=${delayExitUs}`);
  if (parts.length === 1) throw new Error(`injection into ${syscall} without an effect`);
  if (when !== undefined) parts.push(`when=${when}`);
  return parts.join(':');
}
