/** Empty canonical messages of what most messages do not hold, made from the contract itself. Every list is its own. */
import * as proto from '../../../proto/gen/hilum/v1/event.ts';

export const rareShapes = {
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
  allergyReaction: maker<proto.AllergyReaction>(proto.AllergyReaction),
  condition: maker<proto.Condition>(proto.Condition),
  procedure: maker<proto.Procedure>(proto.Procedure),
  diagnosisGroup: maker<proto.DiagnosisGroup>(proto.DiagnosisGroup),
  organization: maker<proto.Organization>(proto.Organization),
  coverage: maker<proto.Coverage>(proto.Coverage),
  accessRestriction: maker<proto.AccessRestriction>(proto.AccessRestriction),
  relatedPerson: maker<proto.RelatedPerson>(proto.RelatedPerson),
  referral: maker<proto.Referral>(proto.Referral),
  authorization: maker<proto.Authorization>(proto.Authorization),
  masterFile: maker<proto.MasterFile>(proto.MasterFile),
  specimen: maker<proto.Specimen>(proto.Specimen),
  analysis: maker<proto.Analysis>(proto.Analysis),
  substance: maker<proto.Substance>(proto.Substance),
  imagingStep: maker<proto.ImagingStep>(proto.ImagingStep),
  ingredient: maker<proto.Ingredient>(proto.Ingredient),
  timing: maker<proto.Timing>(proto.Timing),
  orderSequence: maker<proto.OrderSequence>(proto.OrderSequence),
  bloodOrder: maker<proto.BloodOrder>(proto.BloodOrder),
  bloodUnit: maker<proto.BloodUnit>(proto.BloodUnit),
  dietItem: maker<proto.DietItem>(proto.DietItem),
  supplyItem: maker<proto.SupplyItem>(proto.SupplyItem),
  infusion: maker<proto.Infusion>(proto.Infusion),
  disability: maker<proto.Disability>(proto.Disability),
  software: maker<proto.Software>(proto.Software),
  container: maker<proto.Container>(proto.Container),
  certification: maker<proto.Certification>(proto.Certification),
  attachment: maker<proto.Attachment>(proto.Attachment),
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
