/** MSH: what the event's provenance says of its message [HL7 2.14.9]. */
import type { Provenance } from '../../../proto/gen/hilum/v1/event.ts';
import { upper } from '../text.ts';
import type { Message, Segment } from './message.ts';
import { remark } from './scope.ts';
import { asSent, eachAsSent, type Table } from './table.ts';

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
  [21, 'profiles', eachAsSent],
];

export function verbatim(segment: Segment, field: number): string {
  return segment.message.chars.substring(segment.start(field), segment.end(field));
}

export interface MessageType {
  type: string;
  trigger: string;
}

/** MSH-9; where it does not name the trigger, its structure or EVN-1 may [HL7 2.14.9.9]. */
export function messageType(header: Segment, message: Message): MessageType {
  let type = upper(header.text(9));
  let trigger = upper(header.text(9, 1, 2));
  const structure = upper(header.text(9, 1, 3));
  const separator = structure.indexOf('_');
  if (trigger === '' && type.includes('_')) {
    [type = '', trigger = ''] = type.split('_');
  }
  if (type === '' && separator > 0) type = structure.slice(0, separator);
  const evn = message.first('EVN')?.text(1).toUpperCase() ?? '';
  if (trigger === '' && isTrigger(evn)) trigger = evn;
  if (trigger === '' && separator > 0) trigger = structure.slice(separator + 1);
  if (isTrigger(evn) && evn !== trigger)
    remark(message.scope, 'EVN-1: another trigger than that of MSH-9, which stands');
  if (type === '') type = typeOfTrigger(trigger);
  return { type, trigger };
}

function isTrigger(sent: string): boolean {
  return /^[A-Z]\d{2}$/.test(sent);
}

/** An EVN stands in ADT (A…), in DFT and BAR (P…) and in MDM (T…). */
function typeOfTrigger(trigger: string): string {
  if (/^A\d{2}$/.test(trigger)) return 'ADT';
  if (/^T\d{2}$/.test(trigger)) return 'MDM';
  if (trigger === 'P03' || trigger === 'P11') return 'DFT';
  return /^P\d{2}$/.test(trigger) ? 'BAR' : '';
}
