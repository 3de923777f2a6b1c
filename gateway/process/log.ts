/**
 * One line per decision: lifecycle, connections, config, alarms. Never PHI: a line is a
 * code from the source text and fields of an allow-list whose values are numbers, flags,
 * and short words that our own code or an operator chose. Nothing read from a message is
 * ever logged; error texts of libraries are cut down to their code where they could quote input.
 */
import { codeOf } from './errors.ts';

export type Level = 'info' | 'warn' | 'error';
export type Fields = Record<string, string | number | bigint | boolean | undefined>;
export type Log = (level: Level, code: string, fields?: Fields) => void;

const valueLengthMax = 300;

/** Logs to standard error: JSON for machines, one readable line on a terminal. */
export function createLog(program: string, stream: NodeJS.WriteStream = process.stderr): Log {
  const readable = stream.isTTY === true;
  // Whoever read the log may go away, and come back (a restart of journald): no reason to stop taking messages.
  stream.on('error', () => {});
  return (level, code, fields = {}) => {
    const time = new Date().toISOString();
    if (readable) {
      const text = Object.entries(fields)
        .filter(([, value]) => value !== undefined && value !== '')
        .map(([name, value]) => `${name}=${clip(value)}`)
        .join(' ');
      stream.write(`${time} ${level.padEnd(5)} ${program} ${code} ${text}\n`);
      return;
    }
    const line: Record<string, unknown> = { time, level, program, code };
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) line[name] = clip(value);
    stream.write(`${JSON.stringify(line)}\n`);
  };
}

/** What may be said of a thrown thing in a log: its code, else the name of its class. */
export function errorWord(error: unknown): string {
  return codeOf(error) || (error instanceof Error ? error.name : 'unknown');
}

function clip(value: Fields[string]): string | number | boolean {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'string') return value ?? '';
  return value.length > valueLengthMax ? `${value.slice(0, valueLengthMax)}…` : value;
}
