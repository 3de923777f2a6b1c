/**
 * What the event says and FHIR R4 has no element for, as extensions under URLs of ours:
 *
 *   urn:hilum:extension:critical             on the interpretation that a rule of the config added: rule, why
 *   urn:hilum:extension:site                 on the Provenance: name and value of a field that a site's mapping made
 *   urn:hilum:extension:superseded           true on an Observation or DiagnosticReport that something newer is known of
 *   urn:hilum:extension:advance-directive    on the Patient and the Encounter: DNR …
 *   urn:hilum:extension:timing               on the Appointment: every timing, where there are several or a series
 *   urn:hilum:extension:sub-id               on an Observation: OBX-4, by which the rows of one report belong together
 *   urn:hilum:extension:specimen-role        on the Specimen: Q control, C calibrator … (Specimen.role of R5)
 *   urn:hilum:extension:blood-unit           on the BiologicallyDerivedProduct: status, since, bloodGroup, donationType,
 *                                            specialTesting …, expires
 *   urn:hilum:extension:availability         on the DocumentReference: UN, it may not be used for the patient
 *   urn:hilum:extension:master-file-event    on the Basic and each identifier of it: event (add, delete …), effective
 *   urn:hilum:extension:device-association   on the Device: basis, since, age, candidate …, location, declaredBy
 *
 * A candidate stands nowhere else in the bundle: it is a guess, and never Device.patient or a subject.
 */
import { ucumSystem } from '../code-systems.ts';
import type {
  BloodUnit,
  ClinicalTime,
  Code,
  CriticalMark,
  DeviceAssociation,
  Extension,
  Timing,
} from '../gen/hilum/v1/event.ts';
import { code, coded, concept, concepts, dateTime, hl7System, identifier, quantity } from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, type Json, lean, present, visible } from './json.ts';
import { location } from './location.ts';
import { when } from './timing.ts';

const base = 'urn:hilum:extension';

/** Beside what was sent: critical, by which rule and why. */
export function criticalInterpretation(mark: CriticalMark | undefined): Element | undefined {
  if (mark === undefined) return undefined;
  const { rule, why } = mark;
  return {
    extension: present([complex('critical', [part('rule', 'String', rule), part('why', 'String', why)])]),
    ...coded(hl7System('v3-ObservationInterpretation'), 'AA', 'Critical abnormal'),
    text: ['critical', rule, why].filter(visible).join(': '),
  };
}

/** Not to be resuscitated, a living will …: R4 has it only as a Consent, which nobody gave here. */
export function directiveExtensions(from: readonly Code[]): Element[] {
  return concepts(from).map((one) => ({ url: `${base}:advance-directive`, valueCodeableConcept: one }));
}

/** One organism with its antibiotics, one variant, one antigen: no member says it, because nothing is the row of all of them. */
export function subIdExtensions(subId: string): Element[] {
  return visible(subId) ? [{ url: `${base}:sub-id`, valueString: subId }] : [];
}

export function roleExtensions(from: readonly Code[]): Element[] {
  return concepts(from).map((one) => ({ url: `${base}:specimen-role`, valueCodeableConcept: one }));
}

/** Of what came late: a reader must not put it in place of what it has. */
export function supersededExtension(superseded: boolean): Element[] | undefined {
  return superseded ? [{ url: `${base}:superseded`, valueBoolean: true }] : undefined;
}

export function siteExtensions(from: readonly Extension[]): Element[] {
  return present(
    from.map(({ name, value }) =>
      // A name without its value, or a value without its name, says nothing.
      visible(name) && visible(value)
        ? complex('site', [part('name', 'String', name), part('value', 'String', value)])
        : undefined,
    ),
  );
}

/** One time alone is the appointment's own start and end. */
export function timingExtensions(from: readonly Timing[]): Element[] {
  const more = from.length > 1 || from.some(({ repeat, occurrences }) => repeat !== '' || occurrences !== '');
  if (!more) return [];
  return present(
    from.map((one) => {
      const valueTiming = lean(when(one, false).timing);
      return valueTiming && { url: `${base}:timing`, valueTiming };
    }),
  );
}

/** How a unit of blood stands and whom it fits: without the group and the day nobody may give it. */
export function unitExtensions(from: BloodUnit): Element[] {
  return present([
    complex('blood-unit', [
      part('status', 'CodeableConcept', concept(from.status)),
      part('since', 'DateTime', dateTime(from.statusAt)),
      part('bloodGroup', 'CodeableConcept', concept(from.bloodGroup)),
      part('donationType', 'CodeableConcept', concept(from.donationType)),
      ...concepts(from.specialTesting).map((one) => part('specialTesting', 'CodeableConcept', one)),
      part('expires', 'DateTime', dateTime(from.expires)),
    ]),
  ]);
}

/** R4 has no word for a document that is there and is not to be used. */
export function availabilityExtension(code: string, display: string): Element {
  return { url: `${base}:availability`, valueCodeableConcept: coded(hl7System('v2-0273'), code, display) };
}

/** What is done to a master file or to one of its entries [HL7 tables 0178, 0180], and from when on. */
export function masterFileExtensions(event: string, effective?: ClinicalTime): Element[] {
  return present([
    complex('master-file-event', [
      part('event', 'Code', code(event)),
      part('effective', 'DateTime', dateTime(effective)),
    ]),
  ]);
}

export function associationExtension(draft: Draft, from: DeviceAssociation | undefined): Element | undefined {
  if (from === undefined) return undefined;
  const { basis, since, ageS, candidates, declaredBy } = from;
  const age = ageS === 0n ? undefined : quantity(String(ageS), 's');
  return complex('device-association', [
    part('basis', 'Code', code(basis)),
    part('since', 'DateTime', dateTime(since)),
    part('age', 'Duration', age && { ...age, system: ucumSystem, code: 's' }),
    ...candidates.map((one) => part('candidate', 'Identifier', identifier(one))),
    part('location', 'Reference', location(draft, from.location)),
    part('declaredBy', 'String', declaredBy),
  ]);
}

function complex(name: string, parts: readonly (Element | undefined)[]): Element | undefined {
  const extension = present(parts);
  return extension.length === 0 ? undefined : { url: `${base}:${name}`, extension };
}

/** Undefined where nothing of the value can be written. */
function part(url: string, type: string, value: Json): Element | undefined {
  const said = lean(value);
  return said === undefined ? undefined : { url, [`value${type}`]: said };
}
