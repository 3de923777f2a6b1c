/**
 * The same alarm again within a declared window.
 *
 *   the alarm   device, code, containment, source location, and the number that the device gives it: another number
 *               is another alarm
 *   a repeat    a rule means its priority, and nothing has changed since the last message of it: whom it is about
 *               (identifiers, account, visit, name, who lies in the bed), where, priority, phase, state, inactivation,
 *               text, topic. So the first one passes, the escalated one, and one that is raised again after any other
 *               phase
 *   the window  from the last one that passed, so that an alarm that goes on is heard once a window. By the alarm's own
 *               time where both say one, and by the gateway's clock: a repeat is inside by both, so that neither a
 *               device's clock that stands still nor a backlog that comes at once hides an alarm
 *
 * One that is more urgent than the one that passed is no repeat, whatever its priority says. Of two in one message
 * the second is no repeat of the first. What is in doubt passes:
 * - one that comes late (by its own time it is from before what was said already), and the next one, because nobody
 *   knows what came in between; one that comes out of quarantine, which changes nothing for those after it;
 * - the next one after an end that names no alarm that was raised: a device may say less, or something else, when
 *   its alarm is over;
 * - the next one after a record of the source that could not be read, and is in quarantine.
 */
import { hash } from 'node:crypto';
import type { Alarm, ClinicalEvent, Once } from '../../../proto/gen/hilum/v1/event.ts';
import { AlarmMemory, AlarmSaying } from '../../../proto/gen/hilum/v1/journal.ts';
import { idText } from './identity-steps.ts';
import type { About, Recall, RowKind } from './memory.ts';
import { millisecondsOf } from './newness.ts';
import { both, isMoreUrgent, link, mark, placeOf, samePlace, sameRecord, short, union } from './once-mark.ts';
import type { AlarmWindow, OnceRules } from './once-rules.ts';
import { codeText } from './result-keys.ts';

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

/** What is to be looked up; nothing where no rule speaks of the source, or nobody can say of which device it is. */
export function alarmTexts({ alarm, device }: ClinicalEvent, { alarms }: OnceRules): AlarmTexts | undefined {
  if (alarms.length === 0 || alarm === undefined) return undefined;
  // Each step of what became of its notification is news, and nothing that happened to the alarm.
  if (alarm.notification !== undefined) return undefined;
  const devices = device?.identifiers ?? [];
  if (devices.length === 0) return undefined;
  const ofDevice = devices.map(idText).join('~');
  if (meaning(alarm, alarms).length === 0)
    return codeText(alarm.code) === '' && isOver(alarm) ? { own: undefined, ofDevice } : undefined;
  const { identifier, code, source, sourcePath, devicePath, sourceLocation } = alarm;
  const own = [
    ofDevice,
    codeText(code),
    sourcePath,
    devicePath,
    sourceLocation,
    codeText(source),
    identifier === undefined ? '' : idText(identifier),
  ].join('\n');
  return { own, ofDevice };
}

interface AlarmTexts {
  /** Undefined: a rule's codes do not name it, and it may still be the end of one that they name. */
  own: string | undefined;
  /** Ends that were not those of an alarm that was raised. */
  ofDevice: string;
}

