/** What must hold of any bytes: events or a reason, the same again, and nothing lost between writing and reading. */
import { createHash } from 'node:crypto';
import { understand } from '../../gateway/meaning.ts';
import { BackWriter } from '../../proto/back-writer.ts';
import { toBundleText } from '../../proto/fhir/bundle.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { writeClinicalEvent } from '../../proto/gen/hilum/v1/event-writer.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import type { Reading } from './inputs.ts';

export interface Checked {
  /** What does not hold, '' where all does; begins with a word for its kind. */
  readonly fault: string;
  /** The code of the reject, `events`, or both. */
  readonly outcome: string;
  /** Of all that came out. */
  readonly digest: string;
  readonly bytesOut: number;
}

const writer = new BackWriter();
/** The projection and the JSON form of thousands of events say nothing that a few do not. */
const projectedMax = 20;

export function check(bytes: Uint8Array, reading: Reading): Checked {
  let first: ReturnType<typeof run>;
  try {
    const before = digestOf(bytes);
    first = run(bytes, reading);
    if (digestOf(bytes) !== before) return failed('altered: the bytes of the record are not what they were');
  } catch (error) {
    return failed(`throw: ${told(error)}`);
  }
  const { made, encoded, digest } = first;
  const outcome = [made.events.length > 0 ? 'events' : '', made.reject?.code ?? ''].filter(Boolean).join('+');
  const bytesOut = encoded.reduce((sum, one) => sum + one.length, 0);
  const result = (fault: string): Checked => ({ fault, outcome, digest, bytesOut });
  if (made.reject?.code === 'mapping-failed' && !isMeter(made.reject.reason, bytes))
    return result(`throw: ${made.reject.reason}`);
  if (outcome === '') return result('silent: neither events nor a reason');
  if (made.reject !== undefined && made.reject.reason === '')
    return result('silent: a reject without a reason');
  try {
    if (run(bytes, reading).digest !== digest) return result('unsteady: the same bytes gave something else');
    for (const [at, event] of made.events.slice(0, projectedMax).entries()) {
      const fault = readBack(event, encoded[at] as Buffer);
      if (fault !== '') return result(`${fault} (event ${at + 1} of ${made.events.length}, ${event.kind})`);
    }
  } catch (error) {
    return result(`throw: ${told(error)}`);
  }
  return result('');
}

/** A template may look at so many values of one payload, and no more: only a large one has them. */
function isMeter(reason: string, bytes: Uint8Array): boolean {
  return (
    bytes.length > 256 * 1024 && /^The payload template "[^"]*" was too much for this payload/.test(reason)
  );
}

function run(bytes: Uint8Array, { meaning, source, protocol, topic }: Reading) {
  const record = JournalRecord.fromPartial({ source, protocol, topic, capturedAtUs: 1_795_000_000_000_000n });
  // fromPartial copies; the mapping gets a view, as it does in the worker.
  record.raw = bytes as typeof record.raw;
  const made = understand(record, meaning, 1n);
  for (const event of made.events) meaning.routes(event);
  const encoded = made.events.map(encode);
  const hash = createHash('sha256');
  for (const one of encoded) hash.update(one);
  hash.update(JSON.stringify([made.lane, made.reject, made.unmapped, made.critical]));
  return { made, encoded, digest: hash.digest('hex') };
}

function encode(event: ClinicalEvent): Buffer {
  writer.clear();
  writeClinicalEvent(writer, event);
  return Buffer.from(writer.since(0));
}

/** What the worker writes is what the reference writes and reads, in both forms. */
function readBack(event: ClinicalEvent, bytes: Buffer): string {
  if (!bytes.equals(ClinicalEvent.encode(event).finish())) return 'encode: other bytes than the reference';
  const text = JSON.stringify(ClinicalEvent.toJSON(event));
  const read = ClinicalEvent.decode(bytes);
  if (JSON.stringify(ClinicalEvent.toJSON(read)) !== text) return 'decode: another event than was encoded';
  if (!bytes.equals(encode(ClinicalEvent.fromJSON(JSON.parse(text)))))
    return 'json: another event from its JSON';
  JSON.parse(toBundleText(event));
  return '';
}

function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const at = /\bat .*?((?:gateway|proto)\/\S+?\.[jt]s:\d+)/.exec(error.stack ?? '')?.[1] ?? '';
  return `${error.name}: ${error.message.slice(0, 200)} ${at}`.trim();
}

function failed(fault: string): Checked {
  return { fault, outcome: '', digest: '', bytesOut: 0 };
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}
