/**
 * Alarms [IHE DEV TF-2 3.4, PCD-04]. One OBR is one alarm; its rows are facets of it: what alarmed, what was
 * measured, then an attribute a row. Other OBRs of the message carry evidence.
 *
 * Read by the name of a term before its number: the numbers of the attributes have changed between editions.
 */
import { priorities, priorityFlags, typeFlags } from '../../../proto/config/device-words.ts';
import type { Alarm, ClinicalEvent, Identifier, Observation } from '../../../proto/gen/hilum/v1/event.ts';
import { beginnings, knownWord, knownWords, over, vocabulary } from '../known-word.ts';
import { lookup } from '../lookup.ts';
import { said } from './coded.ts';
import { mdcTerm } from './device.ts';
import { remark, type Scope } from './scope.ts';
import { fresh } from './shapes.ts';

const evidenceMax = 100;
/** MDC_EVT_ALARM: some event, to be named by the value. */
const anyAlarm = '196616';

type Attribute = 'source' | 'phase' | 'state' | 'inactivation' | 'priority' | 'type' | 'text' | 'timeout';

const byName = lookup<Attribute>({
  ALERT_SOURCE: 'source',
  EVENT_PHASE: 'phase',
  EVT_PHASE: 'phase',
  ALARM_STATE: 'state',
  ALERT_STATE: 'state',
  AL_STATE: 'state',
  ALARM_INACTIVATION_STATE: 'inactivation',
  ALERT_INACTIVATION_STATE: 'inactivation',
  INACTIVATION_STATE: 'inactivation',
  ALARM_PRIORITY: 'priority',
  ALERT_PRIORITY: 'priority',
  AL_PRIORITY: 'priority',
  ALERT_TYPE: 'type',
  ALARM_TYPE: 'type',
  ALERT_TEXT: 'text',
  CONFIRM_TIMEOUT: 'timeout',
});
const byCode = lookup<Attribute>({
  '67860': 'timeout',
  '68480': 'source',
  '68481': 'phase',
  '68482': 'state',
  '68483': 'inactivation',
  '68484': 'priority',
  '68485': 'type',
  '68546': 'text',
});

export function attributeOf(row: Observation): Attribute | undefined {
  const { code, name } = mdcTerm(row.code);
  return byName[name.toUpperCase().replace(/^MDC_ATTR_/, '')] ?? byCode[code];
}

/** True where the group tells of an alarm, and not of what was measured around it. */
export function isAlarm(event: ClinicalEvent): boolean {
  return (
    isEvent(mdcTerm(event.order?.service)) ||
    event.observations.some((row) => attributeOf(row) !== undefined || isEvent(mdcTerm(row.code)))
  );
}

/** A row that says what alarmed. */
export function isEventRow(row: Observation): boolean {
  return attributeOf(row) === undefined && isEvent(mdcTerm(row.code));
}

/** Its flags say how urgent it is, or of which kind. */
export function isFlagged(row: Observation): boolean {
  return flagsOf(row).some((flag) => priorityFlags.has(flag) || typeFlags.has(flag));
}

/** In capitals. Some senders write several into one text, with commas between them, as they do for results. */
function flagsOf({ interpretations }: Observation): string[] {
  return interpretations.flatMap((text) => text.split(',').map((flag) => flag.trim().toUpperCase()));
}

/** Partition 3 has the events; private ones are known by their name. */
function isEvent({ code, name }: { code: string; name: string }): boolean {
  return Number(code) >>> 16 === 3 || /^MDCX?_EVT_/.test(name);
}

