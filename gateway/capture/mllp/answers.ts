/**
 * What an MLLP sender is answered, and when [HL7 2.9.2, 2.9.3]. With MSH-15 and MSH-16 both empty: AA, or AR, or AE
 * where it is over a limit. With either valued, an empty one counts as NE and an unknown code as AL: MSH-15 AL or SU
 * asks for CA (or CR, CE), MSH-16 for an AA after it, as a message of its own. What cannot be mapped later changes no answer.
 * Pure: the time and the control ID of an answer come as arguments.
 */
import type { Header } from './header.ts';

/** What became of the message: durable, refused for what it is, or over a limit. */
export type Verdict = 'durable' | 'refused' | 'too-large';

export interface AnswerContext {
  /** HL7 timestamp of the answer, with offset. */
  time: string;
  nextControlId(): string;
}

/** The answers to send on the connection, in order; none for NE/NE and for an acknowledgment. */
export function answersTo(header: Header, verdict: Verdict, context: AnswerContext, text = ''): string[] {
  if (header.acknowledgment) return [];
  const accept = condition(header.field(15));
  const application = condition(header.field(16));
  if (accept === undefined && application === undefined) {
    return [acknowledgment(header, originalCode[verdict], context, text, false)];
  }
  const success = verdict === 'durable';
  const answers: string[] = [];
  if (wanted(accept ?? 'NE', success)) {
    answers.push(acknowledgment(header, acceptCode[verdict], context, text, true));
  }
  // An application answer says what became of it: only where the accept answer did not already refuse.
  if (wanted(application ?? 'NE', success) && (success || answers.length === 0)) {
    answers.push(acknowledgment(header, originalCode[verdict], context, text, true));
  }
  return answers;
}

const originalCode: Record<Verdict, string> = { durable: 'AA', refused: 'AR', 'too-large': 'AE' };
const acceptCode: Record<Verdict, string> = { durable: 'CA', refused: 'CR', 'too-large': 'CE' };

type Condition = 'AL' | 'NE' | 'SU' | 'ER';

/** HL7 table 0155; an unknown code counts as AL, empty as not valued. */
function condition(value: string): Condition | undefined {
  if (value === '') return undefined;
  const code = value.trim().toUpperCase();
  if (code === '' || code === '""') return undefined;
  return code === 'NE' || code === 'SU' || code === 'ER' ? code : 'AL';
}

function wanted(code: Condition, success: boolean): boolean {
  return code === 'AL' || (code === 'SU' && success) || (code === 'ER' && !success);
}

function acknowledgment(
  header: Header,
  code: string,
  context: AnswerContext,
  text: string,
  enhanced: boolean,
): string {
  const f = header.fieldSeparator;
  const trigger = header.component(9, 2);
  const c = header.componentSeparator;
  const messageType = trigger === '' ? 'ACK' : `ACK${c}${trigger}${c}ACK`;
  const msh: string[] = [
    'MSH',
    header.encodingCharacters,
    header.field(5),
    header.field(6),
    header.field(3),
    header.field(4),
    context.time,
    '',
    messageType,
    context.nextControlId(),
    header.field(11) || 'P',
    header.field(12),
    '',
    '',
    // In enhanced mode nothing answers an answer.
    enhanced ? 'NE' : '',
    enhanced ? 'NE' : '',
    '',
    header.field(18),
  ];
  let last = msh.length - 1;
  while (msh[last] === '') last -= 1;
  let line = 'MSH';
  for (let at = 1; at <= last; at += 1) line += f + msh[at];
  const msa = `MSA${f}${code}${f}${header.field(10)}${text === '' ? '' : f + text}`;
  return `${printable(line)}\r${printable(msa)}\r`;
}

/** Framing and line ends are ours alone: a control byte of the message never comes back in its answer. */
function printable(segment: string): string {
  for (let at = 0; at < segment.length; at += 1)
    if (segment.charCodeAt(at) < 0x20) return segment.replace(/[\x00-\x1f]/g, '');
  return segment;
}

/**
 * MSH-10 of our answers: unique across the listeners of a process and, by the millisecond of its start,
 * across restarts. At most 20 characters, which is what MSH-10 holds up to 2.6: H, eight digits, a point,
 * ten digits, to base 36.
 */
export function controlIds(startUs: number): () => string {
  const prefix = `H${Math.trunc(startUs / 1000)
    .toString(36)
    .toUpperCase()}`;
  let number = 0;
  return () => {
    number += 1;
    return `${prefix}.${number.toString(36).toUpperCase()}`;
  };
}

/** HL7 time of day with milliseconds and offset, in UTC: 20261123081500.123+0000. */
export function hl7Time(us: number): string {
  const ms = Math.floor(us / 1000);
  // What one flush made durable is answered together.
  if (ms !== told.ms) told = { ms, text: written(ms) };
  return told.text;
}

let told = { ms: Number.NaN, text: '' };

function written(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 10)}${iso.slice(11, 13)}${iso.slice(14, 16)}${iso.slice(17, 23)}+0000`;
}
