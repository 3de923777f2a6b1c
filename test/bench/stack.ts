/**
 * Our daemons as an operator has them: a control plane and an enrolled gateway, each a process of its own
 * with its own files, built-in config, sealing, scan and repeat index on. Loads are entered in the books, so
 * that at the end the centre can be asked for every message.
 *
 * Convention: ports are the system's choice; the control plane keeps its port over a restart.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, connect } from '../../control-plane/ctl/client.ts';
import { freePorts } from '../../deploy/local/link.ts';
import { enroll } from '../../gateway/uplink/enroll.ts';
import { saveIdentity } from '../../gateway/uplink/identity.ts';
import { type MessageKind, messageMaker } from '../kit/messages.ts';
import { nodeArgsFor } from '../kit/paths.ts';
import { type DaemonProcess, type Owner, startProcess } from '../kit/process.ts';
import { parseStatus } from '../kit/status.ts';
import { until } from '../kit/wait.ts';
import { Books, type Census } from './books.ts';
import { storedEvents } from './centre.ts';
import { runLoadTool, type ToolResult } from './limits.ts';

export interface Status {
  readonly ready: boolean;
  readonly uplink: { readonly state: string; readonly lastAckAtUs: string };
  readonly listeners: readonly { readonly name: string; readonly address: string }[];
  readonly journal: {
    readonly bytes: string;
    readonly fileBytes: string;
    readonly recoveredMs: number;
    readonly lanes: readonly { readonly lane: string; readonly queued: number }[];
  };
  readonly custody: readonly Readonly<Record<'accepted' | 'pending' | 'delivered' | 'quarantined', number>>[];
  readonly alarms: readonly { readonly code: string }[];
}

/** Records of all sources together. */
export interface Totals {
  readonly accepted: number;
  readonly pending: number;
  readonly delivered: number;
  readonly quarantined: number;
}

const hangMs = 100_000;

export class Stack {
  readonly folder: string;
  readonly books = new Books();
  readonly #owner: Owner;
  #gateway: DaemonProcess | undefined;
  #plane: DaemonProcess | undefined;
  #planePort = 0;
  #statusAddress = '';
  #seed: number;
  #next = 0;
  mllpPort = 0;

  constructor(owner: Owner, folder: string) {
    mkdirSync(folder, { recursive: true });
    const own = mkdtempSync(join(folder, 'stack-'));
    owner.teardown(() => rmSync(own, { recursive: true, force: true }));
    this.folder = own;
    this.#owner = owner;
    // Sixteen bits of it are in each control ID; one stack never uses one twice.
    this.#seed = 1;
    this.#settings();
  }

  /** Both daemons, enrolled and connected. */
  static async start(owner: Owner, folder: string): Promise<Stack> {
    const stack = new Stack(owner, folder);
    await stack.startPlane();
    await stack.enroll();
    await stack.startGateway();
    await stack.connected();
    return stack;
  }

  /** A gateway alone: it captures and normalizes, and nobody takes its events. */
  static async alone(owner: Owner, folder: string): Promise<Stack> {
    const stack = new Stack(owner, folder);
    await stack.startGateway();
    return stack;
  }

  get gatewayPid(): number {
    return this.#gateway!.pid;
  }

  /** Undefined while it is stopped. */
  get planePid(): number | undefined {
    return this.#plane?.pid;
  }

  get planeAddress(): string {
    return `127.0.0.1:${this.#planePort}`;
  }

  get context(): string {
    return join(this.folder, 'control-plane', 'admin.json');
  }

  /** Bytes that the two stores take on the disk. */
  get diskBytes(): { journal: number; eventLog: number } {
    // Blocks behind the end of the journal's file are its reserve, and hold nothing.
    const taken = (path: string) => statSync(join(this.folder, path)).size;
    return { journal: taken('gateway/journal/data.mdb'), eventLog: taken('control-plane/store/data.mdb') };
  }

