/**
 * hilumctl in a process that stays: a start takes half a second of processor, and tests ask hundreds of times. It is
 * the same program with the same words, exit codes and connections. A process serves one call at a time; what ends the
 * program (a refusal, a usage error) ends the process, as it should, after what it printed was told.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { bare } from './bare.ts';

export interface Printed {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** What is sent to it, and what it answers. Bytes are base64: what was printed may be no text. */
export interface Call {
  readonly args: readonly string[];
}
export interface Answer {
  readonly code: number;
  /** The process ends with it. */
  readonly ends: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** One for the test file; undefined while it is at work, or not there. */
let idle: ChildProcess | undefined;
let running = 0;
let calls = 0;

/** Undefined where none is free: then the caller starts the program itself. The first call of a test file is one of those. */
export function runInTurn(args: readonly string[], hangMs: number): Promise<Printed> | undefined {
  calls += 1;
  if (calls === 1) return undefined;
  const child = idle ?? start();
  if (child === undefined) return undefined;
  idle = undefined;
  return new Promise((resolve, reject) => {
    const hang = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`ctl ${args.join(' ')} did not end in ${hangMs} ms`));
    }, hangMs);
    const gone = () => {
      clearTimeout(hang);
      reject(new Error(`ctl ${args.join(' ')} ended without an answer`));
    };
    child.once('exit', gone);
    child.once('message', (message) => {
      clearTimeout(hang);
      child.off('exit', gone);
      const { code, ends, stdout, stderr } = message as Answer;
      if (!ends) idle = child;
      resolve({ code, stdout: Buffer.from(stdout, 'base64'), stderr: Buffer.from(stderr, 'base64') });
    });
    child.send({ args } satisfies Call);
  });
}

function start(): ChildProcess | undefined {
  if (running > 0) return undefined;
  const { PATH = '', HOME = '' } = process.env;
  const script = fileURLToPath(new URL('./ctl-runner-main.js', import.meta.url));
  const child = spawn(...bare(process.execPath, [script]), {
    cwd: tmpdir(),
    env: { PATH, HOME },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  running += 1;
  child.once('exit', (code, signal) => {
    running -= 1;
    if (idle !== child) return;
    idle = undefined;
    // Nobody asked it to: something that a call had left behind failed.
    throw new Error(`hilumctl ended with ${signal ?? code} after it had answered`);
  });
  // It keeps no test alive; it ends with its channel.
  child.unref();
  child.channel?.unref();
  return child;
}
