/**
 * The events of one record as they are sent: elements of a Batch [proto/wire.ts]. What the line could not carry is
 * found here, before any of the record's events has a place in a lane: there it would hold up all that come after it.
 */
import { BackWriter } from '../proto/back-writer.ts';
import type { ClinicalEvent } from '../proto/gen/hilum/v1/event.ts';
import { writeClinicalEvent, writeEnvelope } from '../proto/gen/hilum/v1/event-writer.ts';
import type { JournalRecord } from '../proto/gen/hilum/v1/journal.ts';
import { wireLimits } from '../proto/limits.ts';
import { envelopesTag } from '../proto/wire.ts';
import type { Reject } from './normalize/outcome.ts';

/** The record goes to quarantine, and nothing else comes of it. */
export class Refused extends Error {
  readonly reject: Reject;

  constructor(reject: Reject) {
    super(reject.code);
    this.reject = reject;
  }
}

export interface RecordPlace {
  epoch: bigint;
  sequence: number;
  journaledAtUs: number;
  normalizedAtUs: number;
  /** By destination: the route that sends the record there. */
  destinations: ReadonlyMap<string, string>;
}

export class EventEncoder {
  /** Kept, because a writer's buffers cost more than what is written. */
  readonly #event = new BackWriter();
  readonly #envelope = new BackWriter();
  #room = Buffer.allocUnsafeSlow(roomBytes);
  #used = 0;

  /** In the order of the events, until `clear`. Throws `Refused` where one is over `wireLimits.eventBytesMax`. */
  encode(events: readonly ClinicalEvent[], record: JournalRecord, place: RecordPlace): Uint8Array[] {
    const routes =
      place.destinations.size === 0
        ? none
        : [...place.destinations].map(([destination, route]) => ({ destination, route }));
    return events.map((event, position) => {
      this.#event.clear();
      writeClinicalEvent(this.#event, event);
      this.#envelope.clear();
      writeEnvelope(this.#envelope, {
        recordEpoch: place.epoch,
        recordSequence: BigInt(place.sequence),
        recordSha256: record.sha256,
        index: position + 1,
        count: events.length,
        source: record.source,
        kind: event.kind,
        // Of several messages in one record each is found by its own.
        messageControlId: event.provenance?.messageControlId || record.messageControlId,
        capturedAtUs: record.capturedAtUs,
        // It was answered when it came, out of a flush of that time; that of the replay answers nobody.
        journaledAtUs: record.replays > 0 ? 0n : BigInt(place.journaledAtUs),
        normalizedAtUs: BigInt(place.normalizedAtUs),
        event: this.#event.since(0),
        raw: position === 0 ? record.raw : nothing,
        repeat: event.once?.role === 'repeat',
        replaces: event.supersessions.some((one) => !one.thisIsSuperseded),
        routes,
      });
      const length = this.#envelope.mark();
      if (length > wireLimits.eventBytesMax) throw new Refused(tooLarge(length));
      this.#envelope.close(envelopesTag, 0);
      return this.#kept(this.#envelope.since(0));
    });
  }

  /** What was encoded so far has been copied: its room is written again. */
  clear(): void {
    this.#used = 0;
  }

  /** A copy of the writer's own bytes, which it writes again. */
  #kept(bytes: Buffer): Buffer {
    if (bytes.length > this.#room.length - this.#used) {
      // The room before it stays with those whose bytes are in it.
      if (bytes.length > roomBytes) return Buffer.from(bytes);
      this.#room = Buffer.allocUnsafeSlow(roomBytes);
      this.#used = 0;
    }
    const from = this.#used;
    this.#room.set(bytes, from);
    this.#used += bytes.length;
    return this.#room.subarray(from, this.#used);
  }
}

/** What most jobs make. */
const roomBytes = 256 * 1024;
const none: { destination: string; route: string }[] = [];

function tooLarge(bytes: number): Reject {
  const reason = `An event of this message would have ${mebibytes(bytes)} together with the message; the line to the control plane carries ${mebibytes(wireLimits.eventBytesMax)}, which cannot be raised. The sender has to split it, or the config to copy less of it.`;
  return { code: 'too-large', reason };
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

const nothing = new Uint8Array(0);
