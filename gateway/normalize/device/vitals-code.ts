/** Codes of the built-in vitals shape: as sent, with the MDC and LOINC codings that vitals.ts has for the name. */
import type { Code } from '../../../proto/gen/hilum/v1/event.ts';
import type { Json, JsonObject } from './json.ts';
import { localCode, type Scope, scalar } from './scope.ts';
import { ucumOf, vitalOf } from './vitals.ts';

const MDC = 'urn:iso:std:iso:11073:10101';
const LOINC = 'http://loinc.org';

/** `sentUnit`: empty where none was sent, undefined where nobody knows which. */
export function codeOf(
  said: Json,
  sentUnit: string | undefined,
  scope: Scope,
): { code: Code | undefined; unit: string } {
  const fields: JsonObject = said instanceof Map ? said : new Map([['code', said]]);
  const sent = scalar(fields.get('code')) ?? '';
  if (sent === '') return { code: undefined, unit: sentUnit ?? '' };
  const system = scalar(fields.get('system')) ?? '';
  const code = localCode(sent, scope, system, scalar(fields.get('display')) ?? '');
  // A code of a named system says itself what it is; only ours and the two of the table are looked up there.
  const known = system === '' || system === MDC || system === LOINC ? vitalOf(sent) : undefined;
  if (!known) return { code: scope.map(code), unit: sentUnit ?? '' };
  const unit = sentUnit === '' ? known.unit : (sentUnit ?? '');
  const ucum = ucumOf(unit) ?? unit;
  add(code, MDC, known.mdc, known.mdcName);
  const loinc =
    ucum === known.unit ? known.loinc : (known.loincFor?.[ucum] ?? (known.loincFor ? '' : known.loinc));
  if (loinc !== '') add(code, LOINC, loinc, known.display);
  return { code: scope.map(code), unit };
}

function add(code: Code, system: string, value: string, display: string): void {
  if (code.codings.some((one) => one.system === system && one.code === value)) return;
  code.codings.push({ system, code: value, display, version: '', name: '', mapped: true });
}
