/**
 * A control plane and an enrolled gateway on this machine, each a process of its own, started
 * as an operator would start them. Used by `npm start` and by the demo.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { call, connect } from '../../control-plane/ctl/client.ts';

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
  });
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  child.stderr?.pipe(log);
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { name, child, logFile, exited };
}

export function startControlPlane(directory: string, grpc: string, http: string): Program {
  return launch(
    'control-plane',
    programs.controlPlane,
    ['run', '--data', join(directory, 'control-plane'), '--grpc', grpc, '--http', http],
    directory,
  );
}

export function startGateway(directory: string, settings?: string): Program {
  const args = ['run', '--data', join(directory, 'gateway')];
  if (settings !== undefined) args.push('--settings', settings);
  return launch('gateway', programs.gateway, args, directory);
}

export async function enrollGateway(directory: string, site: string): Promise<void> {
  if (existsSync(join(directory, 'gateway', 'identity', 'enrollment.json'))) return;
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
export function controlPlaneReady(directory: string, running: Program): Promise<void> {
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

export interface GatewayStatus {
  ready: boolean;
  uplink: { state: string };
  listeners: { name: string; address: string; state: string }[];
  custody: { source: string; accepted: number; pending: number; delivered: number; quarantined: number }[];
}

export async function gatewayStatus(directory: string): Promise<GatewayStatus | undefined> {
  try {
    const { status } = JSON.parse(readFileSync(join(directory, 'gateway', 'run.json'), 'utf8')) as {
      status: string;
    };
    const response = await fetch(`http://${status}/status`, { signal: AbortSignal.timeout(2_000) });
    return (await response.json()) as GatewayStatus;
  } catch {
    return undefined;
  }
}

/** Resolves when the gateway is ready (and connected, where wanted). */
export function gatewayReady(directory: string, running: Program, connected: boolean): Promise<void> {
  return until(running, async () => {
    const status = await gatewayStatus(directory);
    return status?.ready === true && (!connected || status.uplink.state === 'connected');
  });
}

async function until(running: Program, done: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 30_000;
  for (;;) {
    if (running.child.exitCode !== null) throw ended(running);
    if (await done().catch(() => false)) return;
    if (Date.now() > deadlineMs)
      throw new Error(`${running.name} was not ready in 30 s; its log is ${running.logFile}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function ended(running: Program): Error {
  const log = readFileSync(running.logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
  return new Error(`${running.name} ended with exit ${running.child.exitCode}:\n${log}`);
}
