/**
 * Examines journals one after the other in one process: reads a folder a line, runs the product's own
 * `journal verify` on it, answers one line of JSON. An image that crashes it ends the process, which
 * is the verdict on that image; the caller starts another.
 *
 *   node journal-checker.js DIST
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

type JournalCommand = (verb: 'verify', options: { data: string; output: string }) => Promise<number>;

const module = pathToFileURL(join(process.argv[2] ?? '', 'gateway', 'journal-command.js')).href;
const { journalCommand } = (await import(module)) as { journalCommand: JournalCommand };
const write = process.stdout.write.bind(process.stdout);

for await (const data of createInterface({ input: process.stdin })) {
  let printed = '';
  process.stdout.write = ((text: string) => {
    printed += text;
    return true;
  }) as typeof process.stdout.write;
  let problem = '';
  try {
    await journalCommand('verify', { data, output: 'json' });
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  process.stdout.write = write;
  write(
    `${JSON.stringify({ problem, report: printed === '' ? undefined : (JSON.parse(printed) as unknown) })}\n`,
  );
}
