/**
 * The same alarm again within a declared window.
 *
 *   the alarm   device, code, containment, source location, and the number that the device gives it: another number
 *               is another alarm
 *   a repeat    a rule means its priority, and nothing has changed since the last message of it: patient, priority,
 *               phase, state, inactivation, text, topic. So the first one passes, the escalated one, and one that is
 *               raised again after any other phase
 *   the window  from the last one that passed, so that an alarm that goes on is heard once a window. By the alarm's own
 *               time where both say one, and by the gateway's clock: a repeat is inside by both, so that neither a
 *               device's clock that stands still nor a backlog that comes at once hides an alarm
 *
 * One that is more urgent than the one that passed is no repeat, whatever its priority says. Of two in one message
 * the second is no repeat of the first. One that comes late (its time is before the one that passed) passes.
 */
import type { Alarm, ClinicalEvent, Once } from '../../../proto/gen/hilum/v1/event.ts';
import { AlarmMemory, AlarmSaying } from '../../../proto/gen/hilum/v1/journal.ts';
import { idText, patientIdentifiers } from './identity-steps.ts';
import type { About, Recall, RowKind } from './memory.ts';
import { millisecondsOf } from './newness.ts';
import { both, isMoreUrgent, link, mark, placeOf, samePlace, sameRecord, union } from './once-mark.ts';
import type { AlarmWindow, OnceRules } from './once-rules.ts';
import { codeText } from './status.ts';

/** A window is at most an hour; what came before it says nothing. */
const keepS = 2 * 3600;
/** Records that may come once more. */
const answersMax = 16;

export const alarmRow: RowKind<AlarmMemory> = {
  number: 3,
  keepS,
  lasts: false,
  encode: (row) => AlarmMemory.encode(row).finish(),
  decode: (bytes) => AlarmMemory.decode(bytes),
};

/** Undefined where no rule means it, or nobody can say of which device it is. */
export function alarmText({ alarm, device }: ClinicalEvent, { alarms }: OnceRules): string | undefined {
  if (alarms.length === 0 || alarm === undefined) return undefined;
  const devices = device?.identifiers ?? [];
  if (devices.length === 0 || meaning(alarm, alarms).length === 0) return undefined;
  const { identifier, code, source, sourcePath, devicePath, sourceLocation } = alarm;
  return [
    devices.map(idText).join('~'),
    codeText(code),
    sourcePath,
    devicePath,
    sourceLocation,
    codeText(source),
    identifier === undefined ? '' : idText(identifier),
  ].join('\n');
}

/** What the alarm is beside the one that passed last; the row remembers it. */
export function onceAlarm(
  event: ClinicalEvent,
  about: About,
  rules: OnceRules,
  recall: Recall,
): Once | undefined {
  const text = alarmText(event, rules);
  if (text === undefined || event.alarm === undefined) return undefined;
  const known = recall.get(alarmRow, text);
  const place = placeOf(event, about);
  const before = known?.answers.find((one) => samePlace(one, place));
  if (before !== undefined) return before.once;
  const said = sayingOf(event, event.alarm, about, rules);
  const { passed, last } = known ?? {};
  const found = { passed: said, last: said, repeats: 0, rule: known?.rule ?? '' };
  let once: Once | undefined;
  if (known !== undefined && passed !== undefined && last !== undefined && !sameRecord(passed, said)) {
    const [rule] = meaning(event.alarm, rules.alarms).filter(({ priorities }) =>
      priorities.has(said.priority),
    );
    const differs = differences(said, passed, last, rule);
    if (rule !== undefined && differs.length === 0) {
      found.rule = `alarms.${rule.name}`;
      found.repeats = known.repeats + 1;
      found.passed = { ...passed, destinations: union(passed.destinations, said.destinations) };
      const heldBack = both(said.destinations, passed.destinations);
      once = mark(found.rule, 'repeat', [link(passed)], { heldBack });
    } else if (known.repeats > 0) {
      once = mark(known.rule, 'linked', [link(passed, differs)], { repeats: known.repeats });
    }
  }
  const answers = [{ ...place, once }, ...(known?.answers ?? [])].slice(0, answersMax);
  recall.set(alarmRow, text, { ...found, answers });
  return once;
}

/** Rules of the alarm's code; its priority is looked at later, because one that leaves a rule changes what it finds. */
function meaning({ code }: Alarm, alarms: readonly AlarmWindow[]): AlarmWindow[] {
  return alarms.filter(
    ({ codes }) => codes === undefined || code?.codings.some((coding) => codes.has(coding.code)) === true,
  );
}

/** It has no duration [IHE PCD-04]: of another time it is another one. */
const instant = 'tpoint';

const unchanging = ['priority', 'phase', 'state', 'inactivation', 'text', 'path'] as const;

function differences(
  said: AlarmSaying,
  passed: AlarmSaying,
  last: AlarmSaying,
  rule: AlarmWindow | undefined,
): string[] {
  const differs: string[] = unchanging.filter((name) => said[name] !== last[name]);
  if (said.patient.join('~') !== last.patient.join('~')) differs.unshift('patient');
  if (said.phase === instant && (said.atMs === 0 || said.atMs !== passed.atMs)) differs.push('time');
  if (isMoreUrgent(said.class, passed.class)) differs.push('class');
  if (rule === undefined ? differs.length === 0 : !isInside(said, passed, rule)) differs.push('window');
  return differs;
}

function isInside(said: AlarmSaying, passed: AlarmSaying, { windowMs }: AlarmWindow): boolean {
  const inside = (ms: number) => ms >= 0 && ms < windowMs;
  const own = said.atMs === 0 || passed.atMs === 0 || inside(said.atMs - passed.atMs);
  return own && inside(said.capturedMs - passed.capturedMs);
}

function sayingOf(event: ClinicalEvent, alarm: Alarm, about: About, rules: OnceRules): AlarmSaying {
  const { phase, state, inactivation, priority, text } = alarm;
  return AlarmSaying.fromPartial({
    ...placeOf(event, about),
    ...{ phase, state, inactivation, priority, text },
    source: about.source,
    class: rules.classOf(event),
    atMs: millisecondsOf(alarm.updated ?? event.times?.observed) ?? 0,
    capturedMs: Number(about.capturedAtUs / 1000n),
    patient: patientIdentifiers(event.patient).map(idText),
    destinations: rules.destinationsOf(event),
    path: event.device?.path ?? '',
  });
}
