/** Events of a gateway that cannot be kept: what stands in their envelopes becomes parts of keys. */
import type { Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { wireLimits } from '../../proto/limits.ts';
import { fitsKey } from './keys.ts';

export interface Unfit {
  outcome: 'unfit';
  code: string;
  reason: string;
}

export function unfit({ source, recordSequence }: Envelope): Unfit | undefined {
  if (!fitsKey(source))
    return { outcome: 'unfit', code: 'name-unfit', reason: 'the name of a source is too long' };
  if (recordSequence > wireLimits.sequenceMax)
    return { outcome: 'unfit', code: 'sequence-unfit', reason: 'a sequence is higher than any can be' };
  return undefined;
}
