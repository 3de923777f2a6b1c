/** What every verb of hilumctl shares. */
import type { Command } from 'commander';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import { type Connection, call, connect } from './client.ts';

export { output, wholeNumber } from '../../gateway/process/cli.ts';

/** Connects with the context of the program, works, closes. */
export async function withConnection<T>(
  command: Command,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { context } = command.optsWithGlobals() as { context?: string };
  const connection = connect(context);
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}

/** Where nothing was found: a site, gateway or source that is not there is told, and is not the same as an empty list. */
export async function checkPlace(
  connection: Connection,
  { site = '', gateway = '', source = '' }: { site?: string; gateway?: string; source?: string },
): Promise<void> {
  if (site === '' && gateway === '' && source === '') return;
  const { gateways } = await call(connection, connection.client.listGateways, {});
  if (gateway !== '' && !gateways.some((one) => one.gateway === gateway))
    throw notThere(`There is no gateway "${gateway}".`, '"hilumctl gateways" shows them.');
  if (site !== '' && !gateways.some((one) => one.site === site))
    throw notThere(`There is no site "${site}" with a gateway.`, '"hilumctl gateways" shows them.');
  if (source === '') return;
  const { sources } = await call(connection, connection.client.listSources, { site, gateway });
  if (!sources.some((one) => one.source === source))
    throw notThere(`No gateway tells of a source "${source}".`, '"hilumctl sources" shows them.');
}

function notThere(what: string, hint: string): HilumError {
  return new HilumError('not-found', what, { hint, exit: exitCode.failed });
}

/** `15m`, `90s`, `2h` as seconds; undefined where it is none. */
export function seconds(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,6})(s|m|h|d)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[unit as 's'] ?? 1);
}
