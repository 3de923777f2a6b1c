/**
 * One canonical event as a FHIR R4 Bundle. Pure: both ends may run it.
 *
 * The bundle is a `collection`: it says what happened and asks for nothing. A `transaction` would choose for
 * the reader what to create or update, and a `message` would ask its receiver to act on a message event.
 * References inside are urn:uuid, made from the event's id; meta.source of each resource and the Provenance
 * carry that id. What FHIR has no element for stays in the event's own JSON form, which is the lossless one.
 */
import type { ClinicalEvent } from '../gen/hilum/v1/event.ts';
import { addAllergies } from './allergy-intolerance.ts';
import { addAppointment } from './appointment.ts';
import { addBasic } from './basic.ts';
import { addBloodUnits } from './blood.ts';
import { addCharges } from './charge-item.ts';
import { addNotes } from './communication.ts';
import { addConditions } from './condition.ts';
import { addCoverages } from './coverage.ts';
import { code, instantOf } from './datatypes.ts';
import { addAlarm, addDevice } from './device.ts';
import { addReport } from './diagnostic-report.ts';
import { addDocument } from './document-reference.ts';
import { Draft, uuidOf } from './draft.ts';
import { addEncounters } from './encounter.ts';
import { addImmunization } from './immunization.ts';
import { type Element, fhirText, lean, type Resource } from './json.ts';
import { addMedications } from './medication.ts';
import { addObservations } from './observation.ts';
import { addPatient } from './patient.ts';
import { addProcedures } from './procedure.ts';
import { addProvenance } from './provenance.ts';
import { addRelatedPersons } from './related-person.ts';
import { addRequests } from './service-request.ts';

export interface Bundle extends Resource {
  readonly resourceType: 'Bundle';
  readonly entry: readonly { readonly fullUrl: string; readonly resource: Resource }[];
}

/** In this order, because each refers to what stands before it. */
const areas: readonly ((draft: Draft) => void)[] = [
  addPatient,
  addEncounters,
  addRelatedPersons,
  addCoverages,
  addDevice,
  addConditions,
  addAllergies,
  addProcedures,
  addRequests,
  addBloodUnits,
  addMedications,
  addImmunization,
  addObservations,
  addAlarm,
  addReport,
  addDocument,
  addAppointment,
  addCharges,
  addBasic,
  addNotes,
  addProvenance,
];

export function toBundle(event: ClinicalEvent): Bundle {
  const draft = new Draft(event);
  for (const area of areas) area(draft);
  const words: Element[] = [
    { system: 'urn:hilum:kind', code: code(event.kind) },
    { system: 'urn:hilum:class', code: code(event.class) },
  ];
  const bundle = {
    resourceType: 'Bundle',
    id: uuidOf(event.id, ''),
    meta: { tag: words.filter((one) => one.code !== undefined) },
    identifier: { system: 'urn:hilum:event', value: event.id },
    type: 'collection',
    timestamp: instantOf(event.times?.capturedAtUs ?? 0n),
    entry: draft.entries,
  };
  return lean(bundle) as unknown as Bundle;
}

/** The bundle as JSON text on one line; decimals with the digits that were sent. */
export function toBundleText(event: ClinicalEvent): string {
  return fhirText(toBundle(event));
}
