/**
 * A unit as it is sent → UCUM. In this order: the config's own table, UCUM that the sender calls
 * UCUM, MDC (a reference id of it in any system), the spellings of unit-spellings.ts, UCUM that is not called so, spellings in any case.
 *
 * What is formally UCUM may mean something else where nobody said UCUM; plausible-unit.ts keeps such readings out.
 */
import { mdcSystem, ucumSystem } from '../../proto/code-systems.ts';
import type { Code, Coding } from '../../proto/gen/hilum/v1/event.ts';
import { isPlausible } from '../../proto/units/plausible-unit.ts';
import { isUcum } from '../../proto/units/ucum.ts';
import { codingOf } from './coding.ts';
import { isDisputed } from './mdc-dispute.ts';
import { mdcUnit } from './mdc-units.ts';
import { plainly } from './plain-unit.ts';
import { isUnclear, spelledUnit, spelledUnitAnyCase } from './unit-spellings.ts';

/** Systems whose codes mean what they say. */
const named = new Set([ucumSystem, mdcSystem]);
const cachedMax = 5_000;
const textMax = 64;

export interface UnitReader {
  /** The UCUM unit of a coded unit, undefined where nobody can tell. */
  read(unit: Code): string | undefined;
}

/** @param own unit texts of this config → UCUM, before everything else */
export function createUnitReader(own: ReadonlyMap<string, string>): UnitReader {
  /** System → code → what it was read as. */
  const cache = new Map<string, Map<string, string | undefined>>();
  let cached = 0;
  const one = ({ system, code }: Coding): string | undefined => {
    if (code === '' || code.length > textMax) return undefined;
    let codes = cache.get(system);
    if (codes?.has(code)) return codes.get(code);
    if (cached >= cachedMax) {
      cache.clear();
      cached = 0;
      codes = undefined;
    }
    if (codes === undefined) {
      codes = new Map();
      cache.set(system, codes);
    }
    const found = readUnit(system, code, own);
    codes.set(code, found);
    cached += 1;
    return found;
  };
  return {
    read(unit) {
      // What a device calls UCUM beside its MDC unit may be a word of its own, or another unit: C is coulomb.
      const device = unit.codings.find(({ system }) => system === mdcSystem);
      if (device !== undefined && !unit.codings.some(({ code }) => own.has(code))) {
        if (isDisputed(unit, spelled)) return undefined;
        const found = mdcUnit(device.code, device.display);
        if (found !== undefined) return found;
      }
      for (const coding of unit.codings) {
        const found = one(coding);
        const said = coding.display === '' ? unit.text : coding.display;
        if (named.has(coding.system) || own.has(coding.code) || said === '' || said === coding.code) {
          if (found !== undefined) return found;
          continue;
        }
        // `1^ML^L`, `m^minutes^L`: a local code that looks like a unit and says that it is another.
        const other = one(textOnly(said));
        const read = found ?? other;
        if (read !== undefined && (other ?? read) === read) return read;
      }
      return unit.codings.length === 0 ? one(textOnly(unit.text)) : undefined;
    },
  };
}

function readUnit(system: string, text: string, own: ReadonlyMap<string, string>): string | undefined {
  const decided = own.get(text);
  if (decided !== undefined) return decided;
  if (system === ucumSystem && isUcum(text)) return canonical(text);
  // A reference id is a unit of MDC wherever it stands: many senders leave the number or the system out.
  if (system === mdcSystem || text.startsWith('MDC_DIM_')) return mdcUnit(text);
  const spelled = spelledUnit(text);
  if (spelled !== undefined) return spelled;
  const plain = plainly(text);
  if (plain !== text) return readUnit('', plain, own);
  if (isUnclear(text)) return undefined;
  if (isPlausible(text) && isUcum(text)) return canonical(text);
  return spelledUnitAnyCase(text);
}

const nothing: ReadonlyMap<string, string> = new Map();

/** A text that nobody decided about, by what it is everywhere. */
export function spelled(text: string): string | undefined {
  return text.length > textMax ? undefined : readUnit('', text, nothing);
}

function textOnly(code: string): Coding {
  return codingOf('', code);
}

/** A litre is `l` and `L` in UCUM, ten `10^` and `10*`; one of them, so that equal units are equal texts. */
export function canonical(ucum: string): string {
  const tens = ucum.replace(/(?<![\w.])10\^/g, '10*');
  return tens.replace(/(?<![A-Za-z_'{[])([yzafpnumcdhk]?|da)l(?![A-Za-z_'\]}])(?![^{]*\})/g, '$1L');
}
