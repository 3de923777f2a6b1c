/**
 * Whether two events at one position are one event. Their bytes alone do not tell: a device without a clock sends the
 * same bytes with every equal reading, and a journal whose disk went back in time gives out the numbers of its records
 * again; but not at the same microsecond.
 */
import { Envelope } from './gen/hilum/v1/session.ts';

/** What identifies an event beside its position, and nothing of what it says. */
export function identityOf(event: Envelope): Envelope {
  const { recordSha256, recordSequence, capturedAtUs, index } = event;
  return Envelope.fromPartial({ recordSha256, recordSequence, capturedAtUs, index });
}

export function isSameEvent(one: Envelope, other: Envelope): boolean {
  return (
    one.recordSequence === other.recordSequence &&
    one.capturedAtUs === other.capturedAtUs &&
    one.index === other.index &&
    Buffer.from(one.recordSha256).equals(Buffer.from(other.recordSha256))
  );
}
