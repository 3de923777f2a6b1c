/**
 * An MDC term is said twice, by a number and by a name, and other codings may stand beside it. Where they are not one
 * thing, nobody can tell which is meant: a length of 5.9 under the number of metres and the name of feet is neither.
 */
import { mdcSystem, ucumSystem } from '../../proto/code-systems.ts';
import type { Code, Coding } from '../../proto/gen/hilum/v1/event.ts';
import { isUcum, relate } from '../../proto/units/ucum.ts';
import { vitalOf } from './device/vitals.ts';
import { contradicts, mdcUnit } from './mdc-units.ts';

const asked = new Map<string, boolean>();
const askedMax = 1_000;

/**
 * The number says a unit, and beside it stands a name of MDC that is not known, a text that is another unit, or a UCUM
 * unit of another size.
 * @param spelled how a text is read as UCUM
 */
export function isDisputed(unit: Code, spelled: (text: string) => string | undefined): boolean {
  const device = unit.codings.find(({ system }) => system === mdcSystem);
  if (device === undefined || contradicts(device.code, device.display)) return device !== undefined;
  const ucum = mdcUnit(device.code, device.display);
  if (ucum === undefined) return false;
  const names = [device.code, device.display, unit.text].filter((one) => one !== '' && !/^\d+$/.test(one));
  const sent = unit.codings.filter(({ system, mapped }) => system === ucumSystem && !mapped);
  if (names.length === 0 && sent.length === 0) return false;
  const key = [ucum, ...names, '', ...sent.map(({ code }) => code)].join('\n');
  const known = asked.get(key);
  if (known !== undefined) return known;
  const found =
    names.some((name) => isAnother(name, ucum, spelled)) ||
    sent.some(({ code }) => isUcum(code) && sameSize(code, ucum) === false);
  if (asked.size >= askedMax) asked.clear();
  asked.set(key, found);
  return found;
}

function isAnother(name: string, ucum: string, spelled: (text: string) => string | undefined): boolean {
  if (name.startsWith('MDC_')) return mdcUnit(name) === undefined;
  const said = spelled(name);
  return said !== undefined && sameSize(said, ucum) !== true;
}

/** Undefined: of another kind, which is a word of the device's own: some call degrees C, which is coulomb. */
function sameSize(one: string, other: string): boolean | undefined {
  const [from, to] = [plain(one), plain(other)];
  if (from === to || !isUcum(from) || !isUcum(to)) return true;
  const relation = relate(from, to);
  if ('problem' in relation) return undefined;
  const { factor, offset } = relation;
  return Number(factor.coefficient) === 10 ** factor.scale && offset.coefficient === 0n;
}

/** What is counted is no matter of size. */
function plain(unit: string): string {
  return unit.replace(/\{[^}]*\}/g, '').replace(/^$/, '1');
}

/** The number of one vital sign and the name of another. */
export function isOfTwoCodes({ system, code, display }: Coding): boolean {
  if (system !== mdcSystem || !display.startsWith('MDC_')) return false;
  const [one, other] = [vitalOf(code), vitalOf(display)];
  return one?.mdc === code && other?.mdcName === display && one !== other;
}
