/**
 * HL7 v2 tables and words of the canonical event → codes of FHIR's required bindings. Facts from HL7's
 * v2-to-FHIR concept maps; what they leave unmapped is left out here, or `unknown` where FHIR wants a code.
 */
export type Table<T = string> = Readonly<Record<string, T>>;

/** Without a prototype: what a message sends (`constructor`) must find nothing but an entry. */
export function table<T>(entries: Table<T>): Table<T> {
  return Object.assign(Object.create(null) as object, entries);
}

/** HL7 table 0200 → NameUse. */
export const nameUse = table({
  BAD: 'old',
  D: 'usual',
  L: 'official',
  R: 'official',
  M: 'maiden',
  MSK: 'anonymous',
  N: 'nickname',
  NAV: 'temp',
  TEMP: 'temp',
  NOUSE: 'old',
});

/** HL7 table 0190 → AddressUse. */
export const addressUse = table({
  BA: 'old',
  BI: 'billing',
  C: 'temp',
  B: 'work',
  O: 'work',
  H: 'home',
  // At birth: where it was, where the mother lived, the country of origin.
  BDL: 'old',
  N: 'old',
  BR: 'old',
  F: 'old',
});

/** HL7 table 0190 → AddressType. */
export const addressType = table({ M: 'postal', SH: 'postal' });

/** HL7 table 0617. */
export const addressPurpose = table({ M: 'postal', V: 'physical' });

/** HL7 table 0465 → the codes of the representation of a name. */
export const nameScript = table({ A: 'ABC', I: 'IDE', P: 'SYL' });

/** Canonical gender is already FHIR's; anything else is unknown. */
export const genders = new Set(['male', 'female', 'other', 'unknown']);

/** HL7 table 0004 → v3-ActCode. */
export const encounterClass = table({ E: 'EMER', I: 'IMP', O: 'AMB', P: 'PRENC' });
/** Its others, which have no counterpart there. */
export const patientClasses = new Set(['B', 'C', 'N', 'R', 'U']);

export const encounterStatus = new Set([
  'planned',
  'arrived',
  'triaged',
  'in-progress',
  'onleave',
  'finished',
  'cancelled',
  'entered-in-error',
  'unknown',
]);

/** HL7 table 0443 and our roles → v3-ParticipationType. */
export const participation = table({
  attending: 'ATND',
  referring: 'REF',
  consulting: 'CON',
  admitting: 'ADM',
  performing: 'PPRF',
  assisting: 'SPRF',
  contact: 'CALLBCK',
  other: 'PART',
});

/** Canonical status → ObservationStatus. */
export const observationStatus = table({
  registered: 'registered',
  preliminary: 'preliminary',
  partial: 'preliminary',
  final: 'final',
  corrected: 'corrected',
  cancelled: 'cancelled',
  'entered-in-error': 'entered-in-error',
});

/** Canonical status → DiagnosticReportStatus. */
export const reportStatus = table({ ...observationStatus, partial: 'partial' });

/** HL7 table 0038 (ORC-5) → RequestStatus. */
export const orderStatus = table({
  A: 'active',
  CA: 'revoked',
  CM: 'completed',
  DC: 'revoked',
  ER: 'entered-in-error',
  HD: 'on-hold',
  IP: 'active',
  RP: 'revoked',
  SC: 'active',
});

/**
 * HL7 table 0119 (ORC-1) → RequestStatus. HL7's map leaves CA and HD active until somebody answers; most placers get
 * no answer, and who asks to cancel or to hold an order must not find it open. PR, an earlier order beside a new
 * one, is what its event says: done. UR: who asked to go on with it could not be served, it is on hold still.
 */
export const orderControl = table({
  AF: 'active',
  CA: 'revoked',
  CR: 'revoked',
  DC: 'revoked',
  DF: 'revoked',
  DR: 'revoked',
  FU: 'completed',
  HD: 'on-hold',
  HR: 'on-hold',
  NW: 'active',
  OC: 'revoked',
  OD: 'revoked',
  OH: 'on-hold',
  OK: 'active',
  PY: 'active',
  RL: 'active',
  RO: 'active',
  RQ: 'revoked',
  RU: 'revoked',
  UR: 'on-hold',
});

/** Canonical status of an order or a report → RequestStatus of what asked for it. */
export const requestStatus = table({
  requested: 'active',
  accepted: 'active',
  'in-progress': 'active',
  registered: 'active',
  preliminary: 'active',
  partial: 'active',
  final: 'completed',
  corrected: 'completed',
  completed: 'completed',
  cancelled: 'revoked',
  rejected: 'revoked',
  'entered-in-error': 'entered-in-error',
});

/** HL7 table 0123 (OBR-25), upper case → RequestStatus of what the result was asked for with. */
export const resultStatus = table({
  F: 'completed',
  U: 'completed',
  M: 'completed',
  C: 'completed',
  P: 'active',
  R: 'active',
  A: 'active',
  I: 'active',
  O: 'active',
  S: 'active',
  N: 'active',
  X: 'revoked',
  D: 'entered-in-error',
  W: 'entered-in-error',
});

