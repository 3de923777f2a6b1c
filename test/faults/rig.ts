/**
 * A control plane and an enrolled gateway as processes of the built product, with a line between
 * them that can be cut, senders that keep a ledger, and the oracle that all rows share.
 *
 * Truth is the sender's fsynced ledger and the raw bytes at the centre, never Hilum's own counts.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Connection, call, connect, stream } from '../../control-plane/ctl/client.ts';
import { freePorts } from '../../deploy/local/link.ts';
import { enroll } from '../../gateway/uplink/enroll.ts';
import { saveIdentity } from '../../gateway/uplink/identity.ts';
import { ChaosProxy } from '../kit/chaos-proxy.ts';
import { checkDelivery, type DeliveryReport, type Received, summaryOf } from '../kit/delivery.ts';
import { entryOf, readLedger, SenderLedger } from '../kit/ledger.ts';
import { type MessageKind, messageMaker } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { type DaemonProcess, startProcess } from '../kit/process.ts';
import { parseStatus } from '../kit/status.ts';
import { until } from '../kit/wait.ts';
import { leaksIn } from './leaks.ts';
import type { RowContext } from './row.ts';
import type { Status } from './status.ts';

export interface RigOptions {
  /** YAML of the journal section: `reserve: "1MiB"`. */
  readonly journal?: string;
  /** More listeners, as lines of YAML without their ports: `stress: { type: mllp, frameBytesMax: 31MiB }`. */
  readonly listeners?: Readonly<Record<string, string>>;
  /** Where the gateway's data is; default: in the row's folder. */
  readonly gatewayData?: string;
}

export interface GatewayRun {
  readonly preload?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Runs the daemon under something else: strace. */
  readonly wrap?: (command: string, args: readonly string[]) => { command: string; args: readonly string[] };
}

const readyMs = 100_000;
const rssBytesMax = 512 * 1024 ** 2;

export class Rig {
  readonly #context: RowContext;
  readonly #options: RigOptions;
  readonly ledgerPath: string;
  readonly gatewayData: string;
  gateway: DaemonProcess | undefined;
  plane: DaemonProcess | undefined;
  proxy!: ChaosProxy;
  ledger!: SenderLedger;
  mllpPort = 0;
  mqttPort = 0;
  planePort = 0;
  /** Of the listeners in the options. */
  readonly ports = new Map<string, number>();
  /** Worst times from the start of a process until it is ready, milliseconds. */
  worstRestartMs = 0;
  #rssBytes = 0;

  constructor(context: RowContext, options: RigOptions = {}) {
    this.#context = context;
    this.#options = options;
    this.gatewayData = options.gatewayData ?? join(context.folder, 'gateway');
    this.ledgerPath = join(context.folder, 'ledger.jsonl');
  }

  /** Both daemons, connected through the line. */
  async start(run: GatewayRun = {}): Promise<void> {
    await this.prepare();
    await this.startPlane();
    await this.enroll();
    await this.startGateway(run);
    await this.connected();
  }

