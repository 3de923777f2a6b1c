/** What `config test` does: a folder of messages with the events that they must become, run through a config here. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Meaning, meaningOf, understand } from '../../gateway/meaning.ts';
import { readConfigText } from '../../gateway/process/config-text.ts';
import { exitCode, HilumError, messageOf } from '../../gateway/process/errors.ts';
import { type Form, out, printRows } from '../../gateway/process/output.ts';
import { warningsOf } from '../../proto/config/warnings.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { looksLikeHl7v2 } from '../../proto/looks-like-hl7v2.ts';
import { parseConfig } from './config-file.ts';
import { goldenOf, type Mismatch, mismatches } from './golden.ts';

const goldenEnd = '.expected.json';
/** When every message of a test was captured: 2026-01-01T00:00:00Z. */
const capturedAtUs = 1_767_225_600_000_000n;

interface Tested {
  file: string;
  source: string;
  outcome: 'passed' | 'failed' | 'updated';
  /** Why there is nothing to compare; empty otherwise. */
  problem: string;
  mismatches: Mismatch[];
}

export interface ConfigTestOptions {
  config: string;
  update?: boolean;
  output: Form;
}

export function testConfig(folder: string, options: ConfigTestOptions): void {
  const meaning = meaningOf(parseConfig(readConfigText(options.config), options.config), 0);
  for (const warning of warningsOf(meaning.config)) process.stderr.write(`${warning}\n`);
  const tested = messagesIn(folder).map(({ file, source }) =>
    test(folder, file, source, meaning, options.update === true),
  );
  if (options.output === 'table') for (const one of tested) out(text(one));
  else printRows(options.output, tested, []);
  const failed = tested.filter(({ outcome }) => outcome === 'failed').length;
  if (options.output === 'table') {
    const updated = tested.filter(({ outcome }) => outcome === 'updated').length;
    const passed = tested.length - failed - updated;
    out(`${passed} passed, ${failed} failed${updated > 0 ? `, ${updated} updated` : ''}\n`);
  }
  if (failed > 0) process.exitCode = exitCode.failed;
}

/** Each message and each golden that has lost its message, by name. */
function messagesIn(folder: string): { file: string; source: string }[] {
  let found: { file: string; source: string }[];
  try {
    found = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      if (!entry.isDirectory()) return [{ file: entry.name, source: '' }];
      return readdirSync(join(folder, entry.name)).map((name) => ({
        file: join(entry.name, name),
        source: entry.name,
      }));
    });
  } catch (cause) {
    throw new HilumError('folder-missing', `The folder ${folder} cannot be read.`, {
      hint: 'Check the path.',
      exit: exitCode.usage,
      cause,
    });
  }
  const messages = found.filter(({ file }) => /\.(hl7|json)$/.test(file) && !file.endsWith(goldenEnd));
  const named = new Set(messages.map(({ file }) => goldenOfFile(file)));
  const orphans = found.filter(({ file }) => file.endsWith(goldenEnd) && !named.has(file));
  if (messages.length === 0) {
    throw new HilumError('nothing-to-test', `There is no message in ${folder}.`, {
      hint: 'Put NAME.hl7 or NAME.json there, or into a folder named after its source.',
      exit: exitCode.usage,
    });
  }
  return [...messages, ...orphans].sort((a, b) => (a.file < b.file ? -1 : 1));
}

function test(folder: string, file: string, source: string, meaning: Meaning, update: boolean): Tested {
  const golden = join(folder, goldenOfFile(file));
  const failed = (problem: string, found: Mismatch[] = []): Tested => ({
    ...{ file, source, outcome: 'failed', problem, mismatches: found },
  });
  if (file.endsWith(goldenEnd)) return failed('the message that this belongs to is not here');
  const raw = readFileSync(join(folder, file));
  const protocol = looksLikeHl7v2(raw) || file.endsWith('.hl7') ? 'mllp' : 'mqtt';
  const record = JournalRecord.fromPartial({ source: source || protocol, protocol, raw, capturedAtUs });
  const made = goldenOf(understand(record, meaning));
  const write = (): Tested => {
    writeFileSync(golden, `${JSON.stringify(made, null, 2)}\n`);
    return { file, source: record.source, outcome: 'updated', problem: '', mismatches: [] };
  };
  if (!existsSync(golden)) {
    return update
      ? write()
      : failed(`nothing is expected: ${basename(golden)} is not there; --update writes it`);
  }
  try {
    const found = mismatches(JSON.parse(readFileSync(golden, 'utf8')), made);
    if (found.length === 0)
      return { file, source: record.source, outcome: 'passed', problem: '', mismatches: [] };
    return update ? write() : failed('', found);
  } catch (error) {
    return failed(`${basename(golden)}: ${messageOf(error)}`);
  }
}

function goldenOfFile(file: string): string {
  return file.endsWith(goldenEnd) ? file : file.replace(/\.(hl7|json)$/, goldenEnd);
}

function text({ file, outcome, problem, mismatches: found }: Tested): string {
  let said = `${outcome.padEnd(7)}  ${file}${problem === '' ? '' : `: ${problem}`}\n`;
  for (const { path, expected, found: made } of found) {
    said += `         ${path}: expected ${expected}, found ${made}\n`;
  }
  return said;
}
