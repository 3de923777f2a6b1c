/**
 * The alarms of the built-in vitals shape. A text is an alarm, and an object that says anything of one: its priority or
 * phase alone will do, for a high alarm that has no name is still a high alarm. Nothing, null, false, 0 and a text that
 * says `none` are none.
 */
import type { ClinicalTime } from '../../../proto/gen/hilum/v1/event.ts';
import { Alarm } from '../../../proto/gen/hilum/v1/event.ts';
import { saysNoAlarm } from '../../../proto/vitals-members.ts';
import { knownWords, vocabulary } from '../known-word.ts';
import { type Json, JsonNumber, type JsonObject } from './json.ts';
import { alarmTimes, identifierFrom, idText, type Scope, scalar } from './scope.ts';
import { codeOf } from './vitals-code.ts';
import { wordIn, wordsOf } from './words.ts';

/** What is written where alarms are. */
export interface AlarmItems {
  /** Texts, and objects that say something. */
  said: Json[];
  /** Neither: a number, true, a list, an object in which nothing stands. */
  strange: number;
}

export function alarmItems(object: JsonObject): AlarmItems {
  const found: AlarmItems = { said: [], strange: 0 };
  for (const member of ['alarm', 'alarms']) {
    const value = object.get(member);
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item === undefined || isNone(item)) continue;
      const speaks = item instanceof Map ? ![...item.values()].every(isNothing) : typeof item === 'string';
      if (speaks) found.said.push(item);
      else found.strange += 1;
    }
  }
  return found;
}

/** Devices that have a flag send 0 while there is no alarm, those that have a text say so. */
function isNone(item: Json): boolean {
  if (typeof item === 'string') return saysNoAlarm(item);
  return isNothing(item) || (item instanceof JsonNumber && Number(item.text) === 0);
}

function isNothing(value: Json | undefined): boolean {
  return value === undefined || value === null || value === false || value === '';
}

/** Undefined: an object without any member that the shape knows of an alarm. */
export function alarmOf(item: Json, time: ClinicalTime | undefined, scope: Scope): Alarm | undefined {
  const fields: JsonObject = item instanceof Map ? item : new Map([['text', item]]);
  const said = fields.get('id');
  const id = idText(said) ?? '';
  if (id === '' && said !== undefined && !isNothing(said)) scope.remark('alarm id: no identifier');
  const text = scalar(fields.get('text')) ?? '';
  const { code } = codeOf(fields.get('code') ?? fields.get('name') ?? '', '', scope);
  if (id === '' && text === '' && !code) {
    if (attributes.every((name) => isNothing(fields.get(name)))) return undefined;
    scope.remark('alarm: without code, text and id');
  }
  if (item instanceof Map) scope.unknown(item, members, 'alarm');
  const sent = { phase: fields.get('phase'), state: stateIn(fields) };
  const word = (member: 'priority' | 'type', words: ReadonlySet<string>): string =>
    wordIn(words, fields.get(member), `alarm ${member}`, scope);
  const phase = wordIn(vocabulary.phase, sent.phase, 'alarm phase', scope);
  const state = wordIn(vocabulary.state, sent.state, 'alarm state', scope);
  return Alarm.fromPartial({
    identifier: id === '' ? undefined : identifierFrom(id, '', scalar(fields.get('system')) ?? '', scope),
    code,
    priority: word('priority', vocabulary.priority),
    phase,
    state,
    inactivation: inactivationOf(fields.get('inactivation'), scope),
    type: word('type', vocabulary.type),
    text,
    ...alarmTimes(
      { phase, state },
      (member) => !isNothing(sent[member]),
      scope.timeOf(fields, 'alarm time') ?? time,
    ),
    sourceLocation: scalar(fields.get('location')) ?? '',
  });
}

/** `active` says it as a truth value. */
function stateIn(fields: JsonObject): Json | undefined {
  const [state, active] = [fields.get('state'), fields.get('active')];
  if (!isNothing(state) || typeof active !== 'boolean') return state ?? active;
  return active ? 'active' : 'inactive';
}

function inactivationOf(sent: Json | undefined, scope: Scope): string {
  const { words, strange } = knownWords(vocabulary.inactivation, wordsOf(sent, 'alarm inactivation', scope));
  if (strange) scope.remark('alarm inactivation: not a known word');
  return words.join(' ');
}

/** Each of them says that there is an alarm. */
const attributes = ['priority', 'phase', 'state', 'active', 'inactivation', 'type'] as const;
const members: ReadonlySet<string> = new Set([
  ...attributes,
  ...['id', 'system', 'code', 'name', 'text', 'time', 'timestamp', 'location'],
]);
