/** One message: its header, its family, its segments in order, its events. */
import type { Provenance } from '../../../proto/gen/hilum/v1/event.ts';
import { segmentNames } from '../../../proto/segment-names.ts';
import { type NormalizeContext, type Normalized, rejected } from '../outcome.ts';
import { offsetOfTime } from '../time.ts';
import { time } from './clock.ts';
import { Draft, repeatedBytesMax } from './draft.ts';
import type { Family, Handler } from './family.ts';
import { messageType, msh, softwareOf } from './header.ts';
import { type Message, type Segment, says } from './message.ts';
import { familyOf, isQuery } from './message-types.ts';
import { nullsIn } from './nulls.ts';
import { dayOf } from './odd-years.ts';
import type { Told } from './owners.ts';
import { joinPieces } from './pieces.ts';
import { remap } from './remap.ts';
import { scan } from './scanner.ts';
import { remark, type Scope, toldOf } from './scope.ts';
import { repeatedSegments } from './segments.ts';
import { fresh } from './shapes.ts';
import { fill } from './table.ts';
import { mayTruncate, tellTruncated } from './truncated.ts';
import { gapsOf, tellUnread } from './unread.ts';

export type Watch = (segment: Segment, field: number) => void;

export function normalizeMessage(raw: Uint8Array, context: NormalizeContext, watch?: Watch): Normalized {
  const message = scan(raw, scopeOf(context));
  if ('code' in message) return { events: [], reject: message };
  message.onRead = watch;
  return withMappings(message, context);
}

/** Undefined where the record must be split first, or is refused. */
export function normalizeAlone(
  raw: Uint8Array,
  context: NormalizeContext,
  watch?: Watch,
): Normalized | undefined {
  const message = scan(raw, scopeOf(context));
  if ('code' in message || !message.alone) return undefined;
  message.onRead = watch;
  return withMappings(message, context);
}

function withMappings(message: Message, { mappings }: NormalizeContext): Normalized {
  if (mappings === undefined) return mapped(message);
  message.segmentsOf = new WeakMap();
  return remap(mapped(message), message, mappings);
}

export function scopeOf(context: NormalizeContext): Scope {
  return {
    context,
    offset: '',
    day: '',
    remarks: undefined,
    unread: undefined,
    at: 0,
    rules: [],
    times: [],
    files: undefined,
  };
}

function mapped(message: Message): Normalized {
  const header = message.segments[0];
  if (header === undefined) return rejected('no-msh', 'The message has no MSH segment.');
  const named = messageType(header, message);
  const family = familyOf(named, message);
  const type = printable(named.type);
  if (isQuery(named.type)) return rejected('query', `${type} is a query, a response or an acknowledgment.`);
  if (named.type === '') return rejected('not-understood', 'MSH-9 does not name a message type.');
  if (family === undefined)
    return rejected('not-understood', `MSH-9: there is no mapping for message type ${type}.`);
  if (!isAllOfIt(message, header))
    return rejected('continuation', 'The message is one part of a continued message (DSC-1 or MSH-14).');
  begin(message, header, family);
  const draft = new Draft(message, family, named.trigger);
  const anything = read(draft);
  draft.closePatient();
  if (draft.unclear) return rejected('not-understood', whose);
  remarkAbsence(draft);
  if (family.apart !== undefined) draft.divide(family.apart);
  const events = draft.done;
  if (events.length === 0 || !anything)
    return rejected('nothing-in-it', `${type} without a segment that an event could be made of.`);
  const several = events.length > 50;
  const shared = several ? events.length * sharedBytes(message, family) : 0;
  if (shared + draft.repeatedBytes > repeatedBytesMax) return rejected('too-large', repeatsTooMuch);
  for (const event of events) {
    message.scope.at = event;
    event.observations = joinPieces(event.observations, message.scope);
    family.finish?.(event, draft);
  }
  const stamp = stampOf(header, draft);
  const told = several ? toldBytes(stamp, draft) : 0;
  if (shared + told + draft.repeatedBytes > repeatedBytesMax) return rejected('too-large', repeatsTooMuch);
  put(stamp, draft);
  return { events };
}

