/**
 * Values of one result that have a unit each: OBX-6 that repeats as OBX-5 does (HbA1c in % and in mmol/mol), or a CQ
 * that repeats [HL7 2.A.20]. Under the unit of the first one the others would be other quantities.
 */
import type { Observation } from '../../../proto/gen/hilum/v1/event.ts';
import { codeOf, unitIn, unitText } from './coded.ts';
import type { Segment } from './message.ts';
import { place, remark } from './scope.ts';

/** OBX-6 repeats. */
export function severalUnits(to: Observation, segment: Segment, field: number): void {
  const units = segment.repetitions(field, true).map((parts) => unitText(unitIn(segment, field, parts)));
  const further = units.slice(1).filter((unit) => unit !== '' && unit !== to.unit);
  if (further.length === 0) return;
  const values = segment.repetitions(5, true);
  const alike = values.length === units.length && to.furtherValues.length === units.length - 1;
  if (alike && to.furtherValueCodes.length === 0) eachItsOwn(to, units, segment, field);
  else remark(segment.message.scope, `${place(segment, field)}: several units, of which the first is read`);
}

/** A CQ that repeats. */
export function ownUnits(to: Observation, segment: Segment, field: number): void {
  const values = segment.repetitions(field);
  const units = values.map((parts) => unitText(codeOf(parts.sub(2))));
  if (units.some((unit) => unit !== to.unit)) eachItsOwn(to, units, segment, field);
}

/** The row has no unit of its own then. */
function eachItsOwn(to: Observation, units: readonly string[], segment: Segment, field: number): void {
  const [value = '', ...further] = [to.value, ...to.furtherValues].map((one, at) =>
    [one, units[at]].filter(Boolean).join(' '),
  );
  to.value = value;
  to.furtherValues = further;
  to.unit = '';
  to.unitCode = undefined;
  to.structured = undefined;
  remark(segment.message.scope, `${place(segment, field)}: several units, each in the text of its value`);
}
