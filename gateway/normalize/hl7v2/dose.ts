/** Whether a dose was given, of a drug (RAS) and of a vaccine (VXU) alike [HL7 4A.4.7]. */
import type { Code } from '../../../proto/gen/hilum/v1/event.ts';
import { lookup } from '../lookup.ts';
import { upper } from '../text.ts';
import { remark, type Scope } from './scope.ts';

/** What RXA says of it. */
export interface Dose {
  readonly completionStatus: string;
  readonly action: string;
  readonly refusalReasons: readonly Code[];
}

/** RXA-20 [HL7 table 0322], and the table's own words, which are sent in place of its codes. */
const completion: Record<string, string> = lookup({
  CP: 'completed',
  COMPLETE: 'completed',
  COMPLETED: 'completed',
  GIVEN: 'completed',
  ADMINISTERED: 'completed',
  PA: 'partial',
  PARTIAL: 'partial',
  'PARTIALLY ADMINISTERED': 'partial',
  'PARTIALLY GIVEN': 'partial',
  RE: 'rejected',
  REFUSED: 'rejected',
  NA: 'cancelled',
  'NOT ADMINISTERED': 'cancelled',
  'NOT GIVEN': 'cancelled',
  'NOT DONE': 'cancelled',
});

/** RXA-21 [HL7 tables 0206, 0323]: X changes nothing, D withdraws the record. */
const actions = new Set(['', 'A', 'U', 'X', 'D']);

/**
 * Undefined where RXA leaves it open. What cannot be read is `unknown`: a dose that was not given must not
 * become one that was.
 */
export function doseStatus(dose: Dose, what: Code | undefined, scope: Scope): string | undefined {
  const action = upper(dose.action);
  if (action === 'D') return 'entered-in-error';
  const sent = upper(dose.completionStatus);
  const said = completion[sent];
  if (sent !== '' && said === undefined)
    remark(scope, 'RXA-20: not a code of table 0322, whether the dose was given is unknown');
  if (!actions.has(action)) {
    remark(scope, 'RXA-21: not a code of table 0206, the status of the record is unknown');
    return 'unknown';
  }
  if (isNone(what)) return said === 'rejected' ? said : 'cancelled';
  // Any entry says that the patient did not take it [HL7 4A.4.7.18]; of a part of it the reason is that of the rest.
  if (dose.refusalReasons.length === 0) return said ?? (sent === '' ? undefined : 'unknown');
  if (said !== 'completed') return said ?? 'rejected';
  remark(scope, 'RXA-18: a reason why the dose was not taken, of one that RXA-20 says was given');
  return 'unknown';
}

/** Nothing was given: the row tells of a refusal, a contraindication, a disease that was had. */
export function wasNotGiven({ completionStatus, refusalReasons }: Dose, what: Code | undefined): boolean {
  const said = completion[upper(completionStatus)];
  if (isNone(what) || said === 'rejected' || said === 'cancelled') return true;
  return completionStatus === '' && refusalReasons.length > 0;
}

const cvx = 'http://hl7.org/fhir/sid/cvx';

/** CVX 998, no vaccine administered: the row only carries what was observed instead of a dose. */
function isNone(what: Code | undefined): boolean {
  return what?.codings.some(({ code, system }) => code === '998' && system === cvx) ?? false;
}
