/**
 * `npm run demo`: the failure-mode demonstration that a buyer should ask any vendor for. Real
 * daemons, real sockets, a ward that we made up. Everything that was answered is compared, byte
 * for byte, with what the control plane holds in the end; the exit status is 1 if a promise broke.
 */
import { createHash, randomInt } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { type Connection, call, connect, stream } from '../../control-plane/ctl/client.ts';
import { traceText } from '../../control-plane/ctl/event-commands.ts';
import { exitCode } from '../../gateway/process/errors.ts';
import { field, span, table } from '../../gateway/process/output.ts';
import { CustodyRow, LatencyRow, StreamEventsRequest } from '../../proto/gen/hilum/v1/admin.ts';
import { freePorts, Link } from './link.ts';
import { MllpSender } from './mllp-sender.ts';
import {
  contextFile,
  controlPlaneReady,
  enrollGateway,
  gatewayReady,
  gatewayStatus,
  type Program,
  startControlPlane,
  startGateway,
  takesNothing,
} from './stack.ts';
import { criticalResult, monitorReading, wardMessage } from './ward.ts';

takesNothing(
  'npm run demo',
  'a made-up ward, cut lines, killed daemons, a STAT over a backlog, and what is left of it all; under two minutes, state under ./var/demo',
);

const directory = join(process.cwd(), 'var', 'demo');
const startedAt = Date.now();
const counts = { quiet: 400, outage: 800, kills: 4000, backlog: 4000, readings: 200, killsOfEach: 3 };
const config = `# pushed by the demo
sources:
  mllp: { listener: mllp, zone: Europe/Berlin }
codes:
  demo-panel:
    from: LN
    to: urn:hilum:demo:local
    map: { "2823-3": { code: K, display: Kalium } }
classes:
  - name: ward-alarms
    when: event.kind == "device-alarm"
    class: urgent
`;

/** What was answered: the ledger that the end is compared with. */
const answered = new Map<string, string>();
/** Ward messages by control ID: the order in which they were sent. */
const numbers = new Map<string, number>();
const broken: string[] = [];
const programs: { gateway?: Program; controlPlane?: Program } = {};
let mllpPort = 0;
let settingsFile = '';
let planeFlags: string[] = [];

const say = (line: string) => {
  process.stdout.write(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
};

async function main(): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, 'control-plane'), { recursive: true });
  const [grpc = 0, linkPort = 0, mllp = 0, mqttPort = 0] = await freePorts(4);
  planeFlags = ['--grpc', `127.0.0.1:${grpc}`, '--http', '127.0.0.1:0'];
  mllpPort = mllp;
  const link = new Link({ host: '127.0.0.1', port: grpc });
  await link.listen(linkPort);
  writeFileSync(join(directory, 'control-plane', 'settings.yaml'), `advertise: "127.0.0.1:${linkPort}"\n`);
  settingsFile = join(directory, 'gateway.yaml');
  writeFileSync(
    settingsFile,
    `listeners:
  mllp: { type: mllp, listen: "127.0.0.1:${mllpPort}" }
  mqtt: { type: mqtt, listen: "127.0.0.1:${mqttPort}", anonymous: { publish: ["devices/#"] } }
status: { listen: "127.0.0.1:0" }
`,
  );

  await startBoth();
  say('a control plane and an enrolled gateway run; the line between them can be cut');

  await sendWard(0, counts.quiet);
  await sendReadings(mqttPort);
  say(`${counts.quiet} ward messages and ${counts.readings} device readings answered`);

  await pushConfig();
  say('config pushed, checked by the gateway, running');

  link.cut();
  await sendWard(counts.quiet, counts.outage);
  say(`line cut; ${counts.outage} messages answered by the site alone`);
  link.restore();

  await sendUnderKills(counts.quiet + counts.outage, counts.kills);
  say(
    `${counts.kills} messages answered while both daemons were killed ${counts.killsOfEach} times each (kill -9)`,
  );

  link.cut();
  const backlogFrom = counts.quiet + counts.outage + counts.kills;
  await sendWard(backlogFrom, counts.backlog);
  const stat = criticalResult(1, new Date());
  await send(stat.text, stat.controlId);
  say(`line cut again; ${counts.backlog} routine messages wait, then one critical potassium`);
  await arrives(link, stat.controlId);
  say('line restored: the critical result is at the centre');

  await drained();
  const delivery = await compare(backlogFrom, stat.controlId);
  say(`everything drained; ${delivery.events} events compared with ${answered.size} answered messages`);
  say(
    `the critical result came before ${delivery.overtaken} of the ${counts.backlog} that waited in front of it`,
  );
  if (delivery.overtaken < counts.backlog / 2) broken.push('the critical result waited for the backlog');
  await report(delivery, stat.controlId);
  await stopBoth();
  link.close();
}

async function startBoth(): Promise<void> {
  programs.controlPlane = startControlPlane(directory, planeFlags);
  await controlPlaneReady(directory, programs.controlPlane);
  await enrollGateway(directory, 'demo');
  programs.gateway = startGateway(directory, settingsFile);
  await gatewayReady(directory, programs.gateway, true);
}

