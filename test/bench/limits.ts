/**
 * Measures the bare limits, each in a process of its own with the load generator in another, as the goals
 * want them: in the same run as the daemons' figures. `main.ts` calls the functions; run alone it prints all.
 *
 *   node limits.js [--seconds 3] [--dir DIR]
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { nodeArgsFor, projectRoot } from '../kit/paths.ts';
import { type DaemonProcess, type Owner, startProcess } from '../kit/process.ts';
import type { LoadResult } from './load.ts';

const run = promisify(execFile);

/** A program of this folder that prints "listening PORT". */
export type BareServer = 'bare-aedes' | 'bare-lmdb-mllp' | 'bare-puback';
export type Loader =
  | 'append-fdatasync'
  | 'lazy-read'
  | 'load-mllp'
  | 'load-mqtt'
  | 'load-stream'
  | 'load-uplink'
  | 'map-encode'
  | 'million-patients'
  | 'parsers';

/** What a load tool prints; `sentBytes` are the messages' own, without framing. */
export interface ToolResult extends LoadResult {
  readonly sentBytes: number;
}

/** Starts a bare server with a fresh store below `folder`; answers its port. */
export async function startBare(
  owner: Owner,
  name: BareServer,
  folder: string,
  flags: readonly string[] = [],
): Promise<{ process: DaemonProcess; port: number }> {
  mkdirSync(folder, { recursive: true });
  const store = mkdtempSync(join(folder, `${name}-`));
  owner.teardown(() => rmSync(store, { recursive: true, force: true }));
  const kept = name === 'bare-aedes' ? [] : ['--dir', store];
  const args = [...nodeArgsFor(import.meta.url, `./${name}.ts`), ...kept, ...flags];
  const server = startProcess(owner, { name, folder, args, cwd: projectRoot });
  const line = await server.waitForLine(/^listening (\d+)$/);
  return { process: server, port: Number(line[1]) };
}

/** Runs a program of this folder to its end and reads its JSON line. */
export async function runTool<T>(name: Loader, flags: readonly string[]): Promise<T> {
  const args = [...nodeArgsFor(import.meta.url, `./${name}.ts`), ...flags];
  const { stdout } = await run(process.execPath, args, { cwd: projectRoot, maxBuffer: 16 * 1024 * 1024 });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as T;
}

/** A load against a port: `runLoadTool('load-mllp', port, { connections: 64, seconds: 5 })`. */
export function runLoadTool(
  name: 'load-mllp' | 'load-mqtt',
  port: number,
  flags: Readonly<Record<string, number | string | boolean>>,
): Promise<ToolResult> {
  const named = Object.entries(flags).flatMap(([flag, value]) =>
    value === true ? [`--${flag}`] : [`--${flag}`, String(value)],
  );
  return runTool<ToolResult>(name, ['--port', String(port), ...named]);
}

/** Calls back with an owner and cleans up in reverse order, whatever happens. */
export async function owning<T>(body: (owner: Owner) => Promise<T>): Promise<T> {
  const cleanups: (() => unknown)[] = [];
  try {
    return await body({ teardown: (cleanup) => cleanups.push(cleanup) });
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '3' }, dir: { type: 'string', default: 'var/bench' } },
  });
  const folder = join(projectRoot, values.dir);
  const { seconds } = values;
  mkdirSync(folder, { recursive: true });
  const print = (name: string, figures: unknown) => console.log(name.padEnd(34), JSON.stringify(figures));
  print('disk', await runTool('append-fdatasync', ['--dir', folder, '--seconds', '1']));
  print('lazy read', await runTool('lazy-read', ['--seconds', '1']));
  print('stream, batch 100, TLS', await runTool('load-stream', ['--seconds', seconds]));
  for (const flags of [[], ['--record-per-round'], ['--volatile']]) {
    for (const connections of [1, 16, 64, 256]) {
      await owning(async (owner) => {
        const { port } = await startBare(owner, 'bare-lmdb-mllp', folder, flags);
        const figures = await runLoadTool('load-mllp', port, { connections, seconds });
        print(`mllp ${flags.join(' ')} ${connections}`, figures);
      });
    }
  }
  for (const name of ['bare-puback', 'bare-aedes'] as const) {
    for (const [connections, window] of [
      [16, 1],
      [16, 20],
      [200, 1],
      [200, 20],
    ] as const) {
      await owning(async (owner) => {
        const { port } = await startBare(owner, name, folder);
        const figures = await runLoadTool('load-mqtt', port, { connections, window, seconds });
        print(`${name} ${connections} x ${window}`, figures);
      });
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