  /** Ports, settings, the line and the ledger; nothing runs yet. */
  async prepare(): Promise<void> {
    const { folder } = this.#context;
    const more = Object.entries(this.#options.listeners ?? {});
    const [plane = 0, mllp = 0, mqtt = 0, ...others] = await freePorts(3 + more.length);
    for (const [at, [name]] of more.entries()) this.ports.set(name, others[at] as number);
    this.planePort = plane;
    this.mllpPort = mllp;
    this.mqttPort = mqtt;
    this.proxy = await ChaosProxy.start({ port: plane });
    this.#context.teardown(() => this.proxy.close());
    this.ledger = new SenderLedger(this.ledgerPath);
    mkdirSync(join(folder, 'control-plane'), { recursive: true });
    mkdirSync(this.gatewayData, { recursive: true });
    writeFileSync(
      join(folder, 'control-plane', 'settings.yaml'),
      `advertise: "127.0.0.1:${this.proxy.port}"\n`,
    );
    writeFileSync(
      join(this.gatewayData, 'settings.yaml'),
      `listeners:
  mllp: { type: mllp, listen: "127.0.0.1:${mllp}" }
  mqtt: { type: mqtt, listen: "127.0.0.1:${mqtt}", anonymous: { publish: ["devices/#"] } }
${more.map(([name, text]) => `  ${name}: { ${text}, listen: "127.0.0.1:${this.ports.get(name)}" }\n`).join('')}status: { listen: "127.0.0.1:0" }
${this.#options.journal === undefined ? '' : `journal: { ${this.#options.journal} }\n`}`,
    );
  }

  async enroll(): Promise<void> {
    const connection = this.admin();
    const request = { site: 'faults', gateway: '', ttlSeconds: 300 };
    const { token } = await call(connection, connection.client.createToken, request);
    connection.close();
    saveIdentity(this.gatewayData, await enroll({ token, version: 'test' }));
  }

  async startPlane(): Promise<void> {
    const { dist, folder } = this.#context;
    const startedAt = performance.now();
    const args = ['run', '--data', join(folder, 'control-plane'), '--grpc', `127.0.0.1:${this.planePort}`];
    const plane = startProcess(this.#context, {
      name: 'control-plane',
      args: [join(dist, 'control-plane', 'main.js'), ...args, '--http', '127.0.0.1:0'],
      folder: join(folder, 'logs'),
    });
    this.plane = plane;
    await plane.waitForLine(/"code":"ready"/, { from: 'stderr', timeoutMs: readyMs });
    this.worstRestartMs = Math.max(this.worstRestartMs, performance.now() - startedAt);
  }

  async startGateway({ preload = [], env = {}, wrap }: GatewayRun = {}): Promise<void> {
    const startedAt = performance.now();
    this.launchGateway({ preload, env, ...(wrap === undefined ? {} : { wrap }) });
    await this.gateway?.waitForLine(/"code":"ready"/, { from: 'stderr', timeoutMs: readyMs });
    this.worstRestartMs = Math.max(this.worstRestartMs, performance.now() - startedAt);
  }

  /** Starts the process and does not wait. */
  launchGateway({ preload = [], env = {}, wrap }: GatewayRun = {}): void {
    const { dist, folder } = this.#context;
    const plain = {
      command: process.execPath,
      args: [join(dist, 'gateway', 'main.js'), 'run', '--data', this.gatewayData],
    };
    const { command, args } = wrap === undefined ? plain : wrap(plain.command, plain.args);
    this.gateway = startProcess(this.#context, {
      name: 'gateway',
      command,
      args,
      preload,
      env,
      folder: join(folder, 'logs'),
    });
  }

  async killGateway(): Promise<void> {
    this.#noteMemory();
    await this.gateway?.kill();
  }

  async killPlane(): Promise<void> {
    this.#noteMemory();
    await this.plane?.kill();
  }

  connected(): Promise<unknown> {
    return until(async () => (await this.status())?.uplink.state === 'connected', {
      what: 'the gateway being connected',
      timeoutMs: readyMs,
      everyMs: 20,
    });
  }

  async status(): Promise<Status | undefined> {
    try {
      const { status } = JSON.parse(readFileSync(join(this.gatewayData, 'run.json'), 'utf8')) as {
        status: string;
      };
      const response = await fetch(`http://${status}/status`, { signal: AbortSignal.timeout(2_000) });
      return parseStatus<Status>(await response.text());
    } catch {
      return undefined;
    }
  }

  async metrics(): Promise<string> {
    const { status } = JSON.parse(readFileSync(join(this.gatewayData, 'run.json'), 'utf8')) as {
      status: string;
    };
    return (await fetch(`http://${status}/metrics`)).text();
  }

  admin(): Connection {
    return connect(join(this.#context.folder, 'control-plane', 'admin.json'));
  }

  /** Resolves to what became of it at the gateway: `applied`. */
  async push(yaml: string): Promise<string> {
    const connection = this.admin();
    const request = { yaml, site: 'faults', reason: 'row', waitSeconds: 30, inPlaceOf: 0n };
    const { results, problems } = await call(connection, connection.client.pushConfig, request);
    connection.close();
    return results[0]?.outcome ?? problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
  }

  /** One message of a row's own, with its line in the ledger; resolves to the answer's code. */
  async tell(client: MllpClient, message: { n: number; controlId: string; bytes: Buffer }): Promise<string> {
    await this.ledger.sent(entryOf(message, { source: 'own' }));
    const { code } = await client.send(message.bytes);
    this.ledger.answered(message.n, code);
    return code;
  }

  /** Resolves when nothing is pending at the gateway. It hangs where nothing more is delivered, however much there is. */
  async drained(): Promise<void> {
    this.#noteMemory();
    for (let left = Number.POSITIVE_INFINITY; left > 0; ) {
      const before = left;
      const { now } = await until(
        async () => {
          const exit = this.gateway?.exit;
          if (exit !== undefined)
            throw new Error(`the gateway ended by itself (exit ${exit.code ?? exit.signal})`);
          const status = await this.status();
          if (status?.uplink.state !== 'connected') return false;
          const now = status.custody.reduce((sum, { pending }) => sum + pending, 0);
          return (now === 0 || now < before) && { now };
        },
        { what: 'everything being delivered', timeoutMs: readyMs, everyMs: 50 },
      );
      left = now;
    }
  }

  /** What stands at the centre, one entry a record, from its raw bytes. */
  async received(): Promise<
    (Received & { conflict: string; source: string; index: bigint; storedAtUs: bigint })[]
  > {
    const connection = this.admin();
    const found: (Received & { conflict: string; source: string; index: bigint; storedAtUs: bigint })[] = [];
    const request = { ...everything, fromStart: true, raw: true, reason: 'fault row' };
    for await (const { event, raw, index, storedAtUs } of stream(
      connection,
      connection.client.streamEvents(request),
    )) {
      if (event?.provenance?.index !== 1) continue;
      found.push({
        sha256: createHash('sha256').update(raw).digest('hex'),
        controlId: event.provenance.messageControlId,
        lane: event.class,
        position: index,
        conflict: event.provenance.conflict,
        source: event.provenance.source,
        index,
        storedAtUs,
      });
    }
    connection.close();
    return found;
  }

  /** The oracle of all rows. Everything must have been delivered; the daemons still run. */
  async oracle(): Promise<{ failures: string[]; report: DeliveryReport; summary: string }> {
    this.#noteMemory();
    this.ledger.close();
    const report = checkDelivery(readLedger(this.ledgerPath), await this.received());
    const failures: string[] = [];
    const must = (holds: boolean, what: string) => {
      if (!holds) failures.push(what);
    };
    must(report.answered > 0, 'nothing was answered, so nothing was shown');
    must(report.lost.length === 0, `lost ${report.lost.length} answered messages, first ${report.lost[0]}`);
    must(report.doubled.length === 0, `doubled ${report.doubled.length}, first ${report.doubled[0]}`);
    must(report.altered.length === 0, `altered ${report.altered.length}, first ${report.altered[0]}`);
    must(report.orderBreaks.length === 0, `${report.orderBreaks.length} order breaks`);
    must(this.worstRestartMs <= 10_000, `a restart took ${Math.round(this.worstRestartMs)} ms`);
    must(this.#rssBytes <= rssBytesMax, `a daemon took ${Math.round(this.#rssBytes / 1024 ** 2)} MiB`);
    const connection = this.admin();
    const audit = await call(connection, connection.client.verifyAudit, {});
    connection.close();
    must(audit.intact, `the audit chain is broken at ${audit.firstBad}`);
    const status = await this.status();
    for (const one of status?.custody ?? [])
      must(one.missing === 0, `custody of ${one.source}: ${one.missing} missing`);
    failures.push(...(await this.leaks()));
    return {
      failures,
      report,
      summary: `${summaryOf(report)}, worst restart ${(this.worstRestartMs / 1000).toFixed(1)} s`,
    };
  }

  /** Where the canary patient shows and must not: logs, metrics, status, environment, sealed data. */
  async leaks(): Promise<string[]> {
    const { folder } = this.#context;
    const running = [this.gateway, this.plane].filter((one) => one !== undefined && one.exit === undefined);
    const status = await this.status();
    const texts =
      status === undefined ? {} : { '/status': JSON.stringify(status), '/metrics': await this.metrics() };
    return leaksIn({
      logs: join(folder, 'logs'),
      pids: running.map((one) => (one as DaemonProcess).pid),
      texts,
      stores: [join(this.gatewayData, 'journal'), join(folder, 'control-plane', 'store')],
    });
  }

  #noteMemory(): void {
    for (const process of [this.gateway, this.plane]) {
      if (process === undefined || process.exit !== undefined) continue;
      const anonymous = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))?.[1];
      this.#rssBytes = Math.max(this.#rssBytes, Number(anonymous ?? 0) * 1024);
    }
  }
}

export const everything = {
  site: '',
  class: '',
  fromStart: false,
  follow: false,
  raw: false,
  limit: 0,
  gateway: '',
  kind: '',
  reason: '',
  source: '',
  afterIndex: 0n,
  afterId: '',
  id: '',
  repeats: true,
};

export interface Sending {
  /** Resolves when all were answered, or after stop(). */
  readonly done: Promise<void>;
  stop(): void;
  answered(): number;
}

export interface SendOptions {
  readonly first: number;
  readonly count: number;
  readonly connections: number;
  readonly kind?: MessageKind;
  readonly seed?: number;
  /** false: a message without an answer is given up (the disk is full), not sent again. */
  readonly retry?: boolean;
  readonly onAnswer?: (n: number) => void;
}

/** Senders as labs have them: one message at a time on each connection, the same bytes again until it is answered. */
export function send(rig: Rig, options: SendOptions): Sending {
  const { first, count, connections, kind = 'oru', seed = 7, retry = true } = options;
  const make = messageMaker({ seed, kind, patients: connections * 8 });
  let next = first;
  let stopped = false;
  let answered = 0;
  const one = async (index: number) => {
    let client: MllpClient | undefined;
    while (!stopped && next < first + count) {
      const n = next;
      next += 1;
      const message = make(n);
      const entry = entryOf(message, {
        source: 'mllp',
        key: message.patientId,
        connection: `${kind}-${index}`,
      });
      for (;;) {
        await rig.ledger.sent(entry);
        try {
          client ??= await MllpClient.connect({ port: rig.mllpPort, answerTimeoutMs: 60_000 });
          const { code } = await client.send(message.bytes);
          rig.ledger.answered(n, code);
          options.onAnswer?.(n);
          answered += 1;
          break;
        } catch {
          client?.destroy();
          client = undefined;
          if (stopped || !retry) break;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    }
    await client?.close();
  };
  return {
    done: Promise.all(Array.from({ length: connections }, (_, index) => one(index))).then(() => undefined),
    stop: () => {
      stopped = true;
    },
    answered: () => answered,
  };
}
