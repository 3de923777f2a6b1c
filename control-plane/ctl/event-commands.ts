/** events, trace: the canonical events and the way of one message. */
import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import { type Form, filled, out, printObject, printRows, span, time } from '../../gateway/process/output.ts';
import { classes, eventKinds } from '../../proto/config/event-words.ts';
import { type EventReply, Trace } from '../../proto/gen/hilum/v1/admin.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { type Connection, call, silenceMs, stream } from './client.ts';
import { onceText } from './once-text.ts';
import { checkPlace, output, wholeNumber, withConnection } from './options.ts';

interface EventOptions {
  site?: string;
  gateway?: string;
  source?: string;
  class?: string;
  kind?: string;
  fromStart?: boolean;
  after?: number;
  follow?: boolean;
  raw?: boolean;
  repeats?: boolean;
  reason?: string;
  limit: number;
  output: Form | 'fhir';
}

export function addEventCommands(program: Command): void {
  program
    .command('events')
    .description(
      'canonical events in the order in which they arrived here; the audit trail says who read them',
    )
    .option('--site <name>', 'only of this site')
    .option('--gateway <name>', 'only of this gateway')
    .option('--source <name>', 'only of this source')
    .addOption(new Option('--class <class>', 'only of this class').choices(classes))
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(eventKinds))
    .option('--from-start', 'all that is stored (the default without --follow)')
    .option(
      '--after <index>',
      'what is stored behind this place in the log (`index` of an event as json), and not before',
      wholeNumber,
    )
    .option('--follow', 'go on with what comes')
    .option('--repeats', 'also what another event has said before (`once` of the config)')
    .option('--raw', 'add the bytes of the message (base64); audited')
    .option('--reason <text>', 'why they are looked at, for the audit trail; needed with --raw', '')
    .option('--limit <n>', 'at most so many, the oldest first; 0: all', wholeNumber, 0)
    .addOption(
      new Option('-o, --output <form>', 'how it is printed; fhir: one FHIR R4 Bundle a line')
        .choices(['table', 'json', 'jsonl', 'yaml', 'fhir'])
        .default('table'),
    )
    .addHelpText(
      'after',
      `
Examples:
  hilumctl events --from-start -o jsonl
  hilumctl events --from-start -o fhir
  hilumctl events --from-start --repeats -o jsonl
  hilumctl events --follow --class stat -o jsonl
  hilumctl events --raw --reason "ticket 4711" --limit 1 -o json`,
    )
    .action(async (options: EventOptions, command: Command) => {
      checkRaw(options);
      await withConnection(command, async (connection) => {
        const any = await print(options.output, options.raw === true, replies(connection, options));
        if (any) return;
        await checkPlace(connection, options);
        if (options.output === 'table' && options.follow !== true) process.stderr.write('No event fits.\n');
      });
    });

  program
    .command('trace')
    .description('every hop of one message, with its time')
    .argument('<id>', 'an event id, or a message control ID (MSH-10)')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl trace MSG00042')
    .action(async (id: string, options: { output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const { traces, leftOut } = await call(connection, connection.client.trace, { id });
        if (traces.length === 0) {
          throw new HilumError('not-found', `Nothing is stored under ${id}.`, {
            hint: 'It may still be at its gateway (hilumctl custody), or was never sent.',
            exit: exitCode.failed,
          });
        }
        if (options.output === 'table') for (const trace of traces) out(traceText(trace));
        else if (options.output === 'jsonl') printRows('jsonl', traces.map(traceRow), []);
        else {
          // Always one object: what else goes by the same message control ID stands in it.
          const [first = {}, ...more] = traces.map(traceRow);
          const beside = leftOut === 0 ? { more } : { more, leftOut };
          printObject(options.output, more.length === 0 ? first : { ...first, ...beside }, () => '');
        }
        if (leftOut > 0)
          process.stderr.write(
            `${traces.length} of ${traces.length + leftOut} that go by ${id} are shown: hilumctl events and quarantine list have the ids of the others.\n`,
          );
      });
    });
}

function traceRow(trace: Trace): object {
  return filled(Trace.toJSON(trace) as object, { id: '', hops: [] });
}

