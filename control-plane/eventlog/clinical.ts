/** A stored event as consumers read it: the gateway's encoding, completed with what only its position tells. */
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import type { StoredEvent } from './eventlog.ts';
import { eventId } from './keys.ts';

export function toClinicalEvent(stored: StoredEvent): ClinicalEvent {
  const { gateway, site, epoch, lane, sequence, envelope } = stored;
  const event = ClinicalEvent.decode(envelope.event);
  event.id = eventId(gateway, epoch, lane, sequence);
  event.gateway = gateway;
  event.site = site;
  event.position = { epoch, lane, sequence };
  if (event.provenance !== undefined) {
    event.provenance.recordHash = Buffer.from(envelope.recordSha256).toString('hex');
    event.provenance.record = { epoch: envelope.recordEpoch, sequence: envelope.recordSequence };
  }
  return event;
}
