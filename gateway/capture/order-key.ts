/**
 * Whose record this is, as a number: the patient (or device) that order is kept for. Found in the
 * bytes like the urgency guess, and only good for "may these two be of one patient": different patients can share
 * a number, one patient cannot have two through the same source, as long as the source names the identifier first
 * that it always names first.
 */
import type { RecordDraft } from './intake.ts';

const patientSegments = ['PID', 'MRG'].map((name) => Buffer.from(name));
const [carriageReturn, lineFeed] = [0x0d, 0x0a];

/** None where nobody is named: such a record is in nobody's way. */
export function orderKeysOf({ protocol, source, raw, topic, client }: RecordDraft): number[] {
  if (protocol === 'mqtt') return [hashOf(hashText(offset, `${source}\0${client ?? ''}`), topic ?? '')];
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const seed = hashText(offset, source);
  // A batch may have a hundred thousand patients.
  const keys = new Set<number>();
  for (const name of patientSegments) {
    for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 3)) {
      const before = bytes[at - 1];
      if (before !== carriageReturn && before !== lineFeed) continue;
      const separator = bytes[at + 3] as number;
      // The identifier is in PID-3, and in MRG-1: a merge is in the way of both patients.
      const key = identifierHash(bytes, at + 3, separator, name === patientSegments[0] ? 3 : 1, seed);
      if (key !== 0) keys.add(key);
    }
  }
  return [...keys];
}

/** Letters and digits up to the first delimiter: CX-1 of the first repetition, whatever the delimiters are. */
function identifierHash(bytes: Buffer, from: number, separator: number, field: number, seed: number): number {
  let at = from;
  for (let left = field; left > 0; at += 1) {
    const byte = bytes[at];
    if (byte === undefined || byte === carriageReturn || byte === lineFeed) return 0;
    if (byte === separator) left -= 1;
  }
  let hash = seed;
  const start = at;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === separator || byte === carriageReturn || byte === lineFeed) break;
    if (byte === 0x5e || byte === 0x7e || byte === 0x26) break;
    hash = step(hash, byte);
  }
  return at === start ? 0 : hash >>> 0 || 1;
}

/** FNV-1a, 32 bits. */
const offset = 0x811c9dc5;

function step(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

function hashText(seed: number, text: string): number {
  let hash = seed;
  for (let at = 0; at < text.length; at += 1) hash = step(hash, text.charCodeAt(at));
  return hash;
}

function hashOf(seed: number, text: string): number {
  return hashText(seed, text) >>> 0 || 1;
}
