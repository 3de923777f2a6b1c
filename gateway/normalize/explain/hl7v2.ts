/**
 * The places of an HL7 v2 message: its fields, and in them repetitions, components and
 * subcomponents. `OBX[3]-5.1` is the first component of OBX-5 in the third OBX, `PID-3[2].4.2` the
 * second subcomponent of the fourth component of the second repetition; what there is only one of
 * has no number. MSH-1 and MSH-2 say how to read the message and are no values of it.
 */
import { normalizeHl7v2 } from '../hl7v2/index.ts';
import type { Message, Segment } from '../hl7v2/message.ts';
import { scopeOf } from '../hl7v2/normalize.ts';
import { scan } from '../hl7v2/scanner.ts';
import type { NormalizeContext } from '../outcome.ts';
import { otherText, otherTexts, type Place } from './places.ts';

export interface Hl7v2Places {
  /** The message that the places belong to: the one given, or its copy in UTF-8. */
  raw: Uint8Array;
  places: Place[];
}

/** `raw` is one message; undefined where it cannot be scanned. */
export function placesOfHl7v2(raw: Uint8Array, context: NormalizeContext): Hl7v2Places | undefined {
  const scanned = scanOne(raw, context);
  if (scanned === undefined) return undefined;
  const message = scanned.charset.walked ? scanOne(inUtf8(scanned), context) : scanned;
  if (message === undefined) return undefined;
  const read = new Set<string>();
  normalizeHl7v2(message.bytes, context, (segment, field) => read.add(`${segment.line}-${field}`));
  const counts = new Map<string, number>();
  for (const { name } of message.segments) counts.set(name, (counts.get(name) ?? 0) + 1);
  const seen = new Map<string, number>();
  const places: Place[] = [];
  for (const segment of message.segments) {
    const nth = (seen.get(segment.name) ?? 0) + 1;
    seen.set(segment.name, nth);
    const name = (counts.get(segment.name) ?? 0) > 1 ? `${segment.name}[${nth}]` : segment.name;
    for (let field = segment.name === 'MSH' ? 3 : 1; field <= segment.count; field++) {
      if (segment.start(field) >= segment.end(field)) continue;
      places.push(fieldPlace(segment, field, `${name}-${field}`, read.has(`${segment.line}-${field}`)));
    }
  }
  return { raw: message.bytes, places };
}

function fieldPlace(segment: Segment, field: number, location: string, read: boolean): Place {
  const { message } = segment;
  const [start, end] = [segment.start(field), segment.end(field)];
  const leaves = within(message, start, end, location);
  const only = leaves.length === 1 ? leaves[0] : undefined;
  const place = (at: Stretch, parts: Place[]): Place => ({
    location: at.location,
    text: message.chars.slice(at.start, at.end) === '""' ? '""' : message.text(at.start, at.end),
    changed: () =>
      otherTexts(message.chars.slice(at.start, at.end)).map((other) => replaced(message, [at], () => other)),
    blanked: () => replaced(message, [at], () => ''),
    read,
    parts,
  });
  if (only !== undefined) return place(only, []);
  return {
    ...place({ location, start, end }, []),
    changed: () => [replaced(message, leaves, otherText)],
    parts: leaves.map((leaf) => place(leaf, [])),
  };
}

interface Stretch {
  location: string;
  start: number;
  end: number;
}

/** The stretches that hold text between two delimiters, at any level. */
function within(message: Message, start: number, end: number, location: string): Stretch[] {
  const { repetition, component, subcomponent } = message.by;
  const found: Stretch[] = [];
  const levels: readonly [number, (to: string, nth: number) => string][] = [
    [repetition, (to, nth) => `${to}[${nth}]`],
    [component, (to, nth) => `${to}.${nth}`],
    [subcomponent, (to, nth) => `${to}.${nth}`],
  ];
  const split = (level: number, from: number, to: number, name: string): void => {
    const [separator, named] = levels[level] ?? [0, undefined];
    if (named === undefined) {
      if (to > from) found.push({ location: name, start: from, end: to });
      return;
    }
    const mark = String.fromCharCode(separator);
    const several = message.chars.slice(from, to).includes(mark);
    for (let at = from, nth = 1; at <= to; nth++) {
      const next = message.chars.indexOf(mark, at);
      const stop = next < 0 || next > to ? to : next;
      split(level + 1, at, stop, several ? named(name, nth) : name);
      at = stop + 1;
    }
  };
  split(0, start, end, location);
  return found;
}

/** The message with other text at these stretches, which are in its order. */
function replaced(message: Message, stretches: readonly Stretch[], by: (text: string) => string): Buffer {
  const { bytes, chars } = message;
  const parts: Buffer[] = [];
  let done = 0;
  for (const { start, end } of stretches) {
    parts.push(bytes.subarray(done, start), Buffer.from(by(chars.slice(start, end)), 'latin1'));
    done = end;
  }
  parts.push(bytes.subarray(done));
  return Buffer.concat(parts);
}

function scanOne(raw: Uint8Array, context: NormalizeContext): Message | undefined {
  const scanned = scan(raw, scopeOf(context));
  return 'code' in scanned ? undefined : scanned;
}

/** A message that is walked by characters has been brought to UTF-8; here it says so itself. */
function inUtf8(message: Message): Buffer {
  const header = message.segments[0];
  if (header === undefined) return message.bytes;
  const missing = Math.max(0, 18 - header.count);
  const [start, end] =
    missing === 0 ? [header.start(18), header.end(18)] : [header.end(header.count), header.end(header.count)];
  const separators = String.fromCharCode(message.by.field).repeat(missing);
  return replaced(message, [{ location: '', start, end }], () => `${separators}UNICODE UTF-8`);
}
