/**
 * A control plane and an enrolled gateway on this machine, each a process of its own, started
 * as an operator would start them. Used by `npm start` and by the demo.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { call, connect } from '../../control-plane/ctl/client.ts';
import { exitCode } from '../../gateway/process/errors.ts';
import type { RunningStatus } from '../../gateway/running-status.ts';
import { readStatus } from '../../gateway/status-command.ts';
import { loadIdentity, saveIdentity } from '../../gateway/uplink/identity.ts';

const programs = {
  gateway: program('gateway/main'),
  controlPlane: program('control-plane/main'),
};

export interface Program {
  name: string;
  child: ChildProcess;
  logFile: string;
  /** Resolves with the exit code, null when it was killed. */
  exited: Promise<number | null>;
  /** Resolves when this very process said that it is ready; rejects with its last words when it ended first. */
  ready: Promise<void>;
}

/** A daemon ended before it was ready; `exit` is its own. */
export class Ended extends Error {
  readonly exit: number;
  constructor(name: string, exit: number | null, said: string) {
    super(`The ${name} ended with ${exit === null ? 'a signal' : `exit ${exit}`}:\n${said}`);
    this.exit = exit === null || exit === 0 ? 1 : exit;
  }
}

function program(module: string): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../../${module}.${extension}`, import.meta.url));
}

function launch(name: string, file: string, args: string[], directory: string): Program {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const logFile = join(directory, `${name}.log`);
  const child = spawn(process.execPath, [...process.execArgv, file, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // A group of its own: Ctrl-C is for whoever started it, who stops the gateway first.
    detached: true,
  });
  // It gets no signal of the terminal any more, so it must not be left behind either.
  const leave = () => child.kill('SIGTERM');
  process.once('exit', leave);
  child.once('exit', () => process.off('exit', leave));
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  child.stderr?.pipe(log);
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const ready = new Promise<void>((resolve, reject) => {
    let said = '';
    // Others write to the log, and another daemon may answer where this one should: only its own words count.
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-16_384);
      if (/"code":"ready"/.test(said)) resolve();
    });
    child.once('close', (code) => reject(new Ended(name, code, lastWords(said))));
  });
  // Whoever does not wait for it hears of the end by `exited`.
  ready.catch(() => {});
  return { name, child, logFile, exited, ready };
}

/** What a person should read: the lines that are no log lines, else the last log lines. */
function lastWords(said: string): string {
  const lines = said.trim().split('\n');
  const words = lines.filter((line) => !line.startsWith('{'));
  return (words.length > 0 ? words : lines.slice(-3)).join('\n');
}

/** @param flags `--grpc`, `--http`; without, the settings in its data directory hold, or the defaults. */
export function startControlPlane(directory: string, flags: string[] = []): Program {
  const args = ['run', '--data', join(directory, 'control-plane'), ...flags];
  return launch('control-plane', programs.controlPlane, args, directory);
}

export function startGateway(directory: string, settings?: string): Program {
  const args = ['run', '--data', join(directory, 'gateway')];
  if (settings !== undefined) args.push('--settings', settings);
  return launch('gateway', programs.gateway, args, directory);
}

export async function enrollGateway(directory: string, site: string): Promise<void> {
  const { address } = JSON.parse(readFileSync(contextFile(directory), 'utf8')) as { address: string };
  const identity = loadIdentity(join(directory, 'gateway'));
  if (identity !== undefined) {
    // Both are this stack's: the gateway follows when the control plane's port was changed.
    if (identity.address !== address) saveIdentity(join(directory, 'gateway'), { ...identity, address });
    return;
  }
  const connection = connect(contextFile(directory));
  const { token } = await call(connection, connection.client.createToken, {
    site,
    gateway: '',
    ttlSeconds: 300,
  });
  connection.close();
  const enrollment = spawn(
    process.execPath,
    [...process.execArgv, programs.gateway, 'enroll', '--data', join(directory, 'gateway'), '--token', '-'],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  );
  enrollment.stdin?.end(token);
  const code = await new Promise<number | null>((resolve) => enrollment.once('exit', resolve));
  if (code !== 0) throw new Error(`the enrollment of the gateway failed (exit ${code})`);
}

export function contextFile(directory: string): string {
  return join(directory, 'control-plane', 'admin.json');
}

/** Resolves when the control plane answers a call, rejects when its process ended first. */
export async function controlPlaneReady(directory: string, running: Program): Promise<void> {
  await running.ready;
  return until(running, async () => {
    if (!existsSync(contextFile(directory))) return false;
    const connection = connect(contextFile(directory));
    try {
      await call(connection, connection.client.listGateways, {});
      return true;
    } finally {
      connection.close();
    }
  });
}

/** Undefined where none runs, or it does not answer yet. */
export function gatewayStatus(directory: string): Promise<RunningStatus | undefined> {
  return readStatus(join(directory, 'gateway')).catch(() => undefined);
}

/** Resolves when the gateway is ready (and connected, where wanted). */
export async function gatewayReady(directory: string, running: Program, connected: boolean): Promise<void> {
  await running.ready;
  return until(running, async () => {
    const status = await gatewayStatus(directory);
    return status?.ready === true && (!connected || status.uplink.state === 'connected');
  });
}

async function until(running: Program, done: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 30_000;
  for (;;) {
    if (running.child.exitCode !== null) {
      await running.ready;
      throw new Ended(running.name, running.child.exitCode, `its log is ${running.logFile}`);
    }
    if (await done().catch(() => false)) return;
    if (Date.now() > deadlineMs)
      throw new Error(`${running.name} was not ready in 30 s; its log is ${running.logFile}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Of a command without options: `--help` says what it does, anything else is refused. */
export function takesNothing(command: string, does: string): void {
  const [word] = process.argv.slice(2);
  if (word === undefined) return;
  const asked = word === '--help' || word === '-h';
  const text = asked ? `${command}: ${does}. It takes no options.` : `${command} takes no options: ${word}`;
  (asked ? process.stdout : process.stderr).write(`${text}\n`);
  process.exit(asked ? exitCode.done : exitCode.usage);
}
