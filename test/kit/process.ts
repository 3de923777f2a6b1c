/**
 * Runs a built daemon as an operator would: its own process, its own files, ended by signals.
 *
 * Invariants: output goes straight to files (a test that is busy never blocks the daemon, and what was
 * printed survives kill -9, for the search for PHI); a process ends with its test, at the latest
 * when the runner exits; readiness is a condition (a line, a status), never a pause.
 * Convention: listeners are asked for port 0 and the real port is read from a line or from `status`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bare } from './bare.ts';
import { type Usage, usageOf } from './proc.ts';
import { until, within } from './wait.ts';

export interface ProcessOptions {
  /** Names the output files. */
  readonly name: string;
  /** Arguments of `command`; for node: the module first. */
  readonly args: readonly string[];
  readonly command?: string;
  readonly folder: string;
  readonly cwd?: string;
  /** Added to a clean environment: nothing of the test runner's leaks in but PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  /** Shared objects for LD_PRELOAD. */
  readonly preload?: readonly string[];
  /** Keeps standard input open; `write` on `stdin` then feeds it. */
  readonly stdin?: boolean;
}

/** Whatever cleans up after itself: tap's `t`, or a list. */
export interface Owner {
  teardown(cleanup: () => unknown): unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export class DaemonProcess {
  readonly stdoutPath: string;
  readonly stderrPath: string;
  /** Resolves when the process is gone. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #name: string;
  #exit: Exit | undefined;

  constructor(owner: Owner, options: ProcessOptions) {
    mkdirSync(options.folder, { recursive: true });
    this.#name = options.name;
    // Every run of a name has files of its own: a restart must not hide what the first run printed.
    const run = `${options.name}-${nextRun(options.folder, options.name)}`;
    this.stdoutPath = join(options.folder, `${run}.stdout`);
    this.stderrPath = join(options.folder, `${run}.stderr`);
    const [out, err] = [openSync(this.stdoutPath, 'ax'), openSync(this.stderrPath, 'ax')];
    const { preload = [] } = options;
    const preloads = preload.length > 0 ? { LD_PRELOAD: preload.join(':') } : {};
    const [command, args] = bare(options.command ?? process.execPath, options.args, preloads);
    const child = spawn(command, args, {
      cwd: options.cwd ?? options.folder,
      env: environmentOf(options),
      stdio: [options.stdin ? 'pipe' : 'ignore', out, err],
    });
    closeSync(out);
    closeSync(err);
    this.#child = child;
    alive.add(child);
    this.exited = new Promise((resolve) => {
      const gone = (exit: Exit) => {
        alive.delete(child);
        this.#exit ??= exit;
        resolve(this.#exit);
      };
      child.once('exit', (code, signal) => gone({ code, signal }));
      child.once('error', () => gone({ code: 127, signal: null }));
    });
    owner.teardown(() => this.kill());
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#name} could not be started`);
    return this.#child.pid;
  }

  /** Undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  get stdin(): NodeJS.WritableStream | null {
    return this.#child.stdin;
  }

  get stdout(): string {
    return readFileSync(this.stdoutPath, 'utf8');
  }

  get stderr(): string {
    return readFileSync(this.stderrPath, 'utf8');
  }

  /** Waits for a line of standard output (or error) that matches. Fails at once if the process ends first. */
  waitForLine(pattern: RegExp, { timeoutMs = 10_000, from = 'stdout' as 'stdout' | 'stderr' } = {}) {
    return this.waitFor(
      () => {
        const text = from === 'stdout' ? this.stdout : this.stderr;
        const whole = text.slice(0, text.lastIndexOf('\n') + 1);
        for (const line of whole.split('\n')) {
          const match = pattern.exec(line);
          if (match) return match;
        }
        return undefined;
      },
      { timeoutMs, what: `${this.#name} printing ${pattern}` },
    );
  }

  /** Waits for a condition about this process: a status call, a file. Fails at once if the process ends. */
  waitFor<T>(
    probe: () => T | undefined | false | Promise<T | undefined | false>,
    { timeoutMs = 10_000, everyMs = 10, what = `${this.#name} being ready` } = {},
  ): Promise<T> {
    return until(
      async () => {
        const gone = this.#exit;
        const found = await probe();
        if (found === undefined || found === false) {
          if (gone)
            throw new Error(`${this.#name} ended (${this.#how(gone)}) before ${what}\n${this.#tail()}`);
        }
        return found;
      },
      { what, timeoutMs, everyMs },
    );
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** kill -9, and waits until the kernel has taken it away. Safe when it is gone. */
  async kill(): Promise<Exit> {
    if (!this.#exit) this.#child.kill('SIGKILL');
    return this.exited;
  }

  /** SIGTERM, then waits for the end. */
  async stop(timeoutMs = 30_000): Promise<Exit> {
    this.signal('SIGTERM');
    return this.waitForExit(timeoutMs);
  }

  waitForExit(timeoutMs = 30_000): Promise<Exit> {
    return within(this.exited, timeoutMs, `the end of ${this.#name}`);
  }

  usage(): Usage | undefined {
    return this.#exit ? undefined : usageOf(this.pid);
  }

  #how({ code, signal }: Exit): string {
    return signal ?? `exit ${code}`;
  }

  #tail(): string {
    return this.stderr.slice(-2_000);
  }
}

/** Starts a process that ends with its owner. */
export function startProcess(owner: Owner, options: ProcessOptions): DaemonProcess {
  return new DaemonProcess(owner, options);
}

function nextRun(folder: string, name: string): number {
  let run = 1;
  while (existsSync(join(folder, `${name}-${run}.stdout`))) run += 1;
  return run;
}

function environmentOf({ env = {} }: ProcessOptions): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ['PATH', 'HOME', 'TZ', 'LANG', 'TMPDIR']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return { ...kept, ...env };
}