/** Of a finished event: its rows know their components. */
export function alarmOf(event: ClinicalEvent, scope: Scope): Alarm {
  const alarm = fresh.alarm();
  alarm.identifier = identity(event);
  const unknown = new Set<Attribute>();
  let told: Observation | undefined;
  for (const row of event.observations) {
    const attribute = attributeOf(row);
    if (attribute !== undefined) {
      if (take(alarm, attribute, row)) continue;
      unknown.add(attribute);
      remark(scope, `OBX-5: the ${attribute} of an alarm is not a known word`);
    } else if (told === undefined && (isEvent(mdcTerm(row.code)) || row.value !== '')) told = row;
    else if (row.value !== '' && alarm.evidence.length < evidenceMax) alarm.evidence.push(row);
  }
  if (told !== undefined) {
    const general = mdcTerm(told.code).code === anyAlarm && told.valueCode !== undefined;
    alarm.code = general ? told.valueCode : told.code;
    alarm.text ||= told.value;
    alarm.sourcePath = told.subId;
    alarm.devicePath = told.devicePath;
    // Priority and kind stand among the flags of this row, or as rows of their own.
    for (const flag of flagsOf(told)) {
      const flagged = priorityFlags.get(flag) ?? '';
      // Beside a word that nobody understood, a flag says no more than that it is not lower.
      if (flagged === 'high' || !unknown.has('priority')) alarm.priority ||= flagged;
      alarm.type ||= typeFlags.get(flag) ?? '';
    }
  }
  if (told !== undefined) besides(alarm, told, event, scope);
  alarm.code ??= event.order?.service ?? said('');
  times(alarm, told, event, unknown);
  return alarm;
}

/** Another alarm in the place of the first one cannot be told apart from it; it must not make it less urgent. */
function besides(alarm: Alarm, told: Observation, { observations }: ClinicalEvent, scope: Scope): void {
  for (const row of observations) {
    if (row === told || row.subId !== told.subId || !isEventRow(row) || isSameEvent(row, told)) continue;
    remark(scope, 'OBX-4: another alarm in the place of the first one, told as its evidence');
    const flagged = flagsOf(row).map((flag) => priorityFlags.get(flag) ?? '');
    alarm.priority = priorities.find((one) => one === alarm.priority || flagged.includes(one)) ?? '';
  }
}

function isSameEvent(one: Observation, other: Observation): boolean {
  const code = ({ code, valueCode }: Observation): string => JSON.stringify([mdcTerm(code), valueCode]);
  return code(one) === code(other);
}

/** OBR-29 names the first message of the alarm, of which this one tells a later phase; 0 stands for none. */
function identity({ order }: ClinicalEvent): Identifier | undefined {
  const parents = (order?.parents ?? []).filter((one) => one.value !== '0');
  const first = parents.find((one) => one.type === 'FILL') ?? parents[0];
  return first ?? order?.filler ?? order?.placer;
}

/** False: a word outside the vocabulary, where there is one; it is left out, and stays in its row. */
function take(alarm: Alarm, attribute: Attribute, row: Observation): boolean {
  // A coded value (CWE) says its word in the first component.
  const word = (row.valueCode?.codings[0]?.code ?? row.value).trim();
  switch (attribute) {
    case 'source':
      alarm.sourceLocation = row.value;
      alarm.source = row.valueCode;
      return true;
    case 'phase':
      alarm.phase = knownWord(vocabulary.phase, word) ?? '';
      return word === '' || alarm.phase !== '';
    case 'state':
      alarm.state = knownWord(vocabulary.state, word) ?? '';
      return word === '' || alarm.state !== '';
    case 'inactivation': {
      const { words, strange } = knownWords(vocabulary.inactivation, [word, ...row.furtherValues]);
      alarm.inactivation = words.join(' ');
      return !strange;
    }
    case 'priority':
      alarm.priority = knownWord(vocabulary.priority, word) ?? '';
      return word === '' || alarm.priority !== '';
    case 'type':
      alarm.type = knownWord(vocabulary.type, word) ?? '';
      return word === '' || alarm.type !== '';
    case 'text':
      alarm.text = row.value;
      return true;
    case 'timeout':
      return true; // of the watchdog; it stays a row
  }
}

/**
 * OBX-14 of the alarm's own row, else OBR-8 of a later phase, else OBR-7 is when this phase came; the start's is when it
 * began. A phase or a state that nobody understood may be the end of it.
 */
function times(
  alarm: Alarm,
  told: Observation | undefined,
  event: ClinicalEvent,
  unknown: ReadonlySet<Attribute>,
): void {
  const { observed, observedEnd } = event.times ?? {};
  const { phase, state } = alarm;
  const began = !unknown.has('phase') && !unknown.has('state') && !over.has(state);
  const begins = phase === '' ? began : beginnings.has(phase);
  alarm.updated = told?.effective ?? (begins ? observed : (observedEnd ?? observed));
  if (begins) alarm.raised = alarm.updated;
  // A later phase whose OBR-7 is earlier than its own time says when it all began.
  else if (before(observed?.value, alarm.updated?.value)) alarm.raised = observed;
}

function before(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && Date.parse(one) < Date.parse(other);
}
