/**
 * Priorities and flags that are known for what they say. One that is not raises no class, and neither does a routine
 * one; so that nobody takes the first for the second, a remark tells of it, and a class rule of the config can decide.
 */
import type { Code } from '../../../proto/gen/hilum/v1/event.ts';
import { isStat, isUrgent } from '../../../proto/priority-words.ts';
import { upper } from '../text.ts';
import type { Segment } from './message.ts';
import { place, remark } from './scope.ts';

/** What is neither at once nor soon, of HL7 tables 0485 and 0027, and words that are sent in their place. */
const byRoutine = /^(?:PREOP|R|ROUTINE|N|NORMAL|ELECTIVE|C|CALLBACK|PRN|TIMED|T[DWL]\d*)$/;

/** HL7 table 0078 with what later versions and v3-ObservationInterpretation added. */
const table0078 =
  'A AA H HH HU L LL LU N < > D B U W I MS NS R S VS SDD SYN-R SYN-S POS NEG IND E NR RR WR DET ND EXP UNE EX HX LX IE NCL TOX CAR AC QCF';
/** What is sent for them. A flag for critical that prioritize/ knows is known here; a test holds the two together. */
const alike =
  'C CH CL HC LC H* L* *HH *LL HH* LL* !H !L !+ !- CRIT KRITISCH PANIC HI LO HIGH LOW ABN ABNORMAL NORMAL POSITIVE NEGATIVE';
/** The state of a measurement [IHE PCD TF-2, B.8]. */
const devices = 'SR INV NAV OFF QUES CALIB CAL ONGOING DEMO TEST MSUR ALACT OTH ACT INACT XREP UNKN';

const flags: ReadonlySet<string> = new Set(`${table0078} ${alike} ${devices}`.split(' '));
/** The priority and kind of an alarm [IHE PCD TF-2, B.8]. Of a laboratory PH and PL may mean that there is panic. */
const alarms: ReadonlySet<string> = new Set('PN PL PM PH SP SA ST'.split(' '));
/** CRITICAL HIGH, CRIT LOW, CRITICALLY HIGH, PANIC LOW. */
const phrase = /^(?:CRIT|CRITICAL|CRITICALLY|PANIC)(?: (?:HIGH|LOW|ABNORMAL))?$/;

export function isKnownPriority(sent: string): boolean {
  const word = upper(sent);
  return byRoutine.test(word) || isStat.test(word) || isUrgent.test(word);
}

export function isKnownFlag(sent: string): boolean {
  // As nearly all of them are sent.
  if (flags.has(sent)) return true;
  const said = upper(sent.trim());
  if (flags.has(said) || phrase.test(said)) return true;
  return said.includes(',') && said.split(',').every((one) => one.trim() === '' || isKnownFlag(one));
}

/** One or several with commas between them. */
function isFlagOfAlarm(sent: string): boolean {
  return sent.split(',').every((one) => alarms.has(upper(one.trim())) || isKnownFlag(one));
}

/** Told once a message, whichever row or order it is of. */
export function tellPriority(sent: string, segment: Segment, field: number): void {
  if (sent === '' || isKnownPriority(sent)) return;
  remark(segment.message.scope, `${segment.name}-${field}: a priority that is not known, it raises no class`);
}

/** A flag by its text, its code and what they were mapped to; told of each row, so that a reader finds it. */
export function tellFlag(sent: string | Code, segment: Segment, field: number): void {
  if (sent === '' || (typeof sent === 'string' && isKnownFlag(sent))) return;
  const words =
    typeof sent === 'string'
      ? [sent]
      : [sent.text, ...sent.codings.flatMap((one) => [one.code, one.display])];
  const said = words.filter((one) => one !== '');
  if (said.length === 0 || (typeof sent !== 'string' && said.some(isKnownFlag))) return;
  const { scope } = segment.message;
  if (scope.ofAlarm === true && said.some(isFlagOfAlarm)) return;
  remark(scope, `${place(segment, field)}: a flag that is not known, it raises no class`);
}
