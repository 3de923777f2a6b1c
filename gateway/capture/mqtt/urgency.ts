/**
 * The class of a device payload before it is normalized. Where the built-in rules decide, it is the one that
 * normalization will give: a record of another guess would overtake its own device's, or be overtaken by them. Only what
 * names an alarm or a flag is parsed for it. A test holds it to gateway/normalize/device/vitals-shape.ts and
 * gateway/prioritize/defaults.ts; what neither takes goes to quarantine, and has no place among events.
 *
 * Where a config has its own say, a guess is a hint that no patient's order hangs from, so doubt goes up.
 */
import { alarmClasses, priorityFlags } from '../../../proto/config/device-words.ts';
import { looksLikeHl7v2 } from '../../../proto/looks-like-hl7v2.ts';
import { saysNoAlarm, vitalsMembers } from '../../../proto/vitals-members.ts';
import { isCritical } from '../flags.ts';
import type { Class } from '../intake.ts';
import { guessHl7v2 } from '../urgency.ts';

export interface DeviceGuess {
  /** The config may give other classes than the built-in rules. */
  isHint: boolean;
  /** A name of the built-in vitals: under it a text is a reading, too. */
  isVital(name: string): boolean;
}

export function guessClass(topic: string, payload: Uint8Array, { isHint, isVital }: DeviceGuess): Class {
  if (looksLikeHl7v2(payload)) return guessHl7v2(payload);
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const mayAlarm = bytes.includes('"alarm');
  // A member's name may be written with escapes.
  const mayFlag = bytes.includes('"interpretation') || bytes.includes('\\u');
  const said = mayAlarm || mayFlag ? ofVitals(bytes, isVital) : 'routine';
  if (!isHint || said === 'stat') return said;
  const alarming = /(^|\/)(alarms?|alerts?)(\/|$)/i.test(topic);
  if (!mayAlarm && !mayFlag && !alarming) return said;
  return higher(said, hinted(bytes, alarming, mayAlarm));
}

const hintBytes = 8 * 1024;

function hinted(bytes: Buffer, alarming: boolean, mayAlarm: boolean): Class {
  const text = bytes.toString('latin1', 0, hintBytes);
  const alarm = alarming || (mayAlarm && /"alarms?"\s*:(?!\s*(?:null|false|""|\[\s*\]))/.test(text));
  if (alarm && high.test(text)) return 'stat';
  if (critical.test(text)) return 'stat';
  return alarm ? 'urgent' : 'routine';
}

/** A word as a text, or within an object or a list that begins there. */
function says(member: string, words: string): RegExp {
  const word = `"\\s*(?:${words})\\s*["^]`;
  return new RegExp(`"${member}"\\s*:\\s*(?:${word}|\\[[^\\]]{0,256}?${word}|\\{[^}]{0,256}?${word})`, 'i');
}

const high = says('priority', 'high');
const critical = says('interpretation', 'HH|LL|AA|C|CH|CL|CRIT|PANIC|HU|LU|>|<');

// ── the built-in vitals shape ──────────────────────────────────────────────────────────────────────

type Fields = Readonly<Record<string, unknown>>;

function ofVitals(bytes: Buffer, isVital: DeviceGuess['isVital']): Class {
  let found: Class = 'routine';
  try {
    const payload: unknown = JSON.parse(bytes.toString('utf8', bytes[0] === 0xef ? 3 : 0));
    for (const object of Array.isArray(payload) ? payload : [payload])
      if (isObject(object)) found = higher(found, ofObject(object, isVital));
  } catch {
    // No JSON, or nested deeper than the stack is: neither is understood.
  }
  return found;
}

function ofObject(object: Fields, isVital: DeviceGuess['isVital']): Class {
  if (isFlagged(object, isVital)) return 'stat';
  let found: Class = 'routine';
  for (const member of [object.alarm, object.alarms])
    for (const item of Array.isArray(member) ? member : [member]) found = higher(found, ofAlarm(item));
  return found;
}

