/** Codes of the built-in vitals shape: as sent, with the MDC and LOINC codings that vitals.ts has for the name. */
import { loincSystem, mdcSystem } from '../../../proto/code-systems.ts';
import type { Code } from '../../../proto/gen/hilum/v1/event.ts';
import { isUcum, relate } from '../../../proto/units/ucum.ts';
import { codingOf } from '../coding.ts';
import type { Json, JsonObject } from './json.ts';
import { localCode, type Scope, scalar } from './scope.ts';
import { isIn, ucumOf, type Vital, vitalOf } from './vitals.ts';

/** `sentUnit`: empty where none was sent, undefined where nobody knows which. `value`: of what stands beside the code. */
export function codeOf(
  said: Json,
  sentUnit: string | undefined,
  scope: Scope,
  where = 'alarm code',
  value = '',
): { code: Code | undefined; unit: string } {
  const fields: JsonObject = said instanceof Map ? said : new Map([['code', said]]);
  const sent = scalar(fields.get('code')) ?? '';
  if (sent === '') return { code: undefined, unit: sentUnit ?? '' };
  const system = scalar(fields.get('system')) ?? '';
  const code = localCode(sent, scope, system, scalar(fields.get('display')) ?? '');
  // A code of a named system says itself what it is; only ours and the two of the table are looked up there.
  const known = system === '' || system === mdcSystem || system === loincSystem ? vitalOf(sent) : undefined;
  if (!known) return { code: scope.map(code), unit: sentUnit ?? '' };
  let unit = sentUnit ?? '';
  if (sentUnit === '') {
    if (isIn(known, value)) unit = known.unit;
    else scope.remark(`${where}: no number in the unit of the name, and no unit beside it`);
  }
  const ucum = ucumOf(unit) ?? scope.context.units.read({ text: unit, codings: [] }) ?? unit;
  if (!fits(known, ucum)) {
    scope.remark(`${where}: a unit of another kind than the name has, which keeps its own code alone`);
    return { code: scope.map(code), unit };
  }
  add(code, mdcSystem, known.mdc, known.mdcName);
  const loinc =
    ucum === known.unit ? known.loinc : (known.loincFor?.[ucum] ?? (known.loincFor ? '' : known.loinc));
  if (loinc !== '') add(code, loincSystem, loinc, known.display);
  return { code: scope.map(code), unit };
}

const fitting = new Map<string, boolean>();
const fittingMax = 1_000;

/**
 * What the codes of a name mean has a dimension: etCO2 in % is no partial pressure. A unit that nobody can read
 * contradicts nothing; where LOINC tells units apart, a mass may be an amount of substance.
 */
function fits(known: Vital, ucum: string): boolean {
  if (ucum === '' || ucum === known.unit || known.loincFor?.[ucum] !== undefined) return true;
  const key = `${known.name} ${ucum}`;
  let found = fitting.get(key);
  if (found === undefined) {
    const bare = ucum.replace(/\{[^}]*(\}?)/g, (found, end) => (end ? '' : found)) || '1';
    const weight = known.loincFor === undefined ? undefined : 100;
    found = !isUcum(bare) || !('problem' in relate(known.unit, bare, weight));
    if (fitting.size >= fittingMax) fitting.clear();
    fitting.set(key, found);
  }
  return found;
}

function add(code: Code, system: string, value: string, display: string): void {
  if (code.codings.some((one) => one.system === system && one.code === value)) return;
  code.codings.push(codingOf(system, value, display, true));
}
