/**
 * Empty canonical messages. A clone of one literal object per type is several times cheaper
 * than ts-proto's `fromPartial`, and every list is its own.
 */
import * as proto from '../../../proto/gen/hilum/v1/event.ts';

export const fresh = {
  event: maker<proto.ClinicalEvent>(proto.ClinicalEvent),
  patient: maker<proto.Patient>(proto.Patient),
  encounter: maker<proto.Encounter>(proto.Encounter),
  order: maker<proto.Order>(proto.Order),
  observation: maker<proto.Observation>(proto.Observation),
  movement: maker<proto.Movement>(proto.Movement),
  merge: maker<proto.Merge>(proto.Merge),
  document: maker<proto.Document>(proto.Document),
  schedule: maker<proto.Schedule>(proto.Schedule),
  resource: maker<proto.Resource>(proto.Resource),
  medication: maker<proto.Medication>(proto.Medication),
  immunization: maker<proto.Immunization>(proto.Immunization),
  charge: maker<proto.Charge>(proto.Charge),
  chargeItem: maker<proto.ChargeItem>(proto.ChargeItem),
  alarm: maker<proto.Alarm>(proto.Alarm),
  device: maker<proto.Device>(proto.Device),
  allergy: maker<proto.Allergy>(proto.Allergy),
  condition: maker<proto.Condition>(proto.Condition),
  procedure: maker<proto.Procedure>(proto.Procedure),
  coverage: maker<proto.Coverage>(proto.Coverage),
  relatedPerson: maker<proto.RelatedPerson>(proto.RelatedPerson),
  referral: maker<proto.Referral>(proto.Referral),
  masterFile: maker<proto.MasterFile>(proto.MasterFile),
  note: maker<proto.Note>(proto.Note),
  times: maker<proto.Times>(proto.Times),
  provenance: maker<proto.Provenance>(proto.Provenance),
  specimen: maker<proto.Specimen>(proto.Specimen),
  timing: maker<proto.Timing>(proto.Timing),
  attachment: maker<proto.Attachment>(proto.Attachment),
  location: maker<proto.Location>(proto.Location),
  name: maker<proto.HumanName>(proto.HumanName),
  address: maker<proto.Address>(proto.Address),
  telecom: maker<proto.Telecom>(proto.Telecom),
};

function maker<T extends object>(type: { fromPartial(object: object): T }): () => T {
  const base = type.fromPartial({});
  const lists = (Object.keys(base) as (keyof T)[]).filter((key) => Array.isArray(base[key]));
  return () => {
    const clone = { ...base };
    for (const list of lists) clone[list] = [] as T[keyof T];
    return clone;
  };
}
