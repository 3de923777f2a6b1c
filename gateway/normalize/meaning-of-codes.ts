/**
 * The last step of normalization, the same for every protocol: each result's unit is read as UCUM,
 * converted where the config wants it, and what has no meaning yet is noted for the worklist.
 * Nothing that was sent is changed: mapped codings and converted quantities stand beside it.
 */
import { KeptCode } from '../../proto/back-writer.ts';
import { mdcSystem, ucumSystem } from '../../proto/code-systems.ts';
import type { ClinicalEvent, Code, Coding, Observation } from '../../proto/gen/hilum/v1/event.ts';
import { codingOf } from './coding.ts';
import { convertQuantity } from './convert.ts';
import type { CriticalCount } from './critical.ts';
import { keptCode } from './kept-code.ts';
import { isDisputed, isOfTwoCodes } from './mdc-dispute.ts';
import { contradicts } from './mdc-units.ts';
import type { CodeTables, NormalizeContext, Sighting, UnitTables } from './outcome.ts';
import { canonical, spelled } from './units.ts';

const sightingsMax = 200;
const remarksMax = 100;
const textMax = 64;
/** Holds the names of the source and of the coding system. */
const systemMax = 160;
/** Types whose value may be a number: of a device's reading, and OBX-2. */
const numeric = new Set(['', 'NM', 'SN', 'ST']);

export interface Given {
  unmapped: Sighting[];
  critical: CriticalCount[];
}

export function giveMeaning(events: readonly ClinicalEvent[], context: NormalizeContext): Given {
  const sightings = new Map<string, Sighting>();
  const counts: CriticalCount[] = [];
  for (const event of events) {
    const fired = new Set<string>();
    note(sightings, 'service', event.order?.service, '', context.codes);
    for (const observation of event.observations) {
      const unit = readUnit(observation, context, sightings, event);
      if (observation.code !== undefined && saysTwo(observation.code))
        tell(event, observation, 3, 'the number and the name are two MDC codes');
      note(sightings, 'observation', observation.code, observation.unit, context.codes);
      const conversion = unit === undefined ? undefined : convert(observation, unit, context);
      if (conversion !== undefined) fired.add(`unit-conversion/${conversion}`);
      if (context.critical === undefined) continue;
      context.critical.mark(observation, unit, event, counts);
      if (observation.critical !== undefined) fired.add(`critical/${observation.critical.rule}`);
    }
    if (fired.size > 0) event.provenance?.rules.push(...fired);
  }
  return { unmapped: [...sightings.values()], critical: counts };
}

const saysTwo = KeptCode.once(({ codings }) => codings.some(isOfTwoCodes));

/** Adds the UCUM coding that the unit was read as; gives it in the one spelling that tables use. */
function readUnit(
  observation: Observation,
  { units }: NormalizeContext,
  sightings: Map<string, Sighting>,
  event: ClinicalEvent,
): string | undefined {
  const { unit } = observation;
  if (unit === '' && observation.unitCode === undefined) return undefined;
  const { code, ucum } = unitOf(observation.unitCode ?? { text: unit, codings: [] }, units);
  if (observation.unitCode !== undefined || ucum !== undefined) observation.unitCode = code;
  if (ucum !== undefined) return ucum;
  if (isDisputed(code, spelled)) {
    const names = code.codings.some(
      ({ system, code, display }) => system === mdcSystem && contradicts(code, display),
    );
    tell(event, observation, 6, names ? 'the number and the name are two MDC units' : notOneUnit);
  }
  const [coding] = code.codings;
  if (units.report && coding !== undefined) count(sightings, 'unit', coding, '');
  return undefined;
}

const notOneUnit = 'the MDC number and what stands beside it are not one unit';

function tell(event: ClinicalEvent, { setId }: Observation, field: 3 | 6, text: string): void {
  const place = setId === '' ? (field === 6 ? 'unit' : 'code') : `OBX[${clip(setId, 8)}]-${field}`;
  const remarks = event.provenance?.remarks ?? [];
  if (remarks.length < remarksMax) remarks.push(`${place}: ${text}`);
}