/** False for one part of a continued message. */
function isAllOfIt(message: Message, header: Segment): boolean {
  const last = message.segments.at(-1);
  if (last?.name === 'DSC' && last.text(1) !== '') return false;
  if (header.text(14) === '') return true;
  if (!isWhole(message)) return false;
  remark(message.scope, 'MSH-14: a continuation pointer in a message that is whole');
  return true;
}

/** What MSH says of all that follows. */
function begin({ scope, bytes }: Message, header: Segment, family: Family): void {
  const sent = header.text(7);
  // A zone that was told for the source knows its summer time, which one offset for a whole message does not.
  if (scope.context.zoneOfSource !== true) scope.offset = offsetOfTime(sent);
  scope.day = dayOf(sent, scope);
  scope.ofAlarm = family.kind === 'device-alarm';
  if (bytes[header.end(2) - 1] === 0x20) remark(scope, 'MSH-2: a blank behind the separators');
}

/** Every segment in its order. True where any says something that an event could be made of. */
function read(draft: Draft): boolean {
  const { message, family } = draft;
  const { scope, segments } = message;
  const cut = mayTruncate(message);
  let ofAll = true;
  let anything = false;
  let handler: Handler | undefined;
  const gaps = gapsOf(family);
  let gap = gaps.get('MSH');
  if (gap !== undefined) tellUnread(segments[0] as Segment, gap);
  let name: string | undefined;
  for (let index = 1; index < segments.length; index++) {
    const segment = segments[index] as Segment;
    // Rows of one kind follow each other.
    if (segment.name !== name) {
      ({ name } = segment);
      handler = family.segments.get(name);
      gap = gaps.get(name);
      ofAll &&= ahead.has(name) || name === 'EVN';
    }
    scope.at = segment.line;
    if (handler === undefined) passOver(draft, segment);
    else handler(draft, segment);
    if (gap !== undefined) tellUnread(segment, gap);
    if (cut) tellTruncated(segment);
    if (!ofAll) draft.owners.own(segment.line, draft.current);
    if (handler === undefined) continue;
    // Once that is known there is nothing more to find out.
    if (draft.said && anything) continue;
    const tells = says(segment, numbered.has(name) ? 2 : 1);
    if (!supplements.has(name)) draft.said ||= tells;
    // An order without a field opens an event, and says nothing.
    anything ||= draft.said || (name !== 'EVN' && tells);
  }
  return anything;
}

/** Text that a raw line break has cut off is not in the event, and a reader should know. */
function passOver(draft: Draft, segment: Segment): void {
  const { scope } = draft.message;
  if (!isSegment(segment)) remark(scope, `line ${segment.line}: not a segment, left out`);
  else if (isLost(segment)) {
    remark(scope, `${segment.name}: not read in such a message, left out`);
    // A note on it is not one on the result before it.
    draft.notes = draft.current.notes;
  }
}

/** A reply may say nothing but how it answers. */
function remarkAbsence({ family: { about }, message: { segments, scope }, reply }: Draft): void {
  if (about === undefined || reply.acknowledgment !== '') return;
  if (segments.some(({ name }) => about.includes(name))) return;
  scope.at = 0;
  remark(
    scope,
    `${about.join(', ')}: none of these is there, so the message says nothing of what it is about`,
  );
}

const repeatsTooMuch =
  'The message has so many orders that their events, which each repeat the patient, the visit, the specimen and the device, would be over 64 MiB; this cannot be raised, the sender has to split it.';

const whose =
  'PID: orders stand before the first of several patients, so that nobody knows which order is whose; the sender has to put each PID before its orders.';

const ahead = new Set(['SFT', 'UAC', 'ARV', 'NTE', 'MSA', 'ERR']);
const first = new Set(['EVN', 'PID', 'SCH', 'ARQ', 'MFI', 'RF1']);

