/** What is done to a fleet, and who looked at what, is explained in the audit trail: without a reason it is not done. */
import { exitCode, HilumError } from '../../gateway/process/errors.ts';

/** @param what `A config`, `Looking at a payload`; the beginning of the sentence for the caller */
export function needReason(what: string, reason: string): void {
  if (reason.trim() !== '') return;
  throw new HilumError('reason-missing', `${what} needs a reason.`, {
    hint: 'Add --reason "…".',
    exit: exitCode.usage,
  });
}
