/** What `explain` does: where each field of an event comes from, by which rule, and what of the message is in no event. */
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { mappingName, meaningOf, understand } from '../../gateway/meaning.ts';
import { type Explained, explain } from '../../gateway/normalize/explain/explain.ts';
import { readConfigText } from '../../gateway/process/config-text.ts';
import { codeOf, exitCode, HilumError } from '../../gateway/process/errors.ts';
import { type Form, field, printObject, table } from '../../gateway/process/output.ts';
import type { Config } from '../../proto/config/schema.ts';
import type { EventReply } from '../../proto/gen/hilum/v1/admin.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { looksLikeHl7v2 } from '../../proto/looks-like-hl7v2.ts';
import { type Connection, stream } from './client.ts';
import { parseConfig } from './config-file.ts';
import { configVersion } from './config-versions.ts';
import { onceText } from './once-text.ts';
import { checkPlace, withConnection } from './options.ts';

export interface ExplainOptions {
  source?: string;
  topic: string;
  config?: string;
  site?: string;
  reason?: string;
  output: Form;
}

export async function explainSubject(
  subject: string,
  options: ExplainOptions,
  command: Command,
): Promise<void> {
  if (options.config !== undefined && options.site !== undefined) {
    throw new HilumError('usage', 'Give --config or --site, not both.', { exit: exitCode.usage });
  }
  const explanation = existsSync(subject)
    ? await ofFile(subject, options, command)
    : await ofEvent(subject, options, command);
  printObject(options.output, explanation, () => text(explanation));
  if (explanation.events.length === 0) process.exitCode = exitCode.failed;
}

interface Explanation {
  subject: string;
  source: string;
  mappingVersion: string;
  config: string;
  /** What the reader should know of how this explanation was made; empty where there is nothing. */
  note: string;
  reject: { code: string; reason: string } | null;
  events: {
    index: number;
    kind: string;
    class: string;
    fields: { path: string; value: string; from: string[]; rules: string[]; version: string }[];
  }[];
  unused: Explained['unused'];
  untried: number;
}

interface Meant {
  config: Config;
  /** 0 for a file. */
  version: number;
  /** For a person. */
  name: string;
}

async function ofFile(file: string, options: ExplainOptions, command: Command): Promise<Explanation> {
  let raw: Buffer;
  try {
    raw = readFileSync(file);
  } catch (cause) {
    const why = codeOf(cause) === 'EISDIR' ? 'is a folder; name a file' : `cannot be read (${codeOf(cause)})`;
    throw new HilumError('file-missing', `${file} ${why}.`, { exit: exitCode.usage, cause });
  }
  const protocol = looksLikeHl7v2(raw) || file.endsWith('.hl7') ? 'mllp' : 'mqtt';
  const record = JournalRecord.fromPartial({
    source: options.source ?? protocol,
    protocol,
    topic: options.topic,
    raw,
    capturedAtUs: BigInt(Date.now()) * 1000n,
  });
  let meant = builtIn;
  if (options.config !== undefined) {
    meant = ofConfigFile(options.config);
  } else if (options.site !== undefined) {
    const { site } = options;
    meant = await withConnection(command, (connection) => configOf(connection, site, undefined));
  }
  return explained(file, record, meant, sourceNote(record.source, meant));
}

/** A source that the config does not know has none of its rules; a typing error looks like that. */
function sourceNote(source: string, { config, name }: Meant): string {
  const known = Object.keys(config.sources);
  if (known.length === 0 || known.includes(source)) return '';
  return `${name} has no source "${source}"; it has: ${known.join(', ')}.`;
}

async function ofEvent(id: string, options: ExplainOptions, command: Command): Promise<Explanation> {
  if (options.reason === undefined || options.reason.trim() === '') {
    const isId = looksLikeId(id);
    throw new HilumError(
      'usage',
      isId ? `The bytes of ${id} are looked at: add --reason "…".` : `There is no file ${id}.`,
      {
        hint: isId
          ? 'The reason goes into the audit trail.'
          : 'Check the path. A stored event is explained by its id (hilumctl events shows it), with --reason "…".',
        exit: exitCode.usage,
      },
    );
  }
  const reason = options.reason;
  return withConnection(command, async (connection) => {
    const { event, raw } = await fetchEvent(connection, id, reason);
    const { provenance, times, site } = event;
    const version = provenance?.mappingVersion ?? '';
    const meant: Meant =
      options.config !== undefined
        ? ofConfigFile(options.config)
        : await configOf(connection, options.site ?? site, options.site === undefined ? version : undefined);
    const record = JournalRecord.fromPartial({
      source: options.source ?? provenance?.source ?? '',
      protocol: provenance?.protocol ?? '',
      topic: provenance?.topic ?? '',
      messageControlId: provenance?.messageControlId ?? '',
      raw,
      capturedAtUs: times?.capturedAtUs ?? 0n,
    });
    const here = mappingName(meant.version);
    const notes: string[] = [];
    if (here !== version)
      notes.push(`The event was mapped by ${version}; this explains it by ${here}, so they may differ.`);
    // The bytes alone do not say it.
    if (event.once !== undefined) notes.push(`Beside other events: ${onceText(event.once)}.`);
    return explained(id, record, meant, notes.join(' '), provenance?.index ?? 1);
  });
}

