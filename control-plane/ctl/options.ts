/** What every verb of hilumctl shares. */
import type { Command } from 'commander';
import { type Connection, connect } from './client.ts';

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

/** `15m`, `90s`, `2h` as seconds; undefined where it is none. */
export function seconds(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,6})(s|m|h|d)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[unit as 's'] ?? 1);
}
