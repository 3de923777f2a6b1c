/**
 * The door of a session: what a gateway sends is measured before it is decoded, and looked at before anything is made
 * of it. Its certificate says who it is; it does not say that it is well. What is refused here costs its session alone.
 *
 *   bytes ──measured──► decoded ──objection──► the session
 *
 * Names become parts of keys [eventlog/keys.ts]; those inside of envelopes are looked at where these are decoded.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { GatewayFrame } from '../../proto/gen/hilum/v1/session.ts';
import { wireLimits } from '../../proto/limits.ts';
import { fitsKey, isLane } from '../eventlog/keys.ts';

export interface Objection {
  code: string;
  reason: string;
}

export interface Received extends GatewayFrame {
  /** About how many bytes it takes while it waits. */
  weight: number;
}

type Frame = NonNullable<GatewayFrame['frame']>;

/** Fields of GatewayFrame whose bytes are events: only the message itself bounds them. */
const batchField = 2;
const payloadField = 11;
/** Of Batch, packed: each byte may be a number. */
const queuedAtField = 5;
/** An element that stands for nothing else on the wire than that it is there, decoded. */
const elementBytes = 256;
/** Events, the ten bytes of a number beside each, and the batch's own fields. */
const batchElementsMax = 12 * wireLimits.batchEventsMax;

export function readFrame(bytes: Uint8Array): Received | Objection {
  try {
    const { isBatch, isPayload, elements } = measured(bytes);
    if (elements > (isBatch ? batchElementsMax : wireLimits.reportElementsMax)) return tooLarge;
    if (!isBatch && !isPayload && bytes.length > wireLimits.reportBytesMax) return tooLarge;
    const { frame } = GatewayFrame.decode(bytes);
    const objection = frame === undefined ? undefined : objectionTo(frame);
    return objection ?? { frame, weight: bytes.length + elements * elementBytes };
  } catch {
    return { code: 'frame-unreadable', reason: 'a frame is not what a gateway sends' };
  }
}

const tooLarge = { code: 'frame-too-large', reason: 'a frame holds more than a gateway sends at once' };

/** Of several frames in one the last counts, and each is decoded. */
function measured(bytes: Uint8Array): { isBatch: boolean; isPayload: boolean; elements: number } {
  const reader = new BinaryReader(bytes);
  const found = { isBatch: false, isPayload: false, elements: 0 };
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    found.elements += 1;
    found.isBatch ||= field === batchField;
    found.isPayload ||= field === payloadField;
    if (type !== WireType.LengthDelimited) {
      reader.skip(type, field);
      continue;
    }
    for (const end = reader.uint32() + reader.pos; reader.pos < end; ) {
      const [within, of] = reader.tag();
      const from = reader.pos;
      reader.skip(of, within);
      const packed = field === batchField && within === queuedAtField && of === WireType.LengthDelimited;
      found.elements += packed ? reader.pos - from : 1;
    }
  }
  return found;
}

function objectionTo(frame: Frame): Objection | undefined {
  switch (frame.$case) {
    case 'hello': {
      const { lanes } = frame.value;
      if (!lanes.every(({ lane }) => isLane(lane)) || hasTwice(lanes.map(({ lane }) => lane)))
        return laneUnknown;
      const isBehind = lanes.some(({ first }) => first > wireLimits.sequenceMax);
      return isBehind
        ? { code: 'sequence-unfit', reason: 'a sequence is higher than any can be' }
        : undefined;
    }
    case 'batch':
      return isLane(frame.value.lane) ? undefined : laneUnknown;
    case 'quarantine': {
      const fits = frame.value.entries.every(
        ({ id, recordHash }) => id !== '' && fitsKey(id) && recordHash.length <= wireLimits.hashCharactersMax,
      );
      return fits ? undefined : { code: 'name-unfit', reason: 'an id of an entry is empty or too long' };
    }
    default:
      return undefined;
  }
}

const laneUnknown = { code: 'lane-unknown', reason: 'there is no such lane, or it is named twice' };

function hasTwice(names: readonly string[]): boolean {
  return new Set(names).size < names.length;
}
