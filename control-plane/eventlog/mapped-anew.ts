/** Events that were made here, of records that came and were counted before [codes/replay.ts]. */
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import type { Envelope } from '../../proto/gen/hilum/v1/session.ts';

/** They stand under an epoch that no journal has. */
export function isMappedAnew(epoch: bigint, { recordEpoch, event }: Envelope): boolean {
  return recordEpoch !== epoch && ClinicalEvent.decode(event).provenance?.replay?.cause === 'codes';
}