function checkRaw({ raw, reason, output: form }: EventOptions): void {
  const usage = (text: string) => new HilumError('usage', text, { exit: exitCode.usage });
  if (raw !== true) return;
  if (reason === '') throw usage('--raw shows the bytes of messages and is audited: add --reason "…".');
  if (form === 'fhir')
    throw usage('A FHIR Bundle has no place for the bytes of the message: use --raw with -o jsonl.');
  if (form === 'table') throw usage('--raw: a table has no room for bytes; add -o jsonl (json, yaml).');
}

const againMs = 2_000;

/**
 * Events as the control plane has them. One that follows outlives a control plane that stops or hangs: it
 * connects again and goes on behind the last event that it had.
 */
async function* replies(connection: Connection, options: EventOptions): AsyncGenerator<EventReply> {
  const follow = options.follow === true;
  let resume = options.after === undefined ? undefined : BigInt(options.after);
  let resumeId = '';
  let left = options.limit;
  let connected = false;
  let lost = false;
  for (;;) {
    const request = {
      site: options.site ?? '',
      gateway: options.gateway ?? '',
      source: options.source ?? '',
      class: options.class ?? '',
      kind: options.kind ?? '',
      fromStart: options.fromStart === true || resume !== undefined,
      follow,
      raw: options.raw === true,
      reason: options.reason ?? '',
      limit: left,
      afterIndex: resume ?? 0n,
      afterId: resumeId,
      id: '',
      repeats: options.repeats === true,
    };
    const events = stream(connection, connection.client.streamEvents(request), follow ? 0 : silenceMs);
    try {
      for await (const reply of events) {
        if (lost) process.stderr.write('Connected again.\n');
        lost = false;
        connected = true;
        if (reply.event !== undefined) [resume, resumeId] = [reply.index, reply.event.id];
        else if (resumeId === '') resume = reply.index;
        if (reply.event !== undefined && left > 0) left -= 1;
        yield reply;
        if (options.limit > 0 && left === 0) return;
      }
      return;
    } catch (error) {
      const gone = error instanceof HilumError && error.exit === exitCode.unreachable;
      // Who never was connected is told at once; who was waits.
      if (!follow || !gone || !connected) throw error;
      if (!lost) process.stderr.write(`${error.message}; trying again.\n`);
      lost = true;
      await new Promise((resolve) => setTimeout(resolve, againMs));
    }
  }
}

/** True where there was any. */
async function print(
  form: EventOptions['output'],
  raw: boolean,
  replies: AsyncIterable<EventReply>,
): Promise<boolean> {
  let first = true;
  const { toBundleText } =
    form === 'fhir' ? await import('../../proto/fhir/bundle.ts') : { toBundleText: undefined };
  if (form === 'json') out('[');
  for await (const reply of replies) {
    if (reply.event === undefined) continue;
    if (toBundleText !== undefined) {
      out(`${toBundleText(reply.event)}\n`);
      first = false;
      await drained();
      continue;
    }
    const row = ClinicalEvent.toJSON(reply.event) as Record<string, unknown>;
    // Where --after goes on.
    row.index = String(reply.index);
    if (raw) row.raw = Buffer.from(reply.raw).toString('base64');
    if (form === 'json') out(`${first ? '\n' : ',\n'}${JSON.stringify(row)}`);
    else if (form === 'jsonl') out(`${JSON.stringify(row)}\n`);
    else if (form === 'yaml') out(`---\n${stringify(row)}`);
    else {
      if (first) out(`${line('CAPTURED', 'CLASS', 'KIND', 'STATUS', 'SOURCE', 'ID')}\n`);
      const { event } = reply;
      out(
        `${line(time(event.times?.capturedAtUs), event.class, event.kind, event.status, event.provenance?.source ?? '', event.once?.role === 'repeat' ? `${event.id} (repeat)` : event.id)}\n`,
      );
    }
    first = false;
    await drained();
  }
  if (form === 'json') out(first ? ']\n' : '\n]\n');
  return !first;
}

