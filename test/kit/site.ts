/**
 * One site as its people have it: a control plane and an enrolled gateway, each a process of the built
 * product with its own folder, and the three programs to run against them.
 *
 * Invariants: every port is the system's choice and is read from /status or the log, the control plane keeps
 * its port over a restart; everything ends with the test that started it; what the daemons printed is kept
 * in files until then, so that it can be searched.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../deploy/local/link.ts';
import { loadSettings } from '../../gateway/settings.ts';
import { parseProxy } from '../../gateway/uplink/channel.ts';
import { enroll } from '../../gateway/uplink/enroll.ts';
import { makeIdentityPlace, saveIdentity } from '../../gateway/uplink/identity.ts';
import { version } from '../../gateway/version.ts';
import { bare } from './bare.ts';
import { runInTurn } from './ctl-runner.ts';
import { projectRoot } from './paths.ts';
import { type DaemonProcess, type Owner, startProcess } from './process.ts';
import { parseStatus } from './status.ts';
import { until } from './wait.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Runs as another user; only root can. */
  readonly uid?: number;
}

const programs = {
  gateway: 'dist/gateway/main.js',
  plane: 'dist/control-plane/main.js',
  ctl: 'dist/control-plane/ctl/main.js',
} as const;

const hangMs = 60_000;

export function programPath(program: keyof typeof programs): string {
  return join(projectRoot, programs[program]);
}

/** Runs a program to its end; a hang is an error that names it. */
export async function runProgram(
  program: keyof typeof programs,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const plain = program === 'ctl' && Object.keys(options).length === 0;
  const printed = plain ? await runInTurn(args, hangMs) : undefined;
  if (printed === undefined) return startProgram(program, args, options);
  const { code, stdout, stderr } = printed;
  return { code, stdout: stdout.toString(), stderr: stderr.toString(), bytes: stdout };
}

function startProgram(
  program: keyof typeof programs,
  args: readonly string[],
  { input, env = {}, cwd = tmpdir(), uid }: RunOptions,
): Promise<Ran> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(...bare(process.execPath, [programPath(program), ...args]), {
    cwd,
    env: { PATH, HOME, ...env },
    timeout: hangMs,
    killSignal: 'SIGKILL',
    ...(uid !== undefined && { uid }),
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === null) reject(new Error(`${program} ${args.join(' ')} ended by ${signal}`));
      else {
        const bytes = Buffer.concat(out);
        resolve({ code, stdout: bytes.toString(), stderr: Buffer.concat(err).toString(), bytes });
      }
    });
  });
}

export interface CustodyLine {
  readonly source: string;
  readonly accepted: number;
  readonly pending: number;
  readonly delivered: number;
  readonly quarantined: number;
  readonly expired: number;
  readonly duplicates: number;
  readonly missing: number;
}

export interface SiteStatus {
  readonly ready: boolean;
  readonly gateway: string;
  readonly enrolled: boolean;
  readonly uplink: { readonly state: string; readonly reason: string; readonly lastAckAtUs: string };
  readonly listeners: readonly {
    readonly name: string;
    readonly address: string;
    readonly state: string;
    readonly counters: Readonly<Record<string, number>>;
  }[];
  readonly config: Readonly<
    Record<'desired' | 'attempted' | 'running', { readonly version: string; readonly outcome?: string }>
  >;
  readonly journal: {
    readonly state: string;
    readonly bytes: string;
    readonly bytesMax: string;
    readonly oldestPendingAtUs: string;
    readonly refusals: number;
    readonly lanes: readonly { readonly lane: string; readonly queued: number }[];
  };
  readonly custody: readonly CustodyLine[];
  readonly destinations: readonly {
    readonly destination: string;
    readonly accepted: number;
    readonly pending: number;
    readonly delivered: number;
    readonly dead: number;
    readonly state: string;
  }[];
  readonly alarms: readonly { readonly code: string }[];
}

