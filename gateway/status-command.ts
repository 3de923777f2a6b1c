/** `hilum-gateway status`: asks the running gateway; exit 69 when none runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCode, HilumError } from './process/errors.ts';
import { type Form, printObject } from './process/output.ts';

export interface RunningStatus {
  ready: boolean;
  gateway: string;
  site: string;
  enrolled: boolean;
  uplink: { state: string; reason: string; address: string; lastAckAtUs: string };
  listeners: {
    name: string;
    type: string;
    address: string;
    state: string;
    tls: string;
    plain?: { reason: string; owner: string };
  }[];
  config: { running: { version: string }; attempted: { version: string; outcome: string } };
  journal: { state: string; bytes: string; bytesMax: string; freeBytes: string; oldestPendingAtUs: string };
  custody: {
    source: string;
    accepted: number;
    pending: number;
    delivered: number;
    quarantined: number;
    missing: number;
  }[];
  destinations: { destination: string; pending: number; delivered: number; dead: number; state: string }[];
}

export async function readStatus(directory: string): Promise<RunningStatus> {
  let address: string;
  try {
    address = (JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as { status: string }).status;
  } catch (cause) {
    throw notRunning(directory, cause);
  }
  try {
    const response = await fetch(`http://${address}/status`, { signal: AbortSignal.timeout(5_000) });
    return (await response.json()) as RunningStatus;
  } catch (cause) {
    throw notRunning(directory, cause);
  }
}

export async function printStatus(directory: string, form: Form): Promise<void> {
  const status = await readStatus(directory);
  printObject(form, status, () => statusText(status));
}

function statusText(status: RunningStatus): string {
  const { uplink, journal, listeners, custody, destinations } = status;
  const lines = [
    `${status.gateway || '(not enrolled)'}  ${status.ready ? 'ready' : 'not ready'}${status.site === '' ? '' : `, site ${status.site}`}`,
    `uplink    ${uplink.state}${uplink.reason === '' ? '' : ` (${uplink.reason})`} ${uplink.address}`,
    ...listeners.map(
      (one) => `listener  ${one.name}: ${one.type} ${one.address} ${one.state}, TLS ${one.tls}`,
    ),
    `config    running ${status.config.running.version === '0' ? 'built-in' : status.config.running.version}, attempted ${status.config.attempted.version} ${status.config.attempted.outcome}`,
    `journal   ${journal.state}, ${mebibytes(journal.bytes)} of ${mebibytes(journal.bytesMax)}, ${mebibytes(journal.freeBytes)} free on the volume`,
    ...custody.map(
      (one) =>
        `source    ${one.source}: ${one.accepted} accepted = ${one.pending} pending + ${one.delivered} delivered + ${one.quarantined} quarantined${one.missing === 0 ? '' : `, ${one.missing} MISSING`}`,
    ),
    ...destinations.map(
      (one) =>
        `route     ${one.destination}: ${one.delivered} delivered, ${one.pending} pending, ${one.dead} refused, ${one.state}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function mebibytes(bytes: string): string {
  return `${(Number(bytes) / 1024 ** 2).toFixed(1)} MiB`;
}

function notRunning(directory: string, cause: unknown): HilumError {
  return new HilumError('not-running', `No gateway runs on ${directory}.`, {
    hint: `Start it: hilum-gateway run --data ${directory}`,
    exit: exitCode.unreachable,
    cause,
  });
}