/** Waits while the reader of standard output is slower than the centre. */
async function drained(): Promise<void> {
  if (process.stdout.writableNeedDrain) {
    await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
}

function line(...cells: string[]): string {
  const widths = [24, 8, 20, 14, 14];
  return cells
    .map((cell, at) => cell.padEnd(widths[at] ?? 0))
    .join(' ')
    .trimEnd();
}

export function traceText(trace: Trace): string {
  const start = trace.hops[0]?.atUs ?? 0n;
  const quarantined = trace.code !== '';
  const kept = trace.hops.at(-1)?.hop === 'quarantined' ? 'in quarantine' : 'was in quarantine';
  const what = quarantined ? `${kept}: ${trace.code}` : `${trace.kind}, ${trace.class}`;
  let text = `${trace.id}  ${what}, from ${trace.source}\n`;
  text += `message control ID ${trace.messageControlId || '(none)'}`;
  text += quarantined ? `\n${trace.reason}\n` : `   mapped by ${trace.mappingVersion}\n`;
  text += `record sha256 ${trace.recordHash}\n`;
  let before = start;
  for (const { hop, atUs, destination, route, answer, attempts } of trace.hops) {
    if (hop === 'waiting') {
      text += `  ${hop.padEnd(11)} ${time(atUs)}   ${' '.repeat(10)}   ${span(Number(atUs - start)).padStart(9)}   for ${destination} by route ${route}: the gateway has not told yet that it was delivered; where it waits, hilum-gateway doctor there says why\n`;
      continue;
    }
    if (destination !== '') {
      const sent = attempts === 1 ? 'sent once' : `sent ${attempts} times`;
      text += `  ${hop.padEnd(11)} ${time(atUs)}   ${' '.repeat(10)}   ${span(Number(atUs - start)).padStart(9)}   to ${destination} by route ${route}, ${sent}, answered ${answer}\n`;
      continue;
    }
    text += `  ${hop.padEnd(11)} ${time(atUs)}   ${atUs < before ? ' ' : '+'}${span(Number(atUs - before)).padStart(9)}   ${span(Number(atUs - start)).padStart(9)}\n`;
    before = atUs;
  }
  const untimed = !quarantined && trace.hops.every(({ hop }) => hop !== 'journaled');
  if (untimed && trace.wasQuarantined.length === 0)
    text +=
      '  waited on the disk of the gateway over a restart, or was replayed there: when it was journaled is not known\n';
  text += `  clocks: gateway is ${span(Math.abs(Number(trace.clockOffsetUs)))} ${trace.clockOffsetUs < 0n ? 'behind' : 'ahead'}, corrected; ± ${span(Number(trace.uncertaintyUs))}\n`;
  if (trace.superseded) text += '  superseded: something newer stands in its place\n';
  for (const id of trace.inPlaceOf) text += `  mapped again: it stands in place of ${id}\n`;
  for (const { id, code, reason, atUs, replayedAtUs } of trace.wasQuarantined)
    text += `  was in quarantine from ${time(atUs)} as ${id}, replayed ${time(replayedAtUs)}: ${code}\n    ${reason}\n`;
  const beside = trace.alsoQuarantined;
  if (beside !== undefined) {
    const until = beside.replayedAtUs === 0n ? '' : `, replayed ${time(beside.replayedAtUs)}`;
    text += `  ${until === '' ? 'also in quarantine' : 'was also in quarantine'}, because not all of its record was understood: from ${time(beside.atUs)} as ${beside.id}${until}: ${beside.code}\n    ${beside.reason}\n`;
  }
  if (trace.repeats > 0n)
    text += `  repeated ${trace.repeats === 1n ? 'once' : `${trace.repeats} times`}; each was answered, none had an effect\n`;
  if (trace.conflict !== '')
    text += `  other bytes came under the same message control ID before, as record ${trace.conflict}: trace ${trace.messageControlId} shows what became of it\n`;
  if (trace.duplicateOf !== '') text += `  the same bytes as record ${trace.duplicateOf}, sent again later\n`;
  if (trace.once !== undefined) text += `  ${onceText(trace.once)}\n`;
  for (const { what, kind, trigger, merge, atUs, addedAtCentre, undoneBy } of trace.followed) {
    const by = `record ${merge?.epoch.toString(16)}.${merge?.sequence} (${trigger}, ${time(atUs)})`;
    const where = addedAtCentre
      ? 'followed when it was read, the event was normalized before'
      : 'followed at the gateway';
    const undone =
      undoneBy === undefined ? '' : `; undone by record ${undoneBy.epoch.toString(16)}.${undoneBy.sequence}`;
    text += `  ${what}: ${kind} by ${by}, ${where}${undone}\n`;
  }
  return text;
}