/**
 * Events of these kinds have a matter of their own: neither their status nor their times are those of the orders and
 * results that they enclose.
 */
export const enclosing = new Set(['admission', 'merge', 'referral', 'problem', 'charge', 'schedule']);

/** RequestStatus → MedicationrequestStatus. */
export const medicationRequestStatus = table({
  active: 'active',
  'on-hold': 'on-hold',
  revoked: 'cancelled',
  completed: 'completed',
  'entered-in-error': 'entered-in-error',
});

/** Canonical status → MedicationDispenseStatus. */
export const dispenseStatus = table({
  requested: 'preparation',
  accepted: 'preparation',
  'in-progress': 'in-progress',
  partial: 'in-progress',
  completed: 'completed',
  cancelled: 'cancelled',
  rejected: 'declined',
  'entered-in-error': 'entered-in-error',
});

/** Canonical status → MedicationAdministrationStatus. */
export const administrationStatus = table({
  'in-progress': 'in-progress',
  partial: 'completed',
  completed: 'completed',
  cancelled: 'not-done',
  rejected: 'not-done',
  'entered-in-error': 'entered-in-error',
});

/** Canonical status of a vaccination → ImmunizationStatus, which has no code for what is not known. */
export const immunizationStatus = table({
  completed: 'completed',
  partial: 'completed',
  rejected: 'not-done',
  cancelled: 'not-done',
  'entered-in-error': 'entered-in-error',
});

/** Canonical status of a schedule → AppointmentStatus. */
export const appointmentStatus = table({
  requested: 'pending',
  booked: 'booked',
  rescheduled: 'booked',
  'in-progress': 'checked-in',
  completed: 'fulfilled',
  cancelled: 'cancelled',
  noshow: 'noshow',
  'entered-in-error': 'entered-in-error',
});

/** HL7 table 0278 (SCH-25, AIS-10 …), upper case → ParticipationStatus. */
export const participantStatus = table({
  BOOKED: 'accepted',
  OVERBOOK: 'accepted',
  STARTED: 'accepted',
  COMPLETE: 'accepted',
  PENDING: 'needs-action',
  WAITLIST: 'tentative',
  CANCELLED: 'declined',
  DC: 'declined',
  DISCONTINUED: 'declined',
  DELETED: 'declined',
});

/** HL7 table 0436 → AllergyIntoleranceType; the others are neither. */
export const allergyType = table({ AL: 'allergy', IN: 'intolerance' });

/** Canonical status of a document → CompositionStatus of DocumentReference.docStatus. */
export const documentStatus = table({
  final: 'final',
  preliminary: 'preliminary',
  partial: 'preliminary',
  registered: 'preliminary',
  corrected: 'amended',
  'entered-in-error': 'entered-in-error',
});

/**
 * HL7 tables 0485 and 0027, and the words that are sent in their place → RequestPriority. Timing critical to seconds
 * or minutes is at once, to hours or before an operation is urgent, as their class is.
 */
export const priority = table({
  S: 'stat',
  ST: 'stat',
  STAT: 'stat',
  CITO: 'stat',
  T: 'stat',
  TS: 'stat',
  TM: 'stat',
  TH: 'urgent',
  A: 'asap',
  ASAP: 'asap',
  R: 'routine',
  ROUTINE: 'routine',
  P: 'urgent',
  U: 'urgent',
  URG: 'urgent',
  URGENT: 'urgent',
});

/** HL7 table 0127 → AllergyIntoleranceCategory. */
export const allergyCategory = table({
  DA: 'medication',
  FA: 'food',
  EA: 'environment',
  PA: 'environment',
  LA: 'environment',
  AA: 'biologic',
});

/** HL7 table 0128 → AllergyIntoleranceCriticality. */
export const allergyCriticality = table({ SV: 'high', MI: 'low' });

/** HL7 table 0128 → AllergyIntoleranceSeverity of a reaction. */
export const reactionSeverity = table({ SV: 'severe', MO: 'moderate', MI: 'mild' });

/** Codes that HL7 table 0078 and v3-ObservationInterpretation share. */
export const interpretations = new Set(
  'A AA H HH HU L LL LU N < > D B U W I MS NS R S VS SDD POS NEG IND E NR RR WR DET ND EXP UNE EX HX LX IE NCL'.split(
    ' ',
  ),
);

/** HL7 table 0074 → observation-category. */
export const observationCategory = table({
  LAB: 'laboratory',
  CH: 'laboratory',
  HM: 'laboratory',
  MB: 'laboratory',
  MCB: 'laboratory',
  SR: 'laboratory',
  BLB: 'laboratory',
  CG: 'laboratory',
  IMM: 'laboratory',
  TX: 'laboratory',
  UR: 'laboratory',
  RAD: 'imaging',
  RUS: 'imaging',
  RX: 'imaging',
  CT: 'imaging',
  NMR: 'imaging',
  NMS: 'imaging',
  CUS: 'imaging',
  VUS: 'imaging',
  OUS: 'imaging',
});
