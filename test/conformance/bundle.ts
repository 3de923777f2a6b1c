/** What is read of another converter's FHIR R4 Bundle; everything else of it is left alone. */

export interface Bundle {
  type?: string;
  entry?: { fullUrl?: string; resource?: Resource }[];
}

export interface Resource {
  resourceType: string;
  id?: string;
  identifier?: FhirIdentifier[];
  name?: FhirName[] | string;
  birthDate?: string;
  gender?: string;
  deceasedDateTime?: string;
  location?: { location?: Reference }[];
  period?: FhirPeriod;
  status?: string;
  code?: Concept;
  effectiveDateTime?: string;
  effectivePeriod?: FhirPeriod;
  issued?: string;
  authoredOn?: string;
  start?: string;
  end?: string;
  interpretation?: Concept[];
  valueQuantity?: Quantity;
  valueCodeableConcept?: Concept;
  valueString?: string;
  valueTime?: string;
  valueDateTime?: string;
  valuePeriod?: FhirPeriod;
  valueRange?: { low?: Quantity; high?: Quantity };
  valueRatio?: { numerator?: Quantity; denominator?: Quantity };
  component?: Resource[];
  presentedForm?: { url?: string; contentType?: string }[];
  partOf?: Reference;
  description?: string;
  physicalType?: Concept;
  extension?: Extension[];
}

export interface FhirIdentifier {
  value?: string;
  system?: string;
  type?: Concept;
  assigner?: Reference;
  extension?: Extension[];
}

export interface FhirName {
  family?: string;
  given?: string[];
  prefix?: string[];
  suffix?: string[];
}

export interface FhirPeriod {
  start?: string;
  end?: string;
}

export interface Concept {
  text?: string;
  coding?: FhirCoding[];
}

export interface FhirCoding {
  code?: string;
  system?: string;
  display?: string;
  extension?: Extension[];
}

export interface Quantity {
  value?: number;
  comparator?: string;
  unit?: string;
  code?: string;
  system?: string;
}

export interface Reference {
  reference?: string;
}

export interface Extension {
  url?: string;
  valueString?: string;
  valueCodeableConcept?: Concept;
  extension?: Extension[];
}

export function parsed(text: string): Bundle {
  // Some of the files begin with a byte order mark.
  return JSON.parse(text.replace(/^\uFEFF/, '')) as Bundle;
}

export function resourcesOf(bundle: Bundle, type: string): Resource[] {
  return (bundle.entry ?? []).flatMap(({ resource }) => (resource?.resourceType === type ? [resource] : []));
}

export function referred(bundle: Bundle, reference: Reference | undefined): Resource | undefined {
  const id = reference?.reference?.split('/')[1] ?? '';
  if (id === '') return undefined;
  return bundle.entry?.find(({ resource }) => resource?.id === id)?.resource;
}

/** The extension whose url ends so. */
export function extension(from: { extension?: Extension[] }, name: string): Extension | undefined {
  return from.extension?.find(({ url }) => url?.endsWith(`/${name}`));
}