/** `routine` too for what is none. */
function ofAlarm(item: unknown): Class {
  if (typeof item === 'string') return saysNoAlarm(item) ? 'routine' : 'urgent';
  if (!isObject(item) || Object.values(item).every(isNothing) || !speaks(item)) return 'routine';
  const said = new Set(wordsOf(item.priority).map((word) => word.trim().toLowerCase()));
  if (said.size > 1) return 'urgent';
  const [word = ''] = said;
  const flagged = priorityFlags.get(word.toUpperCase());
  return byPriority.get(flagged ?? word.replace(/[\s_-]+/g, '')) ?? 'urgent';
}

const byPriority: ReadonlyMap<string, Class> = new Map(Object.entries(alarmClasses));

function speaks({ id, text, code, name, ...others }: Fields): boolean {
  if (scalar(id).trim() !== '' && typeof id !== 'boolean') return true;
  const coded = code ?? name;
  if (scalar(text) !== '' || scalar(isObject(coded) ? coded.code : coded) !== '') return true;
  return ['priority', 'phase', 'state', 'active', 'inactivation', 'type'].some(
    (one) => !isNothing(others[one]),
  );
}

function isFlagged(object: Fields, isVital: DeviceGuess['isVital']): boolean {
  for (const [name, value] of Object.entries(object)) {
    if (vitalsMembers.has(name)) continue;
    if (name !== 'readings' && name !== 'values') {
      if ((isVital(name) || isMeasured(value)) && isCriticalReading(name, value)) return true;
    } else if (Array.isArray(value)) {
      if (value.some((one) => isCriticalReading('', one))) return true;
    } else if (isObject(value) && Object.entries(value).some(([code, one]) => isCriticalReading(code, one)))
      return true;
  }
  return false;
}

/** Under any other name, what is no number may be anything. */
function isMeasured(value: unknown): boolean {
  if (isObject(value)) return isMeasured(value.value);
  return typeof value === 'number' || (typeof value === 'string' && numeric.test(value));
}

// Nothing in it can be read in two ways: a sender's digits are as many as he likes, and this thread answers everybody.
const numeric = /^[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

function isCriticalReading(name: string, item: unknown): boolean {
  if (!isObject(item) || scalar(item.value) === '') return false;
  const said = item.code ?? item.name ?? name;
  if (scalar(isObject(said) ? said.code : said) === '') return false;
  return wordsOf(item.interpretation).some(saysCritical);
}

/** Several flags in one text have commas between them; of `HH^Critical high` the first part is the flag. */
function saysCritical(text: string): boolean {
  return text.split(',').some((one) => {
    const flag = Buffer.from(one.split('^', 1)[0] ?? '');
    return isCritical(flag, 0, flag.length, noSeparators);
  });
}

const noSeparators = { field: 0, component: 0, repetition: 0, subcomponent: 0 };

/** Lists in lists, as deep as the shape is read. Flattened in one stroke: level by level each would be copied again. */
function wordsOf(value: unknown): string[] {
  return [value].flat(levelsMax).flatMap(wordsIn);
}

/** More levels are refused (gateway/normalize/device/json.ts). */
const levelsMax = 32;

function wordsIn(value: unknown): string[] {
  if (isObject(value)) return within(value);
  return typeof value === 'boolean' || scalar(value) === '' ? [] : [scalar(value)];
}

/** {code}, {value}, {text}, and FHIR's {coding: [{code}]}. */
function within(object: Fields): string[] {
  const first: unknown = Array.isArray(object.coding) ? object.coding[0] : undefined;
  for (const fields of [object, first]) {
    if (!isObject(fields)) continue;
    for (const value of [fields.code, fields.value, fields.text])
      if (typeof value !== 'boolean' && scalar(value) !== '') return [scalar(value)];
  }
  return [];
}

function scalar(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === false || value === '';
}

const ranks: readonly Class[] = ['bulk', 'routine', 'urgent', 'stat'];

function higher(one: Class, other: Class): Class {
  return ranks.indexOf(one) >= ranks.indexOf(other) ? one : other;
}
