/**
 * Where a message says the HL7 null `""`: the sender asks to delete what was known [HL7 2.5.3].
 * A location is SEG-field, with the segment's number among its kind where there are several
 * (OBX[3]-5), the repetition's where the field repeats (PID-5[2]), and component and subcomponent
 * where there are further ones beside it (PID-11.1, PID-3[1].4.2).
 */
import type { Message, Segment } from './message.ts';

const locationsMax = 1000;

export function nullsOf(message: Message): string[] {
  return nullsIn(message).map(([location]) => location);
}

/** Each with the line of its segment. */
export function nullsIn(message: Message): (readonly [location: string, line: number])[] {
  const { chars } = message;
  let at = chars.indexOf('""');
  if (at < 0) return [];
  const found: (readonly [string, number])[] = [];
  const names = new Map<string, number>();
  for (const { name } of message.segments) names.set(name, (names.get(name) ?? 0) + 1);
  const numbers = new Map<string, number>();
  for (const segment of message.segments) {
    const number = (numbers.get(segment.name) ?? 0) + 1;
    numbers.set(segment.name, number);
    if (segment.count === 0) continue;
    const end = segment.end(segment.count);
    while (at >= 0 && at < segment.start(1)) at = chars.indexOf('""', at + 1);
    const several = (names.get(segment.name) ?? 0) > 1;
    for (; at >= 0 && at < end; at = chars.indexOf('""', at + 1)) {
      const place = placeOf(message, segment, at);
      if (place === '') continue;
      if (found.length === locationsMax) return found;
      found.push([`${segment.name}${several ? `[${number}]` : ''}-${place}`, segment.line]);
    }
    if (at < 0) break;
  }
  return found;
}

/** Empty where the two quotes are part of a text. */
function placeOf(message: Message, segment: Segment, at: number): string {
  const { chars, by } = message;
  let field = 1;
  while (field < segment.count && segment.end(field) < at) field++;
  let [from, to] = [segment.start(field), segment.end(field)];
  let place = String(field);
  if (at < from || at + 2 > to) return '';
  // What MSH-2 names are the separators themselves.
  if (segment.name === 'MSH' && field < 3) return '';
  for (const separator of [by.repetition, by.component, by.subcomponent]) {
    const part = partAt(chars, from, to, at, separator);
    if (part.count > 1) {
      place += separator === by.repetition ? `[${part.number}]` : `.${part.number}`;
    } else if (separator === by.component && subcomponents(chars, from, to, by.subcomponent)) {
      place += '.1';
    }
    [from, to] = [part.from, part.to];
  }
  return from === at && to === at + 2 ? place : '';
}

function subcomponents(chars: string, from: number, to: number, separator: number): boolean {
  const at = chars.indexOf(String.fromCharCode(separator), from);
  return at >= 0 && at < to;
}

interface Part {
  number: number;
  count: number;
  from: number;
  to: number;
}

/** The part of a stretch that an offset lies in, and how many there are. */
function partAt(chars: string, start: number, end: number, at: number, separator: number): Part {
  const part = { number: 1, count: 1, from: start, to: end };
  for (let index = start; index < end; index++) {
    if (chars.charCodeAt(index) !== separator) continue;
    part.count++;
    if (index < at) {
      part.number++;
      part.from = index + 1;
    } else if (part.to === end) part.to = index;
  }
  return part;
}
