/** Status words from the tables of chapters 4, 7 and 10. */
import type { ClinicalEvent, Order } from '../../../proto/gen/hilum/v1/event.ts';
import { lookup } from '../lookup.ts';
import { upper } from '../text.ts';

/** Words that are sent in place of the codes of a result or a report. */
const resultWords = {
  FINAL: 'final',
  PRELIM: 'preliminary',
  PRELIMINARY: 'preliminary',
  PARTIAL: 'partial',
  CORRECTED: 'corrected',
  CORRECTION: 'corrected',
  AMENDED: 'corrected',
  CANCELED: 'cancelled',
  CANCELLED: 'cancelled',
  PENDING: 'registered',
};

/** OBX-11, upper case [HL7 table 0085], and words that are sent in place of its codes. */
export const resultStatus: Record<string, string> = lookup({
  ...resultWords,
  F: 'final',
  U: 'final',
  V: 'final',
  P: 'preliminary',
  R: 'preliminary',
  S: 'partial',
  C: 'corrected',
  A: 'corrected',
  B: 'corrected',
  X: 'cancelled',
  D: 'entered-in-error',
  W: 'entered-in-error',
  I: 'registered',
  O: 'registered',
  // Not asked: there was no observation, and none is to come.
  N: 'cancelled',
});

/** OBR-25 [HL7 table 0123]: A is some but not all results, R is not verified, which FHIR calls partial. */
export const reportStatus: Record<string, string> = lookup({
  ...resultWords,
  F: 'final',
  U: 'final',
  P: 'preliminary',
  R: 'partial',
  A: 'partial',
  M: 'corrected',
  C: 'corrected',
  X: 'cancelled',
  D: 'entered-in-error',
  W: 'entered-in-error',
  I: 'registered',
  O: 'registered',
  S: 'registered',
  N: 'registered',
});

/**
 * A remark on an OBR-25 that is not known, by what the event's status is then. Y and Z answer a query: there is no
 * order for the test, no such patient.
 */
export function unknownReport(sent: string, instead: string): string {
  return sent === 'Y' || sent === 'Z'
    ? 'OBR-25: an answer to a query, which says nothing of a result'
    : `OBR-25: not a code of table 0123, ${instead}`;
}

export const unknownOrder = 'ORC-5: not a code of table 0038, it is no status';

/** OBX-31, OBR-55 [HL7 table 0206]. */
export function isDeleted(action: string): boolean {
  return upper(action) === 'D';
}

/** ORC-5, upper case [HL7 table 0038], and words that are sent in place of its codes. */
export const orderStatus: Record<string, string> = lookup({
  A: 'partial',
  CA: 'cancelled',
  CM: 'completed',
  DC: 'cancelled',
  ER: 'rejected',
  HD: 'accepted',
  IP: 'in-progress',
  RP: 'cancelled',
  SC: 'accepted',
  COMPLETE: 'completed',
  COMPLETED: 'completed',
  CANCELED: 'cancelled',
  CANCELLED: 'cancelled',
  DISCONTINUED: 'cancelled',
  REPLACED: 'cancelled',
  'IN PROCESS': 'in-progress',
  'IN PROGRESS': 'in-progress',
  'IN-PROGRESS': 'in-progress',
  SCHEDULED: 'accepted',
  'ON HOLD': 'accepted',
});

/** What ORC-5 says of a report that says nothing itself, in words of a report. */
export const reportOfOrder: Record<string, string> = lookup({
  A: 'partial',
  CA: 'cancelled',
  CM: 'final',
  DC: 'cancelled',
  HD: 'registered',
  IP: 'registered',
  RP: 'cancelled',
  SC: 'registered',
});

/**
 * ORC-1 that ends the order, whatever ORC-5 says: that is where the order stood before, and does not initiate
 * anything [HL7 4.5.1.5]. RQ and RU tell of the order that another one replaces.
 */
export const endingControl: ReadonlySet<string> = new Set(['CA', 'CR', 'OC', 'DC', 'DR', 'OD', 'RQ', 'RU']);

