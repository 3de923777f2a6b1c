/**
 * The sender's own clock at the moment of sending: MSH-7, or the time that a device's payload carries. Compared
 * with the moment of capture it says how far the two clocks lie apart, less what the message was under way.
 */
import type { ClinicalEvent, ClinicalTime } from '../../proto/gen/hilum/v1/event.ts';
import { instantOf } from './instant.ts';

export interface SenderTime {
  /** Milliseconds since 1970. */
  ms: number;
  /** Its resolution: it was up to so much later. */
  stepMs: number;
  /** What its offset was assumed from; empty where it has its own. */
  assumed: string;
}

const steps: Record<string, number> = { minute: 60_000, second: 1_000, fraction: 1 };

/** Of the newest event of a record; undefined where none has a time that stands for one instant. */
export function senderTime(events: readonly ClinicalEvent[]): SenderTime | undefined {
  let newest: SenderTime | undefined;
  for (const { times, kind } of events) {
    // A device without a message time says when it measured, which is when it sends.
    const sent = times?.message ?? (kind.startsWith('device-') ? times?.observed : undefined);
    const read = sent === undefined ? undefined : readSent(sent);
    if (read !== undefined && (newest === undefined || read.ms > newest.ms)) newest = read;
  }
  return newest;
}

function readSent({ value, precision, offset, assumed, ambiguity }: ClinicalTime): SenderTime | undefined {
  const stepMs = steps[precision];
  // Twice in a night, or never: which instant it was nobody can tell.
  if (stepMs === undefined || offset === '' || ambiguity !== '') return undefined;
  const ms = instantOf(value);
  return Number.isNaN(ms) ? undefined : { ms, stepMs, assumed };
}