/** What the alarm is beside the one that passed last; the row remembers it. */
export function onceAlarm(
  event: ClinicalEvent,
  about: About,
  rules: OnceRules,
  recall: Recall,
): Once | undefined {
  const texts = alarmTexts(event, rules);
  if (texts === undefined || event.alarm === undefined || about.replayed === true) return undefined;
  const { own, ofDevice } = texts;
  if (own === undefined) {
    keepEnd(recall, ofDevice, sayingOf(event, event.alarm, about, rules));
    return undefined;
  }
  const known = recall.get(alarmRow, own);
  const place = placeOf(event, about);
  const before = known?.answers.find((one) => samePlace(one, place));
  if (before !== undefined) return before.once;
  const said = sayingOf(event, event.alarm, about, rules);
  const isLoose = isOver(said) && (known?.last === undefined || isOver(known.last));
  const end = isLoose ? undefined : recall.get(alarmRow, ofDevice)?.last;
  if (isLoose) keepEnd(recall, ofDevice, said);
  const { passed, last } = known ?? {};
  const late = known !== undefined && isLate(said, known);
  const found = {
    ...{ passed: late ? undefined : said, last: said, repeats: 0, rule: known?.rule ?? '' },
    ...latestOf(said, known, late),
  };
  let once: Once | undefined;
  if (known !== undefined && passed !== undefined && last !== undefined && !sameRecord(passed, said)) {
    const [rule] = meaning(event.alarm, rules.alarms).filter(({ priorities }) =>
      priorities.has(said.priority),
    );
    const differs = differences(said, passed, last, end);
    if (isUnsure(passed, about)) differs.push('quarantine');
    if (late && !differs.includes('time')) differs.push('time');
    if (!late && (rule === undefined ? differs.length === 0 : !isInside(said, passed, last, rule)))
      differs.push('window');
    if (rule !== undefined && differs.length === 0) {
      found.rule = `alarms.${rule.name}`;
      found.repeats = known.repeats + 1;
      once = mark(found.rule, 'repeat', [link(passed)]);
    } else if (known.repeats > 0) {
      once = mark(known.rule, 'linked', [link(passed, differs)], { repeats: known.repeats });
    }
  }
  // Where it goes may depend on what it is beside the others.
  event.once = once;
  said.destinations = rules.destinationsOf(event);
  if (once?.role === 'repeat' && passed !== undefined) {
    once.heldBack = both(said.destinations, passed.destinations);
    found.passed = { ...passed, destinations: union(passed.destinations, said.destinations) };
  }
  const answers = [{ ...place, once }, ...(known?.answers ?? [])].slice(0, answersMax);
  recall.set(alarmRow, own, { ...found, answers });
  return once;
}

/** Rules of the alarm's code; its priority is looked at later, because one that leaves a rule changes what it finds. */
function meaning({ code }: Alarm, alarms: readonly AlarmWindow[]): AlarmWindow[] {
  return alarms.filter(
    ({ codes }) => codes === undefined || code?.codings.some((coding) => codes.has(coding.code)) === true,
  );
}

/** It does not stand any more. */
function isOver({ phase, state }: Pick<Alarm, 'phase' | 'state'>): boolean {
  return phase === 'end' || phase === 'reset' || state === 'inactive';
}

/** The latest of them: a record may come once more. */
function keepEnd(recall: Recall, ofDevice: string, said: AlarmSaying): void {
  const known = recall.get(alarmRow, ofDevice)?.last;
  if (known !== undefined && isSince(known, said)) return;
  recall.set(alarmRow, ofDevice, AlarmMemory.fromPartial({ last: said }));
}

/** What came since and could not be read may have been its end. */
function isUnsure({ record }: AlarmSaying, { epoch, lastUnread }: About): boolean {
  const last = lastUnread?.() ?? 0;
  return last > 0 && (record?.epoch !== epoch || record.sequence < BigInt(last));
}

/** How long a device's clock is waited for that went back. */
const lateMs = 3_600_000;

/** By its own time it is from before what was said already: what came in between says what the next one is. */
function isLate(said: AlarmSaying, { latestMs, latestCapturedMs }: AlarmMemory): boolean {
  return said.atMs !== 0 && said.atMs < latestMs && said.capturedMs - latestCapturedMs < lateMs;
}

function latestOf(said: AlarmSaying, known: AlarmMemory | undefined, late: boolean): Latest {
  if (known !== undefined && (late || said.atMs === 0)) {
    const { latestMs, latestCapturedMs } = known;
    return { latestMs, latestCapturedMs };
  }
  return { latestMs: said.atMs, latestCapturedMs: said.capturedMs };
}

