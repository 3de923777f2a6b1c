/**
 * Which changes of status are usual. An unusual one that is newer is still what the sender says, and is
 * flagged, so that a person can ask [HL7 tables 0085, 0123, 0038; FHIR ObservationStatus].
 */
import { isWithdrawn } from '../../../proto/withdrawn.ts';

/** Said of a result that nothing is expected to change but a correction or a withdrawal. */
const afterFinal = new Set(['final', 'corrected', 'entered-in-error', 'unknown']);
const afterWithdrawal = new Set(['entered-in-error', 'unknown']);

/** Status → what usually follows it. A status that is not here may be followed by any. */
const usual: Record<string, ReadonlySet<string>> = {
  final: afterFinal,
  corrected: new Set(['corrected', 'entered-in-error', 'unknown']),
  cancelled: new Set(['cancelled', 'entered-in-error', 'unknown']),
  'entered-in-error': afterWithdrawal,
  // Requests.
  completed: new Set(['completed', 'entered-in-error', 'unknown']),
  rejected: new Set(['rejected', 'cancelled', 'entered-in-error', 'unknown']),
};

export function isUnusual(from: string, to: string): boolean {
  return usual[from]?.has(to) === false;
}

const done = new Set(['final', 'corrected']);
const undone = new Set(['registered', 'preliminary', 'partial']);

/**
 * Does the newer status of an order speak for an older result under it that was not named again? A final
 * culture lists organisms where the preliminary said "no growth yet". An older result that was itself
 * final stays: reports are sent in parts.
 */
export function overrules(order: string, result: string): boolean {
  return isWithdrawn(order) || (done.has(order) && undone.has(result));
}
