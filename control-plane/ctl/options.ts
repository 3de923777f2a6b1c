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

/** Where nothing was found: a site or gateway that is not there is told, and is not the same as an empty list. */
export async function checkPlace(
  connection: Connection,
  { site = '', gateway = '' }: { site?: string; gateway?: string },
): Promise<void> {
  if (site === '' && gateway === '') return;
  const { gateways } = await call(connection, connection.client.listGateways, {});
  const wrong =
    gateway !== '' && !gateways.some((one) => one.gateway === gateway)
      ? `There is no gateway "${gateway}".`
      : site !== '' && !gateways.some((one) => one.site === site)
        ? `There is no site "${site}" with a gateway.`
        : undefined;
  if (wrong === undefined) return;
  throw new HilumError('not-found', wrong, {
    hint: '"hilumctl gateways" shows them.',
    exit: exitCode.failed,
  });
}

/** `15m`, `90s`, `2h` as seconds; undefined where it is none. */
export function seconds(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,6})(s|m|h|d)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[unit as 's'] ?? 1);
}
