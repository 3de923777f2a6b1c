/** MSH: what the event's provenance says of its message [HL7 2.14.9]. */
import type { Provenance, Software } from '../../../proto/gen/hilum/v1/event.ts';
import { upper } from '../text.ts';
import { time } from './clock.ts';
import { code } from './coded.ts';
import { organization, organizations } from './identified.ts';
import type { Message, Segment } from './message.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { asSent, eachAsSent, fill, type Table, word } from './table.ts';

export const msh: Table<Provenance> = [
  [3, 'sendingApplication', asSent],
  [4, 'sendingFacility', asSent],
  [5, 'receivingApplication', asSent],
  [6, 'receivingFacility', asSent],
  [9, 'messageType', asSent],
  // The whole field as it is: by this a sender knows its message, and capture, MSA-2 and trace do too.
  [10, 'messageControlId', verbatim],
  [11, 'processingId', asSent],
  [12, 'version', asSent],
  [17, 'country', word],
  [19, 'language', code],
  [21, 'profiles', eachAsSent],
  [22, 'responsible', organizations],
];

/** The programs that it came through [HL7 2.14.13]. */
export const sft: Table<Software> = [
  [1, 'vendor', organization],
  [2, 'version', word],
  [3, 'product', word],
  [4, 'binary', word],
  [5, 'information', asSent],
  [6, 'installed', time],
];

export function softwareOf({ segments }: Message): Software[] {
  const found: Software[] = [];
  for (const segment of segments)
    if (segment.name === 'SFT') found.push(fill(fresh.software(), sft, segment));
  return found;
}

export function verbatim(segment: Segment, field: number): string {
  return segment.message.chars.substring(segment.start(field), segment.end(field));
}

export interface MessageType {
  type: string;
  trigger: string;
}

/** MSH-9; where it does not name the trigger, its structure or EVN-1 may [HL7 2.14.9.9]. */
export function messageType(header: Segment, message: Message): MessageType {
  let [type, trigger] = parted(upper(header.text(9)), upper(header.text(9, 1, 2)));
  const structure = upper(header.text(9, 1, 3));
  const separator = structure.indexOf('_');
  if (type === '' && separator > 0) type = structure.slice(0, separator);
  const evn = message.first('EVN')?.text(1).toUpperCase() ?? '';
  if (trigger === '' && isTrigger(evn)) trigger = evn;
  if (trigger === '' && separator > 0) trigger = structure.slice(separator + 1);
  if (isTrigger(evn) && evn !== trigger)
    remark(message.scope, 'EVN-1: another trigger than that of MSH-9, which stands');
  // An answer may be of the same trigger.
  if (type === '' && message.first('MSA') === undefined) type = typeOfTrigger(trigger);
  return { type, trigger };
}

/** Both in one part, with another separator than the message's own; or the trigger alone. */
function parted(type: string, trigger: string): [type: string, trigger: string] {
  if (trigger !== '') return [type, trigger];
  if (isTrigger(type)) return ['', type];
  const [first = '', second = ''] = type.split(/[ _&-]+/);
  return [first, second];
}

function isTrigger(sent: string): boolean {
  return /^[A-Z]\d{2}$/.test(sent);
}

/** Triggers of one type only: S01 is that of a request and of its answer [HL7 tables 0003 and 0354]. */
const triggers: readonly [RegExp, string][] = [
  [/^A\d{2}$/, 'ADT'],
  [/^T\d{2}$/, 'MDM'],
  [/^P(?:03|11)$/, 'DFT'],
  [/^P\d{2}$/, 'BAR'],
  [/^R(?:01|30|31|32|40)$/, 'ORU'],
  [/^R2[1-4]$/, 'OUL'],
  [/^O01$/, 'ORM'],
  [/^O19$/, 'OMG'],
  [/^O21$/, 'OML'],
  [/^S(?:1[2-9]|2[0-46])$/, 'SIU'],
  [/^V04$/, 'VXU'],
];

function typeOfTrigger(trigger: string): string {
  return triggers.find(([pattern]) => pattern.test(trigger))?.[1] ?? '';
}