  async startPlane(): Promise<void> {
    if (this.#planePort === 0) [this.#planePort = 0] = await freePorts(1);
    const data = join(this.folder, 'control-plane');
    const args = [...nodeArgsFor(import.meta.url, '../../control-plane/main.ts'), 'run', '--data', data];
    const grpc = ['--grpc', `127.0.0.1:${this.#planePort}`];
    const options = { name: 'control-plane', args: [...args, ...grpc], folder: this.folder };
    this.#plane = startProcess(this.#owner, options);
    const line = await this.#plane.waitForLine(/"code":"ready".*"grpc":"[^"]*:(\d+)"/, {
      from: 'stderr',
      timeoutMs: hangMs,
    });
    this.#planePort = Number(line[1]);
  }

  async stopPlane(): Promise<void> {
    await this.#plane?.stop();
    this.#plane = undefined;
  }

  async enroll(): Promise<void> {
    saveIdentity(join(this.folder, 'gateway'), await this.newIdentity());
  }

  async newIdentity(): Promise<Awaited<ReturnType<typeof enroll>>> {
    const connection = connect(this.context);
    const request = { site: 'bench', gateway: '', ttlSeconds: 300 };
    const { token } = await call(connection, connection.client.createToken, request);
    connection.close();
    return enroll({ token, version: 'bench' });
  }

  /** Milliseconds from the start of the process until it says that it is ready. */
  async startGateway(): Promise<number> {
    const data = join(this.folder, 'gateway');
    rmSync(join(data, 'run.json'), { force: true });
    const args = [...nodeArgsFor(import.meta.url, '../../gateway/main.ts'), 'run', '--data', data];
    const startedAt = performance.now();
    this.#gateway = startProcess(this.#owner, { name: 'gateway', args, folder: this.folder });
    const gateway = this.#gateway;
    const run = join(data, 'run.json');
    await gateway.waitFor(
      async () => {
        if (!existsSync(run)) return false;
        this.#statusAddress = (JSON.parse(readFileSync(run, 'utf8')) as { status: string }).status;
        return (await fetch(`http://${this.#statusAddress}/healthz`)).ok;
      },
      { timeoutMs: hangMs, everyMs: 5, what: 'the gateway being ready' },
    );
    const tookMs = performance.now() - startedAt;
    const { listeners } = await this.status();
    this.mllpPort = Number(
      listeners
        .find(({ name }) => name === 'mllp')
        ?.address.split(':')
        .at(-1),
    );
    return tookMs;
  }

  async killGateway(): Promise<void> {
    await this.#gateway?.kill();
  }

  async status(): Promise<Status> {
    try {
      const response = await fetch(`http://${this.#statusAddress}/status`, {
        signal: AbortSignal.timeout(30_000),
      });
      return parseStatus<Status>(await response.text());
    } catch (error) {
      throw this.#ended() ?? error;
    }
  }

  /** Says how a daemon ended that should be running; undefined where both run. */
  #ended(): Error | undefined {
    for (const [name, daemon] of [
      ['gateway', this.#gateway] as const,
      ['control plane', this.#plane] as const,
    ]) {
      if (daemon?.exit === undefined) continue;
      const how = daemon.exit.signal ?? `exit ${daemon.exit.code}`;
      return new Error(
        `the ${name} ended by itself: ${how}\n${daemon.stderr.trim().split('\n').slice(-5).join('\n')}`,
      );
    }
    return undefined;
  }

  async totals(): Promise<Totals> {
    return totalsOf(await this.status());
  }

  connected(): Promise<unknown> {
    return until(async () => (await this.status()).uplink.state === 'connected', {
      what: 'the uplink being connected',
      timeoutMs: hangMs,
      everyMs: 50,
    });
  }

  /** Nothing pending; answers when the last ack came, wall clock in milliseconds. */
  drained(timeoutMs = 600_000): Promise<number> {
    const probe = async () => {
      const status = await this.status();
      return totalsOf(status).pending === 0 && Number(status.uplink.lastAckAtUs) / 1000;
    };
    return until(probe, { what: 'every record being at the centre', timeoutMs, everyMs: 50 });
  }

  /** Both daemons at work for so long, and done. */
  async warm(seconds: number): Promise<void> {
    await this.load({ connections: 64, seconds, warmup: 0 });
    await this.drained();
  }

  /** Everything normalized; it may all be waiting in the outbox. One event a record, as our messages are. */
  normalized(timeoutMs = 600_000): Promise<unknown> {
    const probe = async () => {
      const status = await this.status();
      const queued = status.journal.lanes.reduce((sum, lane) => sum + lane.queued, 0);
      return totalsOf(status).pending <= queued;
    };
    return until(probe, { what: 'every record being normalized', timeoutMs, everyMs: 50 });
  }

  /**
   * A load on the MLLP listener from a process of its own. Its messages and their orders are distinct from all earlier
   * ones: with the same numbers again, each result would be a correction of an order of a load before.
   */
  async load(
    flags: Readonly<Record<string, number | string | boolean>>,
    kind: MessageKind = 'oru',
  ): Promise<ToolResult & { prefix: string; first: number }> {
    const seed = this.#seed++;
    const first = this.#next;
    const tool = { ...flags, kind, seed, first };
    const result = await runLoadTool('load-mllp', this.mllpPort, tool).catch((error) => {
      throw this.#ended() ?? error;
    });
    this.#next = result.next;
    const prefix = messageMaker({ seed, kind })(0).controlId.slice(0, -11);
    this.books.enter(prefix, first, result);
    return { ...result, prefix, first };
  }

  /** Asks the centre for every event; waits until all is there. */
  async census(): Promise<Census> {
    await this.drained();
    return this.books.census(storedEvents(this.context));
  }

  #settings(): void {
    const data = join(this.folder, 'gateway');
    mkdirSync(data, { recursive: true, mode: 0o700 });
    writeFileSync(
      join(data, 'settings.yaml'),
      'listeners: { mllp: { type: mllp, listen: "127.0.0.1:0" } }\nstatus: { listen: "127.0.0.1:0" }\n',
    );
  }

  /** The gateway reaches the control plane through this address from its next start on. */
  uplinkVia(address: string): void {
    writeFileSync(join(this.folder, 'gateway', 'settings.yaml'), `uplink: { address: "${address}" }\n`, {
      flag: 'a',
    });
  }
}

export function totalsOf({ custody }: Status): Totals {
  const sum = (name: keyof Totals) => custody.reduce((total, row) => total + row[name], 0);
  return {
    accepted: sum('accepted'),
    pending: sum('pending'),
    delivered: sum('delivered'),
    quarantined: sum('quarantined'),
  };
}
