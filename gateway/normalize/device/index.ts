/** Device payloads: JSON over MQTT, by the payload templates of the source, else in the built-in vitals shape. */
import { type NormalizeContext, type Normalized, rejected } from '../outcome.ts';
import type { Json } from './json.ts';
import { JsonError, JsonTooLarge, readJson } from './json.ts';
import { fromTemplates } from './payload.ts';
import { deviceLimits, fromVitals } from './vitals-shape.ts';

/** Pure; never throws. */
export function normalizeDevice(raw: Uint8Array, context: NormalizeContext): Normalized {
  if (raw.length === 0) return rejected('nothing-in-it', 'The payload is empty.');
  if (raw.length > deviceLimits.bytesMax) return rejected('too-large', 'The payload is over 4 MiB.');
  let payload: Json;
  try {
    payload = readJson(new TextDecoder('utf-8', { fatal: true }).decode(raw)); // takes a byte order mark away
  } catch (error) {
    if (error instanceof JsonTooLarge) return rejected('too-large', `${error.message}.`);
    const reason = error instanceof JsonError ? error.message : 'bytes that are not UTF-8';
    return rejected('unreadable', `Not JSON text: ${reason}.`);
  }
  const templates = context.payloads ?? [];
  if (templates.length === 0) return fromVitals(payload, context);
  const made = fromTemplates(payload, templates, context);
  if ('events' in made) return made;
  const vitals = fromVitals(payload, context);
  if (vitals.reject?.code !== 'not-understood') return vitals;
  const names = templates.map(({ name }) => name).join(', ');
  const failed = made.failed.join(', ');
  const condition =
    failed && ` The \`when\` of ${failed} could not be worked out (a text that is no number?).`;
  const reason = `No payload template (${names}) took it.${condition} ${vitals.reject.reason}`;
  return { ...vitals, reject: { ...vitals.reject, reason } };
}
