/**
 * `hilum-gateway census FILE`: who is here, told to a stopped gateway at once. The messages go into the journal as
 * records of the named source, like any others: they are counted, normalized and delivered when the gateway runs.
 * With the last of them, when it is normalized, events stop saying that their context is incomplete.
 *
 * A file is looked at whole before any of it is taken: a census that lacks some of those who are here would be worse
 * than none. Where taking it is cut off, what was taken stays, and counts as no census.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClinicalEvent } from '../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../proto/gen/hilum/v1/journal.ts';
import { IntakeRefused } from './capture/intake.ts';
import { ConfigStore } from './config-store.ts';
import { Journal } from './journal/journal.ts';
import { ownStopped } from './journal-command.ts';
import { type Meaning, messagesOf, read } from './meaning.ts';
import { compileMeaning } from './meaning-of-text.ts';
import { nowUs } from './process/clock.ts';
import { exitCode, HilumError } from './process/errors.ts';
import { loadKey } from './process/keys.ts';
import { counted, type Form, printObject } from './process/output.ts';
import { journalBounds, listenerTypes, loadSettings, resolvePath } from './settings.ts';

export interface CensusOptions {
  data: string;
  settings?: string;
  source: string;
  output: Form;
}

/** Wrong messages that are named one by one. */
const namedMax = 10;
/** Answers that are waited for together. */
const appendsMax = 1000;

export async function loadCensus(file: string, options: CensusOptions): Promise<number> {
  await ownStopped(options.data, false);
  const { settings, file: settingsFile } = loadSettings(options.data, options.settings);
  const listeners = listenerTypes(settings);
  const { yaml, version } = new ConfigStore(options.data, listeners).running();
  const meaning = compileMeaning(yaml, version);
  const sources = [...new Set([...Object.keys(meaning.config.sources), ...Object.keys(listeners)])];
  if (!sources.includes(options.source)) {
    throw new HilumError('source-unknown', `There is no source ${options.source} here.`, {
      hint: `Name one of ${sources.join(', ')}: the one whose ADT goes on after the census.`,
      exit: exitCode.usage,
    });
  }
  const messages = messagesOf(readCensus(file));
  if (messages === undefined || messages.length === 0) {
    throw new HilumError('census-bad', `${file} does not begin with an HL7 v2 message.`, {
      hint: 'Each message begins with MSH at the beginning of a line; FHS and BHS may stand around them.',
      exit: exitCode.failed,
    });
  }
  const { records, patients } = checked(messages, options.source, meaning, file);
  const keyFile = settings.keyFile ?? 'key';
  const keyPath = resolvePath(keyFile, settings.keyFile === undefined ? '' : settingsFile, options.data);
  const journal = await openJournal(options.data, loadKey(keyPath, false), journalBounds(settings));
  try {
    await append(journal, records);
  } finally {
    await journal.stop();
    await journal.close();
  }
  const { source } = options;
  printObject(
    options.output,
    { source, messages: records.length, patients },
    () =>
      `${counted(records.length, 'message')} about ${counted(patients, 'patient')} in the journal as ${source}. To be read when the gateway runs.\n`,
  );
  return exitCode.done;
}

function readCensus(file: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (cause) {
    throw new HilumError('file-missing', `The census file ${file} cannot be read.`, {
      hint: 'Check the path.',
      exit: exitCode.usage,
      cause,
    });
  }
}

/** Each message read as the gateway will read it: ADT about somebody, and nothing else. */
function checked(
  messages: readonly Uint8Array[],
  source: string,
  meaning: Meaning,
  file: string,
): { records: JournalRecord[]; patients: number } {
  const wrong: string[] = [];
  const patients = new Set<string>();
  const records = messages.map((raw, at) => {
    const capturedAtUs = BigInt(nowUs());
    const record = JournalRecord.fromPartial({
      source,
      protocol: 'file',
      raw: Buffer.from(raw),
      capturedAtUs,
    });
    const { events, reject } = read(record, meaning, 0n);
    const why = reject?.reason ?? objection(events);
    if (why !== undefined) wrong.push(`  message ${at + 1}: ${why}`);
    for (const { patient } of events) {
      const [first] = patient?.identifiers ?? [];
      if (first !== undefined) patients.add(`${first.system}|${first.value}`);
    }
    record.messageControlId = events[0]?.provenance?.messageControlId ?? '';
    return record;
  });
  if (wrong.length > 0) {
    const more = wrong.length > namedMax ? `\n  and ${wrong.length - namedMax} more` : '';
    throw new HilumError(
      'census-bad',
      `${file}: ${wrong.length} of ${messages.length} messages are no census; nothing was loaded.\n${wrong.slice(0, namedMax).join('\n')}${more}`,
      { hint: 'A census is ADT messages (A01, A04, A08 …) with PID-3.', exit: exitCode.failed },
    );
  }
  return { records, patients: patients.size };
}

function objection(events: readonly ClinicalEvent[]): string | undefined {
  if (events.length === 0) return 'says nothing';
  if (events.some(({ kind }) => kind !== 'admission')) return 'not an admission or movement';
  return events.every(({ patient }) => (patient?.identifiers.length ?? 0) > 0)
    ? undefined
    : 'without a patient identifier';
}

async function openJournal(
  directory: string,
  key: Buffer,
  bounds: ReturnType<typeof journalBounds>,
): Promise<Journal> {
  const nothing = () => {};
  return Journal.open(
    { directory: join(directory, 'journal'), key, ...bounds, orderKeysOf: () => [] },
    {
      onFault: () => process.exit(exitCode.tryAgain),
      onAlarm: nothing,
      onRecords: nothing,
      onEvents: nothing,
      onEpoch: nothing,
      onDeliveries: nothing,
      onRepeat: nothing,
    },
  );
}

async function append(journal: Journal, records: readonly JournalRecord[]): Promise<void> {
  try {
    for (let at = 0; at < records.length; at += appendsMax) {
      await Promise.all(
        records.slice(at, at + appendsMax).map(({ source, raw, capturedAtUs, messageControlId }, index) =>
          journal.append({
            source,
            protocol: 'file',
            raw,
            capturedAtUs,
            classGuess: 'routine',
            messageControlId,
            censusEnd: at + index === records.length - 1,
          }),
        ),
      );
    }
  } catch (error) {
    if (!(error instanceof IntakeRefused)) throw error;
    throw new HilumError('journal-full', 'The journal takes nothing more: the census is not complete.', {
      hint: 'Run the gateway until its backlog is delivered, then load the file again.',
      exit: exitCode.tryAgain,
      cause: error,
    });
  }
}
