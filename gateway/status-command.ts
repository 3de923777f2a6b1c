/** `hilum-gateway status`: asks the running gateway; exit 69 when none runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCode, HilumError } from './process/errors.ts';
import { type Form, printObject, time } from './process/output.ts';
import { ownerOf } from './process/owner.ts';
import { mayLookInto } from './process/storage.ts';
import type { RefusedByListener, RunningStatus } from './running-status.ts';

export async function readStatus(directory: string): Promise<RunningStatus> {
  mayLookInto(directory);
  let run: { pid: number; status: string };
  try {
    run = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as typeof run;
  } catch (cause) {
    throw notRunning(directory, cause);
  }
  try {
    const response = await fetch(`http://${run.status}/status`, { signal: AbortSignal.timeout(5_000) });
    const status = (await response.json()) as RunningStatus;
    // The address of one that is gone may be another gateway's by now.
    if (status.pid !== run.pid) throw new Error(`process ${status.pid} answers there, not ${run.pid}`);
    return status;
  } catch (cause) {
    throw notRunning(directory, cause);
  }
}

export async function printStatus(directory: string, form: Form): Promise<void> {
  const status = await readStatus(directory).catch(async (error: unknown) => {
    throw (await notAnswering(directory)) ?? error;
  });
  printObject(form, status, () => statusText(status));
}

function statusText(status: RunningStatus): string {
  const { uplink, journal, listeners, custody, destinations, clocks, circuits, once, failedRules } = status;
  const lines = [
    `${status.gateway || '(not enrolled)'}  ${status.ready ? 'ready' : `not ready (${status.notReady})`}${status.site === '' ? '' : `, site ${status.site}`}`,
    `uplink    ${uplink.state}${uplink.reason === '' ? '' : ` (${uplink.reason})`} ${uplink.address}${uplink.proxy !== '' ? ` through the proxy ${uplink.proxy}` : ''}`,
    ...listeners.map(
      (one) =>
        `listener  ${one.name}: ${one.type} ${one.address} ${one.state}, TLS ${one.tls}${refusedText(one.refused)}`,
    ),
    configLine(status.config),
    `journal   ${journal.state}, ${mebibytes(journal.bytes)} of ${mebibytes(journal.bytesMax)}, ${mebibytes(journal.freeBytes)} free on the volume`,
    ...custody.map(
      (one) =>
        `source    ${one.source}: ${one.accepted} accepted = ${one.pending} pending + ${one.delivered} delivered + ${one.quarantined} quarantined${one.expired === '0' ? '' : ` + ${one.expired} discarded`}${one.missing === '0' ? '' : `, ${one.missing} MISSING`}`,
    ),
    ...status.notAccepted.map(
      ({ source, field, count }) =>
        `accept    ${source}: REFUSED ${count} ${count === 1 ? 'message' : 'messages'} for their ${field}, as the config says`,
    ),
    ...destinations.map(
      (one) =>
        `route     ${one.destination}: ${one.delivered} delivered, ${one.pending} pending, ${one.dead} refused, ${one.state}${one.reason === '' ? '' : ` since ${time(one.waitingSinceUs)} (${one.reason})`}`,
    ),
    ...circuits.map(
      (one) =>
        `mapping   ${one.source}: ${one.state.toUpperCase()}, ${one.failures} records failed in a row, ${one.untried ?? '0'} in quarantine untried`,
    ),
    ...failedRules.map(
      (one) => `rule      ${one.source}: the condition of ${one.rule} FAILED on ${one.records} records`,
    ),
    ...once.map(
      (one) =>
        `once      ${one.source}: ${one.repeats} repeats by ${one.rule} left without an effect, ${one.linked + one.conflicts} linked${one.conflicts === 0 ? '' : `, ${one.conflicts} of them CONFLICTS`}`,
    ),
    ...clocks.map((one) => `clock     ${one.source}: ${one.text}`),
  ];
  return `${lines.join('\n')}\n`;
}

function refusedText(refused: readonly RefusedByListener[]): string {
  if (refused.length === 0) return '';
  const each = refused.map(
    ({ reason, count, address }) => `${count} ${reason}${address === '' ? '' : ` (last ${address})`}`,
  );
  return `, refused: ${each.join(', ')}`;
}

/** Before a config was ever offered there is nothing attempted to tell of. */
function configLine({ running, attempted }: RunningStatus['config']): string {
  if (running.version === '0' && attempted.version === '0') return 'config    running built-in';
  const version = running.version === '0' ? 'built-in' : running.version;
  return `config    running ${version}, attempted ${attempted.version} ${attempted.outcome}`;
}

function mebibytes(bytes: string): string {
  return `${(Number(bytes) / 1024 ** 2).toFixed(1)} MiB`;
}

/** Undefined where nothing runs. */
async function notAnswering(directory: string): Promise<HilumError | undefined> {
  const owner = await ownerOf(directory);
  if (owner === undefined) return undefined;
  return new HilumError(
    'not-answering',
    `${owner} has ${directory} and does not answer: it starts, or hangs.`,
    {
      hint: 'Ask again in some seconds; where that stays so, look at its log.',
      exit: exitCode.unreachable,
    },
  );
}

function notRunning(directory: string, cause: unknown): HilumError {
  return new HilumError('not-running', `No gateway runs on ${directory}.`, {
    hint: `Where it was started just now, ask again in some seconds. Else: systemctl start hilum-gateway, or as its user: hilum-gateway run --data ${directory}`,
    exit: exitCode.unreachable,
    cause,
  });
}
