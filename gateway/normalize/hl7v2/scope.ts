/** What reading one message needs beside its bytes, and what it leaves for the provenance. */
import type { Attachment, ClinicalTime } from '../../../proto/gen/hilum/v1/event.ts';
import type { NormalizeContext } from '../outcome.ts';
import type { Segment } from './message.ts';
import type { At } from './owners.ts';

export interface Scope {
  context: NormalizeContext;
  /** MSH-7's offset, +01:00, the default of the message's times; empty where it has none, or the source has a zone. */
  offset: string;
  /** The day of the message, YYYY-MM-DD, that its times are held against; empty until it is known. */
  day: string;
  /** Fields that could not be read as their type, with their place; never content. Each with whom it is told of. */
  remarks: Map<string, At[]>;
  /** Places with content that no rule looks at, each with whom it is told of. */
  unread: Map<string, At[]> | undefined;
  /** The message is of a device's alarm. */
  ofAlarm?: boolean;
  /** What is being read. */
  at: At;
  /** Code tables that fired. */
  rules: string[];
  /** The times read last, the newest at the end: a report and its rows mostly repeat them. */
  times: KnownTime[];
  /** What was sent of each file, where there is one. */
  files: Map<Attachment, SentFile> | undefined;
}

/** A time and the bytes of the message that say it. */
export interface KnownTime {
  start: number;
  end: number;
  time: ClinicalTime;
}

export interface SentFile {
  readonly data: string;
  /** How it was read; what names no encoding and begins as no file does may be the piece of one. */
  readonly encoding: string;
  /** A remark of what is wrong with it, unless it is a piece of one; where it was found. */
  readonly broken: string;
  readonly at: At;
}

const remarksMax = 100;

export function remark(scope: Scope, text: string, at = scope.at): void {
  note(scope.remarks, remarksMax, text, at);
}

function note(to: Map<string, At[]>, max: number, text: string, at: At): void {
  const known = to.get(text);
  if (known === undefined) {
    if (to.size < max) to.set(text, [at]);
  } else if (known.at(-1) !== at) known.push(at);
}

const unreadMax = 500;

/** @param place of the segment: `19` a field, `4[2]` further repetitions of it, `11.17` a component */
export function unread({ message: { scope }, name }: Segment, place: string): void {
  scope.unread ??= new Map();
  note(scope.unread, unreadMax, `${name}-${place}`, scope.at);
}

/** What stands behind the first repetition of a field that has one value. */
export function furtherUnread(segment: Segment, field: number, end: number): void {
  if (end < segment.end(field) && segment.repeats(field)) unread(segment, `${field}[2]`);
}

/** A field for a remark; of a result with the set id of its row, which tells it from the others. */
export function place(segment: Segment, field: number): string {
  const row = segment.name === 'OBX' ? segment.text(1) : '';
  return /^\d{1,6}$/.test(row) ? `${segment.name}[${row}]-${field}` : `${segment.name}-${field}`;
}

/** Of remarks and of unread places: each with every one that it is told of. */
export function toldOf(notes: Map<string, At[]> | undefined): (readonly [text: string, at: At])[] {
  const told: (readonly [string, At])[] = [];
  if (notes !== undefined && notes.size > 0)
    for (const [text, places] of notes) for (const at of places) told.push([text, at]);
  return told;
}

export function fired(scope: Pick<Scope, 'rules'>, rule: string): void {
  if (!scope.rules.includes(rule)) scope.rules.push(rule);
}