/**
 * RP names the order that is to be replaced, and the ROs behind it are what replaces it [HL7 4.5.1.1 e]. Alone it is
 * sent for a mere change.
 */
export function isReplaced({ order }: ClinicalEvent, all: readonly ClinicalEvent[]): boolean {
  return controlOf(order) === 'RP' && all.some((other) => controlOf(other.order) === 'RO');
}

/** ORC-1 by its code of table 0119, which is upper case; some senders write it small. */
export function controlOf(order: Order | undefined): string {
  return upper(order?.control ?? '');
}

/** ORC-1, upper case [HL7 table 0119]. */
export const orderControl: Record<string, string> = lookup({
  NW: 'requested',
  RF: 'requested',
  RO: 'requested',
  RP: 'requested',
  XO: 'requested',
  PA: 'requested',
  CH: 'requested',
  SN: 'requested',
  RR: 'requested',
  HD: 'requested',
  RL: 'requested',
  OP: 'requested',
  PY: 'requested',
  SR: 'in-progress',
  SC: 'in-progress',
  // Neither asks for the order nor says how it stands: a request for its status, a link, a charge.
  SS: 'unknown',
  LI: 'unknown',
  UN: 'unknown',
  MC: 'unknown',
  RE: 'completed',
  OK: 'accepted',
  NA: 'accepted',
  AF: 'accepted',
  XR: 'accepted',
  XX: 'accepted',
  HR: 'accepted',
  OH: 'accepted',
  OE: 'accepted',
  OR: 'accepted',
  CN: 'in-progress',
  DF: 'rejected',
  UA: 'rejected',
  UF: 'rejected',
  // What is refused is to end or to change the order; it stands.
  UC: 'accepted',
  UD: 'accepted',
  UH: 'accepted',
  UM: 'accepted',
  UR: 'accepted',
  UX: 'accepted',
  DE: 'rejected',
  FU: 'completed',
  OF: 'completed',
  // An earlier order, whose results come with a new one.
  PR: 'completed',
});

/** The trigger of a scheduling message [HL7 10.4]. */
export const appointmentStatus: Record<string, string> = lookup({
  S12: 'booked',
  S13: 'rescheduled',
  S14: 'booked',
  S15: 'cancelled',
  S16: 'cancelled',
  S17: 'entered-in-error',
  S18: 'booked',
  S19: 'booked',
  S20: 'booked',
  S21: 'booked',
  S22: 'booked',
  // Time is blocked or given free; nobody asks for an appointment.
  S23: 'unknown',
  S24: 'unknown',
  S26: 'noshow',
});

/** SCH-25 [HL7 table 0278], upper case. */
export const fillerStatus: Record<string, string> = lookup({
  BOOKED: 'booked',
  OVERBOOK: 'booked',
  PENDING: 'requested',
  WAITLIST: 'requested',
  STARTED: 'in-progress',
  COMPLETE: 'completed',
  CANCELLED: 'cancelled',
  DISCONTINUED: 'cancelled',
  DC: 'cancelled',
  DELETED: 'entered-in-error',
  // The time is, as by S23: nobody has an appointment.
  BLOCKED: 'unknown',
  NOSHOW: 'noshow',
});

/** TXA-17, upper case [HL7 table 0271], and words that are sent in place of its codes. */
export const documentStatus: Record<string, string> = lookup({
  AU: 'final',
  LA: 'final',
  DI: 'registered',
  DO: 'preliminary',
  IP: 'preliminary',
  IN: 'partial',
  PA: 'preliminary',
  AUTHENTICATED: 'final',
  'LEGALLY AUTHENTICATED': 'final',
  FINAL: 'final',
  DICTATED: 'registered',
  DOCUMENTED: 'preliminary',
  'IN PROGRESS': 'preliminary',
  PRELIMINARY: 'preliminary',
  INCOMPLETE: 'partial',
  'PRE-AUTHENTICATED': 'preliminary',
});