/** Some senders number their messages in MSH-14. A later part begins where the one before it broke off [HL7 2.10.2]. */
function isWhole({ segments }: Message): boolean {
  let at = 1;
  while (at < segments.length && ahead.has(segments[at]?.name ?? '')) at++;
  return first.has(segments[at]?.name ?? '');
}

// What only adds to another segment makes no event by itself. MSA does: a reply may hold nothing but how it answers.
const supplements = new Set(['ARV', 'EVN', 'NTE', 'IN2', 'IN3', 'ERR', 'MFI']);

// Their first field is their ordinal: of the patient and the visit it says nothing.
const numbered = new Set(['PID', 'PV1']);

function sharedBytes(message: Message, family: Family): number {
  let sum = 0;
  let open = false;
  for (const segment of message.segments) {
    open ||= family.opens.has(segment.name);
    // A note before the first order is the patient's too.
    if (!repeatedSegments.has(segment.name) && (open || segment.name !== 'NTE')) continue;
    if (segment.count > 1) sum += segment.end(segment.count) - segment.start(2);
  }
  return sum;
}

/** Three characters and then a separator or the end. */
function isSegment(segment: Segment): boolean {
  return segment.end(0) - segment.start(0) <= 4 && /^[A-Z][A-Z0-9]{2}$/.test(segment.name);
}

/** What it says of the patient is in no event; of a site's own segments the site knows. */
function isLost(segment: Segment): boolean {
  const { name } = segment;
  return segmentNames.has(name) && !framing.has(name) && says(segment);
}

/** What is told of the message itself and of what sent it. */
const framing = new Set(['MSH', 'SFT', 'UAC', 'DSC', 'ADD', 'FHS', 'BHS', 'BTS', 'FTS']);

/** What the header says of every event, and what was found on the way, of some or of all. */
function stampOf(header: Segment, draft: Draft) {
  const { message } = draft;
  const { scope } = message;
  const { context } = scope;
  scope.at = 0;
  const provenance = fill(fresh.provenance(), msh, header);
  const sent = time(header, 7);
  provenance.source = context.source;
  provenance.protocol = context.protocol;
  provenance.topic = context.topic;
  provenance.acknowledgment = draft.reply.acknowledgment;
  provenance.inReplyTo = draft.reply.inReplyTo;
  provenance.charset = message.charset.name;
  provenance.software = softwareOf(message);
  const nulls: Told[] = nullsIn(message);
  return { provenance, sent, nulls, remarks: toldOf(scope.remarks), unread: toldOf(scope.unread) };
}

type Stamp = ReturnType<typeof stampOf>;

/** A field of the patient may have a byte, its place in the event of each order has ten. */
function toldBytes({ nulls, remarks, unread }: Stamp, { owners, done }: Draft): number {
  return [nulls, remarks, unread].reduce((sum, all) => sum + owners.sharedBytes(done, all), 0);
}

function put(stamp: Stamp, { owners, done: events, message: { scope }, family }: Draft): void {
  const nulls = owners.share(events, stamp.nulls);
  const remarks = owners.share(events, stamp.remarks);
  const unread = owners.share(events, stamp.unread);
  const rule = `hl7v2/${family.name}`;
  events.forEach((event, index) => {
    const provenance: Provenance = { ...stamp.provenance };
    provenance.rules = [rule, ...scope.rules];
    provenance.remarks = remarks[index] ?? [];
    provenance.unread = unread[index] ?? [];
    provenance.profiles = [...stamp.provenance.profiles];
    event.provenance = provenance;
    event.times ??= fresh.times();
    event.times.message = stamp.sent;
    event.times.capturedAtUs = scope.context.capturedAtUs;
    event.nulls = nulls[index] ?? [];
  });
}

/** A type code may be shown where it can be nothing but a type code. */
function printable(type: string): string {
  return /^[A-Z0-9]{1,4}$/.test(type) ? type : 'of an unknown form';
}