type Latest = Pick<AlarmMemory, 'latestMs' | 'latestCapturedMs'>;

/** They have no duration [IHE PCD-04], or are news each time: of another moment it is another one. */
const instants: ReadonlySet<string> = new Set(['tpoint', 'escalate']);

const unchanging = ['location', 'priority', 'phase', 'state', 'inactivation', 'text', 'path'] as const;

/** @param end of the device, of an alarm that it does not name as it named this one */
function differences(
  said: AlarmSaying,
  passed: AlarmSaying,
  last: AlarmSaying,
  end: AlarmSaying | undefined,
): string[] {
  const differs: string[] = unchanging.filter((name) => said[name] !== last[name]);
  if (said.patient.join('~') !== last.patient.join('~')) differs.unshift('patient');
  if (end !== undefined && isSince(end, passed) && !differs.includes('phase')) differs.push('phase');
  if (instants.has(said.phase) && (said.atMs === 0 || said.atMs !== passed.atMs)) differs.push('time');
  if (isMoreUrgent(said.class, passed.class)) differs.push('class');
  return differs;
}

/** By the order of the records, within a journal. */
function isSince(end: AlarmSaying, { record, capturedMs }: AlarmSaying): boolean {
  if (end.record?.epoch !== record?.epoch) return end.capturedMs >= capturedMs;
  return (end.record?.sequence ?? 0n) >= (record?.sequence ?? 0n);
}

/** The gateway's clock may have gone back while it was down: then nobody knows how long ago that was. */
function isInside(
  said: AlarmSaying,
  passed: AlarmSaying,
  last: AlarmSaying,
  { windowMs }: AlarmWindow,
): boolean {
  const inside = (ms: number) => ms >= 0 && ms < windowMs;
  const own = said.atMs === 0 || passed.atMs === 0 || inside(said.atMs - passed.atMs);
  return own && inside(said.capturedMs - passed.capturedMs) && said.capturedMs >= last.capturedMs;
}

function sayingOf(event: ClinicalEvent, alarm: Alarm, about: About, rules: OnceRules): AlarmSaying {
  const { phase, state, inactivation, priority, text } = alarm;
  return AlarmSaying.fromPartial({
    ...placeOf(event, about),
    ...{ phase, state, inactivation, priority, text: short(text) },
    source: about.source,
    class: rules.classOf(event),
    atMs: millisecondsOf(alarm.updated ?? event.times?.observed) ?? 0,
    capturedMs: Number(about.capturedAtUs / 1000n),
    patient: digestsOf(whomOf(event)),
    location: digestsOf(placesOf(event)).join(''),
    path: short(event.device?.path ?? ''),
  });
}

/** All that tells people apart: monitors name them by an account, a visit, a name, or by the bed alone. */
function whomOf({ patient, encounter, deviceAssociation }: ClinicalEvent): string[] {
  const { identifiers = [], account, names = [], birthDate = '', administrativeSex = '' } = patient ?? {};
  return [
    identifiers.map(idText).join('~'),
    account === undefined ? '' : idText(account),
    names.map(({ family, given }) => [family, ...given].join('^')).join('~'),
    birthDate,
    administrativeSex,
    (encounter?.identifiers ?? []).map(idText).join('~'),
    (deviceAssociation?.candidates ?? []).map(idText).join('~'),
  ];
}

function placesOf({ encounter, deviceAssociation, device }: ClinicalEvent): string[] {
  return [encounter?.location, deviceAssociation?.location, device?.location].map((one) =>
    one === undefined
      ? ''
      : [one.facility, one.pointOfCare, one.room, one.bed, one.building, one.floor, one.description].join(
          '^',
        ),
  );
}

/** One; none where nothing is said. */
function digestsOf(texts: readonly string[]): string[] {
  if (texts.every((text) => text === '')) return [];
  return [hash('sha256', texts.join('\n'), 'base64')];
}
