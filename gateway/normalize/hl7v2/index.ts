/**
 * HL7 v2 → canonical events. Never throws: bad data is a reject with its reason, and so is a
 * fault of ours, because a record must reach quarantine rather than stop the pipeline.
 */
import { wireLimits } from '../../../proto/limits.ts';
import {
  mappingFailed,
  type NormalizeContext,
  type Normalized,
  type Reject,
  rejected,
  tooManyEvents,
} from '../outcome.ts';
import { normalizeAlone, normalizeMessage, type Watch } from './normalize.ts';
import { headerOnly, opensMessage, split, withoutTail } from './split.ts';

/** Messages of one record that are named where they are refused. */
const refusedMax = 100;
/** [HL7 2.14.9.10] has 199; what is longer is no name. */
const controlIdMax = 256;

export function normalizeHl7v2(raw: Uint8Array, context: NormalizeContext, watch?: Watch): Normalized {
  try {
    return normalizeRecord(raw, context, watch);
  } catch (error) {
    return { events: [], reject: mappingFailed('The mapping failed on this message', error) };
  }
}

function normalizeRecord(raw: Uint8Array, context: NormalizeContext, watch?: Watch): Normalized {
  // Most records are one message and nothing else, which the scan sees as it goes.
  if (raw[0] === 77 && opensMessage(raw, 0)) {
    const made = normalizeAlone(withoutTail(raw), context, watch);
    if (made !== undefined) return made;
  }
  const { messages, preamble, batch, batches } = split(fromUtf16(raw));
  if (preamble) {
    return rejected('no-msh', 'The record does not begin with an MSH segment.');
  }
  const [only] = messages;
  if (only === undefined) {
    if (batch) return rejected('nothing-in-it', 'The batch has no message in it.');
    return rejected('no-msh', 'The record has no MSH segment.');
  }
  // Each message that is understood is an event.
  if (messages.length > wireLimits.recordEventsMax) return { events: [], reject: tooManyEvents };
  if (messages.length === 1) return told(normalizeMessage(only, context, watch), batches.remarksOf(0));
  const whole: Normalized = { events: [] };
  const delivered: number[] = [];
  const refused: string[] = [];
  let repeated = false;
  messages.forEach((message, index) => {
    // A header alone before the next header is that header sent twice, not a message.
    if (index + 1 < messages.length && headerOnly(message)) {
      repeated = true;
      return;
    }
    if (context.delivered?.includes(index + 1) === true) {
      repeated = false;
      return;
    }
    const one = told(normalizeMessage(message, context, watch), batches.remarksOf(index));
    // One of which a part was refused comes again as a whole: better twice than never.
    if (one.reject === undefined && one.events.length > 0) delivered.push(index + 1);
    if (repeated) for (const event of one.events) event.provenance?.remarks.push('MSH: sent twice');
    repeated = false;
    whole.events.push(...one.events);
    if (one.reject === undefined) return;
    whole.reject ??= numbered(one.reject, index + 1, messages.length);
    const controlId = controlIdOf(message);
    if (controlId !== '' && refused.length < refusedMax) refused.push(controlId);
  });
  if (whole.reject !== undefined) {
    whole.delivered = delivered;
    if (refused.length > 0) whole.reject.controlIds = refused;
  }
  return whole;
}

function told(made: Normalized, remarks: readonly string[]): Normalized {
  if (remarks.length > 0) for (const event of made.events) event.provenance?.remarks.push(...remarks);
  return made;
}

/** MSH-10 as sent; of a message that was refused, which may be no message at all. */
function controlIdOf(message: Uint8Array): string {
  const end = message.findIndex((byte) => byte === 13 || byte === 10);
  const header = Buffer.from(message.subarray(0, end < 0 ? undefined : end)).toString('latin1');
  const controlId = header.split(header.charAt(3), 10)[9] ?? '';
  return controlId.length > controlIdMax ? '' : controlId;
}

/** The messages of a record, as they are read one by one, and what is remarked of each as a part of its batch. */
export function messagesOf(raw: Uint8Array): { raw: Uint8Array; remarks: readonly string[] }[] {
  const { messages, batches } = split(fromUtf16(raw));
  return messages.map((message, index) => ({ raw: message, remarks: batches.remarksOf(index) }));
}

function numbered(reject: Reject, at: number, of: number): Reject {
  return { code: reject.code, reason: `Message ${at} of ${of}: ${reject.reason}` };
}

/** Files and HTTP may bring UTF-16, which its byte order mark shows. */
function fromUtf16(raw: Uint8Array): Uint8Array {
  const little = raw[0] === 0xff && raw[1] === 0xfe;
  if (!little && !(raw[0] === 0xfe && raw[1] === 0xff)) return raw;
  const text = new TextDecoder(little ? 'utf-16le' : 'utf-16be').decode(raw);
  return Buffer.from(text, 'utf8');
}
