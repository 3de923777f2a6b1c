/**
 * A stored event as consumers read it: the gateway's encoding, completed with what only its position tells, and
 * with what became of its identifiers since then. What is stored stays as it came.
 */
import type { FollowedMerge } from '../../proto/gen/hilum/v1/admin.ts';
import { ClinicalEvent, type IdentityLink } from '../../proto/gen/hilum/v1/event.ts';
import type { EventLog, StoredEvent } from './eventlog.ts';
import { eventId } from './keys.ts';

/** Knows what became of identifiers [control-plane/persons]. */
interface Persons {
  complete(gateway: string, event: ClinicalEvent): Promise<void>;
}

interface Overtaken {
  complete(stored: StoredEvent, event: ClinicalEvent, at: EventLog['eventAt']): Promise<void>;
}

export interface Completes {
  readonly persons: Persons;
  readonly overtaken: Overtaken;
  readonly eventLog: Pick<EventLog, 'eventAt'>;
}

/** With what became of its identifiers since then, and with what had replaced it when it came. */
export async function toClinicalEvent(
  stored: StoredEvent,
  { persons, overtaken, eventLog }: Completes,
): Promise<ClinicalEvent> {
  const event = asStored(stored);
  await overtaken.complete(stored, event, (index) => eventLog.eventAt(index));
  await persons.complete(stored.gateway, event);
  return event;
}

/** As its gateway made it. */
export function asStored(stored: StoredEvent): ClinicalEvent {
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

/** A link as a trace shows it: without the identifiers, which are nobody's business there. */
export function followedMerge(link: IdentityLink, offsetUs: bigint): FollowedMerge {
  const { what, kind, trigger, merge, addedAtCentre, undoneBy } = link;
  const atUs = link.atUs === 0n ? 0n : link.atUs - offsetUs;
  return { what, kind, trigger, merge, atUs, addedAtCentre, undoneBy };
}