export interface SiteOptions {
  readonly site?: string;
  /** YAML of the gateway's settings below `status`; the default has two MLLP listeners and an MQTT one. */
  readonly settings?: string;
  /** Lines of the control plane's settings. */
  readonly planeSettings?: string;
  /** A folder of its own for the control plane. */
  readonly planeData?: string;
  /** And for the gateway. */
  readonly gatewayData?: string;
}

export const usualListeners = `listeners:
  lab: { type: mllp, listen: "127.0.0.1:0" }
  adt: { type: mllp, listen: "127.0.0.1:0" }
  ward: { type: mqtt, listen: "127.0.0.1:0", anonymous: { publish: ["devices/#"] } }
`;

/** A folder that goes with the test. */
export function folderOf(owner: Owner, name = 'hilum-test-'): string {
  const folder = mkdtempSync(join(tmpdir(), name));
  owner.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export class Site {
  readonly folder: string;
  readonly gatewayData: string;
  readonly planeData: string;
  readonly site: string;
  readonly #owner: Owner;
  gateway: DaemonProcess | undefined;
  plane: DaemonProcess | undefined;
  planePort = 0;

  constructor(
    owner: Owner,
    { site = 'north', settings = usualListeners, planeSettings, planeData, gatewayData }: SiteOptions = {},
  ) {
    this.#owner = owner;
    this.folder = folderOf(owner);
    this.site = site;
    this.gatewayData = gatewayData ?? join(this.folder, 'gateway');
    this.planeData = planeData ?? join(this.folder, 'control-plane');
    for (const folder of [this.gatewayData, this.planeData])
      mkdirSync(folder, { mode: 0o700, recursive: true });
    this.useSettings(settings);
    if (planeSettings !== undefined) writeFileSync(join(this.planeData, 'settings.yaml'), planeSettings);
  }

  /** Both daemons, enrolled and connected. */
  static async start(owner: Owner, options: SiteOptions = {}): Promise<Site> {
    const site = new Site(owner, options);
    await site.startPlane();
    await site.enroll();
    await site.startGateway();
    await site.connected();
    return site;
  }

  useSettings(settings: string): void {
    writeFileSync(join(this.gatewayData, 'settings.yaml'), `status: { listen: "127.0.0.1:0" }\n${settings}`);
  }

  get context(): string {
    return join(this.planeData, 'admin.json');
  }

  get planeAddress(): string {
    return `127.0.0.1:${this.planePort}`;
  }

  async startPlane(): Promise<void> {
    if (this.planePort === 0) [this.planePort = 0] = await freePorts(1);
    this.plane = startProcess(this.#owner, {
      name: 'control-plane',
      args: [
        programPath('plane'),
        'run',
        '--data',
        this.planeData,
        '--grpc',
        `127.0.0.1:${this.planePort}`,
        '--http',
        '127.0.0.1:0',
      ],
      folder: join(this.folder, 'logs'),
    });
    const ready = await this.plane.waitForLine(/"code":"ready".*"grpc":"[^"]*:(\d+)","http":"([^"]+)"/, {
      from: 'stderr',
      timeoutMs: hangMs,
    });
    this.planePort = Number(ready[1]);
    this.planeHttp = ready[2] ?? '';
  }
  planeHttp = '';

  /** Enrolls the gateway: what `hilum-gateway enroll` does, without a process for it. */
  async enroll(): Promise<void> {
    const token = await this.ctl('token', 'create', '--site', this.site);
    if (token.code !== 0) throw new Error(`token create: ${token.stderr}`);
    const { uplink } = loadSettings(this.gatewayData, undefined).settings;
    const { address } = uplink;
    const proxy = parseProxy(uplink.proxy);
    makeIdentityPlace(this.gatewayData);
    saveIdentity(this.gatewayData, await enroll({ token: token.stdout, address, proxy, version }));
  }

  async startGateway(): Promise<void> {
    const data = this.gatewayData;
    rmSync(join(data, 'run.json'), { force: true });
    this.gateway = startProcess(this.#owner, {
      name: 'gateway',
      args: [programPath('gateway'), 'run', '--data', data],
      folder: join(this.folder, 'logs'),
    });
    await this.gateway.waitForLine(/"code":"ready"/, { from: 'stderr', timeoutMs: hangMs });
  }

  connected(): Promise<unknown> {
    return until(async () => (await this.status()).uplink.state === 'connected', {
      what: 'the gateway being connected',
      timeoutMs: hangMs,
      everyMs: 20,
    });
  }

  async http(path: string): Promise<string> {
    const { status } = JSON.parse(readFileSync(join(this.gatewayData, 'run.json'), 'utf8')) as {
      status: string;
    };
    return (await fetch(`http://${status}${path}`, { signal: AbortSignal.timeout(30_000) })).text();
  }

  async status(): Promise<SiteStatus> {
    return parseStatus<SiteStatus>(await this.http('/status'));
  }

  /** The real port of a listener. */
  async port(listener: string): Promise<number> {
    const { listeners } = await this.status();
    const found = listeners.find(({ name }) => name === listener);
    if (found === undefined) throw new Error(`there is no listener ${listener}`);
    return Number(found.address.split(':').at(-1));
  }

  async custodyOf(source: string): Promise<CustodyLine> {
    const found = (await this.status()).custody.find((line) => line.source === source);
    return (
      found ?? {
        source,
        accepted: 0,
        pending: 0,
        delivered: 0,
        quarantined: 0,
        expired: 0,
        duplicates: 0,
        missing: 0,
      }
    );
  }

  /** Resolves when nothing is pending and the control plane is connected. */
  drained(): Promise<unknown> {
    return until(
      async () => {
        const { uplink, custody } = await this.status();
        return uplink.state === 'connected' && custody.every(({ pending }) => pending === 0);
      },
      { what: 'everything being delivered', timeoutMs: hangMs, everyMs: 20 },
    );
  }

  ctl(...args: string[]): Promise<Ran> {
    return runProgram('ctl', ['--context', this.context, ...args]);
  }

  /** The answer of a verb as JSON; a failed verb is an error with what it printed. */
  async ask<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.ctl(...args, '-o', 'json');
    if (code !== 0) throw new Error(`hilumctl ${args.join(' ')}: exit ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** The centre's custody row of a source, once it says this: a gateway reports it after a while. */
  reported(
    source: string,
    wanted: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>> {
    return until(
      async () => {
        const rows = await this.ask<Record<string, string>[]>('custody');
        return rows.find(
          (row) =>
            row.source === source && Object.entries(wanted).every(([name, value]) => row[name] === value),
        );
      },
      { what: `custody of ${source}: ${JSON.stringify(wanted)}`, timeoutMs: 30_000, everyMs: 100 },
    );
  }

  /** Events as `events -o jsonl` prints them. */
  async events(...args: string[]): Promise<EventLine[]> {
    const { code, stdout, stderr } = await this.ctl('events', '--from-start', '-o', 'jsonl', ...args);
    if (code !== 0) throw new Error(`hilumctl events: exit ${code}: ${stderr}`);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as EventLine);
  }

  /** A file of the site's folder. */
  write(name: string, content: string | Uint8Array): string {
    const file = join(this.folder, name);
    writeFileSync(file, content);
    return file;
  }

  /** Everything that the daemons printed. */
  printed(): string {
    const logs = join(this.folder, 'logs');
    return readdirSync(logs)
      .map((file) => readFileSync(join(logs, file), 'utf8'))
      .join('\n');
  }
}

/** The part of an event that tests look at; the rest is there too. */
export interface EventLine {
  readonly id: string;
  readonly gateway: string;
  readonly site: string;
  readonly position: { readonly epoch: string; readonly lane: string; readonly sequence: string };
  readonly kind: string;
  readonly class: string;
  readonly status: string;
  readonly provenance: {
    readonly source: string;
    readonly protocol: string;
    readonly messageControlId: string;
    readonly recordHash: string;
    readonly record: { readonly epoch: string; readonly sequence: string };
    readonly mappingVersion: string;
    readonly rules?: readonly string[];
    readonly remarks?: readonly string[];
    readonly duplicateOf?: string;
    readonly conflict?: string;
  };
  readonly raw?: string;
  readonly [more: string]: unknown;
}