async function fetchEvent(connection: Connection, id: string, reason: string) {
  const request = {
    ...{ site: '', class: '', gateway: '', kind: '', source: '', afterIndex: 0n, limit: 0 },
    ...{ fromStart: true, follow: false, raw: true, reason, id, repeats: true, afterId: '' },
  };
  const replies: AsyncIterable<EventReply> = stream(connection, connection.client.streamEvents(request));
  for await (const { event, raw } of replies) {
    if (event !== undefined) return { event, raw };
  }
  throw new HilumError('not-found', `No event is stored under ${id}.`, {
    hint: 'hilumctl events or hilumctl trace shows ids; a file of that name is not here either.',
    exit: exitCode.failed,
  });
}

/** Of a site: the config that a mapping's name speaks of (`builtin@2+config@7`), else the latest. */
async function configOf(connection: Connection, site: string, mapping: string | undefined): Promise<Meant> {
  const named = mapping === undefined ? undefined : BigInt(/\+config@(\d+)$/.exec(mapping)?.[1] ?? 0);
  if (named === 0n) return builtIn;
  const found = await configVersion(connection, site, named);
  if (found === undefined && named === undefined) {
    await checkPlace(connection, { site });
    return builtIn;
  }
  if (found === undefined) {
    throw new HilumError('not-found', `Config version ${named} of site ${site} is not stored.`, {
      hint: 'Name another one with --config FILE.',
      exit: exitCode.failed,
    });
  }
  const version = Number(found.version);
  const name = `config ${version} of ${site}`;
  return { config: parseConfig(found.yaml, name), version, name };
}

function ofConfigFile(file: string): Meant {
  return { config: parseConfig(readConfigText(file), file), version: 0, name: file };
}

const builtIn: Meant = { config: parseConfig('', ''), version: 0, name: 'no config' };

function explained(
  subject: string,
  record: JournalRecord,
  { config, version, name }: Meant,
  note: string,
  index?: number,
): Explanation {
  const { source, raw } = record;
  const context = meaningOf(config, version).contextFor(record);
  const run = (bytes: Uint8Array, under: Config) => understand({ ...record, raw: bytes }, meaningFor(under));
  // Thousands of runs share a config, and then others come once each.
  let last = { config, meaning: meaningOf(config, version) };
  const meaningFor = (under: Config) => {
    if (last.config !== under) last = { config: under, meaning: meaningOf(under, version) };
    return last.meaning;
  };
  const made = explain({ raw, config, context, run });
  const base = mappingName(0);
  const ofConfig = version === 0 ? 'config' : `config@${version}`;
  const events = made.events.map(({ event, fields }, at) => ({
    index: at + 1,
    kind: event.kind,
    class: event.class,
    fields: fields.map((one) => ({ ...one, version: versionOf(one.rules, base, ofConfig) })),
  }));
  return {
    subject,
    source,
    mappingVersion: mappingName(version),
    config: name,
    note,
    reject: made.reject ?? null,
    events: index === undefined ? events : events.filter((event) => event.index === index),
    unused: made.unused,
    untried: made.untried,
  };
}

function versionOf(rules: readonly string[], base: string, ofConfig: string): string {
  return rules.some((rule) => configRule.test(rule)) ? `${base}+${ofConfig}` : base;
}

/** Paths of a config, and class rules of one. */
const configRule =
  /^(site|sources|codes|units|identity|classes|devices|critical|mappings)\.|^class:(?!default:|unreviewed$|will$|none$)/;

function looksLikeId(text: string): boolean {
  return /\.(stat|urgent|routine|bulk)\.\d+$/.test(text);
}

function text({
  subject,
  source,
  mappingVersion,
  config,
  note,
  reject,
  events,
  unused,
  untried,
}: Explanation): string {
  let said = `${subject}: ${events.length} ${events.length === 1 ? 'event' : 'events'}, source ${source}, mapped by ${mappingVersion} with ${config}\n`;
  if (note !== '') said += `${note}\n`;
  if (reject !== null) said += `quarantined: ${reject.code}: ${reject.reason}\n`;
  for (const { index, kind, class: word, fields } of events) {
    said += `\nEvent ${index}: ${kind}, ${word}\n`;
    said += table(
      fields.map((one) => ({
        ...one,
        value: clip(one.value),
        from: one.from.length > fromMax ? `${one.from.slice(0, fromMax).join(', ')} …` : one.from.join(', '),
        rules: one.rules.join(', '),
      })),
      [
        field('FIELD', 'path'),
        field('VALUE', 'value'),
        field('FROM', 'from'),
        field('RULE', 'rules'),
        field('VERSION', 'version'),
      ],
    );
  }
  if (events.length > 0) {
    said += unused.length === 0 ? '\nEvery field of the message was used.\n' : '\nNot used:\n';
    if (unused.length > 0) {
      said += table(
        unused.map((one) => ({ ...one, value: clip(one.value) })),
        [
          field('LOCATION', 'location'),
          field('VALUE', 'value'),
          {
            title: 'WHY',
            value: ({ why }) => (why === 'not-read' ? 'no rule reads it' : 'read, without effect'),
          },
        ],
      );
    }
  }
  if (untried > 0)
    said += `\n${untried} places were not tried: the message is too large to explain them all.\n`;
  return said;
}

const fromMax = 3;
const valueMax = 48;

/** One line of a terminal, whatever a message holds. */
function clip(value: string): string {
  const shown = value.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
  return shown.length > valueMax ? `${shown.slice(0, valueMax)}…` : shown;
}
