/** The priority of a device's alarm, from its bytes: among the flags of OBX-8, or as a row of its own [IHE PCD-04]. */
import { alarmClasses, priorities, priorityFlags } from '../../proto/config/device-words.ts';
import type { Separators } from './flags.ts';
import { rankOf } from './priority.ts';
import { code, endsWhole, none, word } from './words.ts';

const comma = 0x2c;
/** HIGH and LOW are of the value where they stand among the flags. */
const byWord: ReadonlyMap<number, number> = new Map(
  priorities.map((one) => [code(one.toUpperCase()), rankOf(alarmClasses[one])]),
);
const byFlag: ReadonlyMap<number, number> = new Map(
  [...priorityFlags].map(([flag, one]) => [code(flag), rankOf(alarmClasses[one])]),
);

/** @param found the word of the row, none where it is no priority */
export function alarmPriority(found: number): number {
  return byWord.get(found) ?? byFlag.get(found) ?? none;
}

/**
 * The highest that any code of the flag says, one or several with commas between them; of one without a code its text
 * says it, as the event has it. None where it says no priority.
 */
export function alarmFlag(raw: Uint8Array, from: number, end: number, by: Separators): number {
  const whole = { ...by, subcomponent: 0 };
  /** By component: whether something stands there, and the highest in it. */
  const some: boolean[] = [];
  const said: number[] = [];
  let begin = from;
  for (let component = 1, at = from; component <= 10; at++) {
    const byte = at < end ? raw[at]! : by.field;
    const last = endsWhole(byte, by, by.component);
    if (!last && byte !== by.component && byte !== comma) continue;
    some[component] ||= at > begin || byte === comma;
    said[component] = Math.max(said[component] ?? none, byFlag.get(word(raw, begin, at, whole)) ?? none);
    if (last) break;
    if (byte === by.component) component++;
    begin = at + 1;
  }
  const codes = [1, 4, 10].filter((component) => some[component]);
  const texts = [9, 2, 5].filter((component) => some[component]).slice(0, 1);
  return Math.max(none, ...(codes.length > 0 ? codes : texts).map((component) => said[component] ?? none));
}