async function stopBoth(): Promise<void> {
  for (const one of [programs.gateway, programs.controlPlane]) {
    one?.child.kill('SIGTERM');
    const code = await one?.exited;
    if (code !== 0) broken.push(`${one?.name} did not stop cleanly (exit ${code})`);
  }
}

const senders = Array.from(
  { length: 8 },
  () => new MllpSender(() => ({ host: '127.0.0.1', port: mllpPort })),
);

async function send(text: string, controlId: string, sender = senders[0] as MllpSender): Promise<void> {
  const code = await sender.send(text, controlId);
  if (code !== 'AA') broken.push(`${controlId} was answered ${code}`);
  answered.set(controlId, createHash('sha256').update(Buffer.from(text, 'latin1')).digest('hex'));
}

/** Each bed has one sender, so that the messages of a patient keep their order. */
async function sendWard(first: number, count: number): Promise<void> {
  await Promise.all(
    senders.map(async (sender, lane) => {
      for (let n = first; n < first + count; n += 1) {
        if (n % senders.length !== lane) continue;
        const message = wardMessage(n, new Date());
        numbers.set(message.controlId, n);
        await send(message.text, message.controlId, sender);
      }
    }),
  );
}

async function sendReadings(port: number): Promise<void> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId: 'demo-monitors',
    reconnectPeriod: 0,
  });
  for (let n = 0; n < counts.readings; n += 1) {
    const { topic, payload } = monitorReading(n, new Date());
    await client.publishAsync(topic, payload, { qos: 1 });
    answered.set(`reading ${n}`, createHash('sha256').update(payload).digest('hex'));
  }
  await client.endAsync();
}

async function pushConfig(): Promise<void> {
  await withPlane(async (connection) => {
    const request = { yaml: config, site: 'demo', reason: 'demonstration', waitSeconds: 20, inPlaceOf: 0n };
    const response = await call(connection, connection.client.pushConfig, request, 20_000);
    const outcomes = response.results.map(({ outcome }) => outcome);
    if (outcomes.join() !== 'applied') broken.push('the config was not applied');
  });
}

/** Kills either daemon at random moments while the ward goes on, and starts it again as systemd would. */
async function sendUnderKills(first: number, count: number): Promise<void> {
  let done = false;
  const sending = sendWard(first, count).then(() => {
    done = true;
  });
  for (let kill = 0; kill < counts.killsOfEach * 2; kill += 1) {
    await new Promise((resolve) => setTimeout(resolve, randomInt(50, 400)));
    if (kill % 2 === 0) {
      programs.gateway?.child.kill('SIGKILL');
      await programs.gateway?.exited;
      programs.gateway = startGateway(directory, settingsFile);
      await gatewayReady(directory, programs.gateway, false);
    } else {
      programs.controlPlane?.child.kill('SIGKILL');
      await programs.controlPlane?.exited;
      programs.controlPlane = startControlPlane(directory, planeFlags);
      await controlPlaneReady(directory, programs.controlPlane);
    }
    if (done) broken.push(`the ward had sent everything before kill ${kill + 1}; make counts.kills larger`);
  }
  await sending;
}

/** Restores the line and resolves when the STAT event is stored. */
async function arrives(link: Link, controlId: string): Promise<void> {
  await withPlane(async (connection) => {
    const events = connection.client.streamEvents({ ...everything, follow: true, class: 'stat' });
    link.restore();
    for await (const { event } of stream(connection, events)) {
      if (event?.provenance?.messageControlId !== controlId) continue;
      events.cancel();
      return;
    }
  });
}