interface ReadUnit {
  /** As sent, with the UCUM coding beside it where it was read as one. */
  code: Code;
  ucum: string | undefined;
}

/** A kept code is read once for each set of tables, and what is read is kept as well. */
const keptUnits = new WeakMap<UnitTables, WeakMap<Code, ReadUnit>>();

function unitOf(sent: Code, units: UnitTables): ReadUnit {
  if (KeptCode.bytesOf(sent) === undefined) return readAsUcum(sent, units);
  let ofTables = keptUnits.get(units);
  if (ofTables === undefined) {
    ofTables = new WeakMap();
    keptUnits.set(units, ofTables);
  }
  let known = ofTables.get(sent);
  if (known === undefined) {
    const { code, ucum } = readAsUcum(sent, units);
    known = { code: keptCode(code), ucum };
    ofTables.set(sent, known);
  }
  return known;
}

/** Never changes what was sent: other events may hold it as well. */
function readAsUcum({ text, codings: sent }: Code, units: UnitTables): ReadUnit {
  const codings = sent.length === 0 && text !== '' ? [asSent(text)] : [...sent];
  const ucum = units.read({ text, codings });
  if (ucum === undefined) return { code: { text, codings }, ucum };
  // `mg/dl` said to be UCUM is UCUM; it needs no second coding. `mmHg` said to be UCUM is not.
  const known = codings.some((coding) => coding.system === ucumSystem && canonical(coding.code) === ucum);
  if (!known) {
    codings.push(codingOf(ucumSystem, ucum, '', true));
  }
  return { code: { text, codings }, ucum };
}

/** A unit without a coding system is the sender's own word. */
function asSent(text: string): Coding {
  return codingOf('', text);
}

/** The name of the conversion, where there was one. */
function convert(observation: Observation, unit: string, { units }: NormalizeContext): string | undefined {
  if (observation.code === undefined || !numeric.has(observation.valueType)) return undefined;
  if (observation.furtherValues.length > 0) return undefined;
  for (const { system, code } of observation.code.codings) {
    const conversion = units.conversion(system, code, unit);
    if (conversion === undefined) continue;
    const { name, from, to, relation } = conversion;
    const converted = convertQuantity(observation, observation.unit, relation);
    if (converted === undefined) return undefined;
    observation.converted = { ...converted, unit: to, from, conversion: name };
    return name;
  }
  return undefined;
}

const isOfTheWorld = KeptCode.once(({ codings }) =>
  codings.some(({ system }) => system !== '' && !system.startsWith('urn:hilum:')),
);

/** Notes a code that no table maps and that says nothing in a system which the world knows. */
function note(
  sightings: Map<string, Sighting>,
  field: Sighting['field'],
  code: Code | undefined,
  unit: string,
  tables: CodeTables,
): void {
  if (code === undefined) return;
  const { codings } = code;
  const known = isOfTheWorld(code);
  const open = codings.find((coding) => {
    if (coding.mapped || coding.code === '') return false;
    const policy = tables.policy(coding.system) ?? tables.policy(coding.name);
    // Nobody has decided yet about a system without a table.
    if (policy === undefined) return !known;
    return policy.report && !codings.some(({ system }) => policy.to.has(system));
  });
  if (open !== undefined) count(sightings, field, open, unit);
}

function count(
  sightings: Map<string, Sighting>,
  field: Sighting['field'],
  { system, name, code, display }: Coding,
  unit: string,
): void {
  const key = `${field}\n${system}\n${code}`;
  const found = sightings.get(key);
  if (found !== undefined) found.count += 1;
  else if (sightings.size < sightingsMax) {
    const [short, text] = [clip(code), clip(display)];
    sightings.set(key, {
      field,
      system: clip(system, systemMax),
      name: clip(name),
      code: short,
      text: text === short ? '' : text,
      unit: clip(unit),
      count: 1,
    });
  }
}

/** Bounded, and nothing that could move a cursor. */
export function clip(text: string, charactersMax = textMax): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, charactersMax);
}
