/** From where each lane of a session goes on: behind what is flushed of it here. */
import type { Hello, LaneAck } from '../../proto/gen/hilum/v1/session.ts';
import { identityOf } from '../../proto/same-event.ts';
import type { Hub } from './needs.ts';

/** With what identifies the event there, so that a gateway whose disk went back in time sees whose it is. */
export async function placesOf(
  hub: Pick<Hub, 'cursor' | 'notHere' | 'eventAt'>,
  { gateway, epoch, lanes }: Pick<Hello, 'gateway' | 'epoch' | 'lanes'>,
): Promise<LaneAck[]> {
  const places: LaneAck[] = [];
  for (const { lane, first } of lanes) {
    let sequence = await hub.cursor(gateway, epoch, lane);
    if (first > sequence + 1n) sequence = await hub.notHere(gateway, epoch, lane, first);
    const stored = await hub.eventAt(gateway, epoch, lane, sequence);
    const event = stored === undefined ? undefined : identityOf(stored);
    const recordSha256 = event?.recordSha256 ?? new Uint8Array(0);
    places.push({ epoch, lane, sequence, atUs: 0n, recordSha256, event });
  }
  return places;
}