async function drained(): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const status = await gatewayStatus(directory);
    if (status?.custody.every(({ pending }) => pending === '0')) return;
    if (Date.now() > deadline) {
      broken.push('the backlog did not drain in 60 s');
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Comparison {
  events: number;
  missing: number;
  doubled: number;
  altered: number;
  disordered: number;
  /** Of the backlog, what was stored after the STAT result. */
  overtaken: number;
}

/** From the bytes at the centre, not from anybody's counters. */
async function compare(backlogFrom: number, statControlId: string): Promise<Comparison> {
  const sent = new Set(answered.values());
  const records = new Map<string, Set<string>>();
  const last = new Map<string, number>();
  const backlogAt: bigint[] = [];
  let [events, altered, disordered, statAt] = [0, 0, 0, 0n];
  await withPlane(async (connection) => {
    const request = { ...everything, fromStart: true, raw: true, reason: 'demonstration' };
    for await (const { event, raw, index } of stream(connection, connection.client.streamEvents(request))) {
      if (event === undefined) continue;
      events += 1;
      if (event.provenance?.index !== 1) continue;
      const hash = createHash('sha256').update(raw).digest('hex');
      if (!sent.has(hash)) altered += 1;
      const positions = records.get(hash) ?? new Set<string>();
      positions.add(String(event.provenance.record?.sequence));
      records.set(hash, positions);
      const n = numbers.get(event.provenance.messageControlId);
      if (n !== undefined) {
        // The messages of a patient came one after the other: inside a class they must stand in that order.
        const place = `${event.patient?.identifiers[0]?.value ?? ''} ${event.class}`;
        if (n < (last.get(place) ?? 0)) disordered += 1;
        last.set(place, n);
        if (n >= backlogFrom) backlogAt.push(index);
      }
      if (event.provenance.messageControlId === statControlId) statAt = index;
    }
  });
  let missing = 0;
  let doubled = 0;
  for (const hash of sent) {
    const positions = records.get(hash);
    if (positions === undefined) missing += 1;
    else if (positions.size > 1) doubled += 1;
  }
  if (sent.size !== answered.size)
    broken.push('the demonstration sent equal messages, so doubles would not show');
  if (missing > 0) broken.push(`${missing} answered messages are missing at the centre`);
  if (doubled > 0) broken.push(`${doubled} messages had more than one effect`);
  if (altered > 0) broken.push(`${altered} messages at the centre are not what was sent`);
  if (disordered > 0) broken.push(`${disordered} messages of a patient stand before an earlier one`);
  const overtaken = statAt === 0n ? 0 : backlogAt.filter((at) => at > statAt).length;
  return { events, missing, doubled, altered, disordered, overtaken };
}

async function report(delivery: Comparison, controlId: string): Promise<void> {
  await withPlane(async (connection) => {
    await telemetryCaughtUp(connection);
    const { rows: custody } = await call(connection, connection.client.custody, {
      gateway: '',
      site: '',
      byHour: false,
    });
    for (const row of custody) {
      if (row.missing !== 0n || row.pending !== 0n || row.doubled !== 0n)
        broken.push(`custody of ${row.source} does not add up`);
    }
    const zeros = {
      accepted: '0',
      pending: '0',
      delivered: '0',
      quarantined: '0',
      duplicates: '0',
      missing: '0',
      doubled: '0',
    };
    const rows = custody.map((row) => ({ ...zeros, ...(CustodyRow.toJSON(row) as object) }));
    const out = (text: string) => process.stdout.write(`${text}\n`);
    out('\nCustody, counted by the gateway and by the centre');
    out(
      table(
        rows,
        ['source', ...Object.keys(zeros)].map((name) => field(name.toUpperCase(), name)),
      ),
    );
    out(
      `Compared byte for byte: ${answered.size} answered, missing ${delivery.missing}, doubled ${delivery.doubled}, altered ${delivery.altered}, out of order ${delivery.disordered}`,
    );
    out(
      `Tried again by the senders because a kill took the gateway or its answer away: ${senders.reduce((sum, one) => sum + one.resent, 0)}\n`,
    );
    const { rows: latency } = await call(connection, connection.client.latency, {
      gateway: '',
      site: 'demo',
    });
    out('Latency from capture to the centre’s acknowledgment, by class (outages and kills included)');
    out(
      table(
        latency
          .filter(({ hop }) => hop === 'total')
          .map((row) => LatencyRow.toJSON(row) as Record<string, unknown>),
        [
          field('CLASS', 'class'),
          field('COUNT', 'count'),
          { title: 'P50', value: (row) => span(row.p50Us) },
          { title: 'P99', value: (row) => span(row.p99Us) },
          { title: 'MAX', value: (row) => span(row.maxUs) },
          { title: 'BUDGET', value: (row) => span(row.budgetUs) },
        ],
      ),
    );
    const { traces } = await call(connection, connection.client.trace, { id: controlId });
    out('The way of the critical potassium');
    for (const trace of traces) out(traceText(trace));
    const audit = await call(connection, connection.client.verifyAudit, {});
    out(`Audit trail: ${audit.entries} entries, ${audit.intact ? 'intact' : `broken at ${audit.firstBad}`}`);
    if (!audit.intact) broken.push('the audit trail is broken');
  });
}

/** Reports come every two seconds; the table should show the end. */
async function telemetryCaughtUp(connection: Connection): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const { rows } = await call(connection, connection.client.custody, {
      gateway: '',
      site: '',
      byHour: false,
    });
    const reported = rows.reduce((sum, row) => sum + Number(row.delivered + row.quarantined), 0);
    if (reported >= answered.size) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const everything = StreamEventsRequest.fromPartial({});

async function withPlane<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = connect(contextFile(directory));
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}

// The daemons are told at the exit (stack.ts), which a signal alone would skip.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => process.exit(exitCode.failed));

try {
  await main();
} catch (error) {
  broken.push(error instanceof Error ? error.message : String(error));
  for (const one of [programs.gateway, programs.controlPlane]) one?.child.kill('SIGKILL');
}
for (const sender of senders) sender.close();
if (broken.length === 0) say('every promise held');
for (const line of broken) process.stdout.write(`BROKEN  ${line}\n`);
process.exit(broken.length === 0 ? 0 : 1);
