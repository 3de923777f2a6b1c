/** What reading one message needs beside its bytes, and what it leaves for the provenance. */
import type { Attachment, ClinicalTime } from '../../../proto/gen/hilum/v1/event.ts';
import type { NormalizeContext } from '../outcome.ts';
import type { Segment } from './message.ts';
import type { At, Told } from './owners.ts';

export interface Scope {
  context: NormalizeContext;
  /** MSH-7's offset, +01:00, the default of the message's times; empty where it has none, or the source has a zone. */
  offset: string;
  /** The day of the message, YYYY-MM-DD, that its times are held against; empty until it is known. */
  day: string;
  /** Fields that could not be read as their type, with their place; never content. Each with whom it is told of. */
  remarks: Notes | undefined;
  /** Places with content that no rule looks at, each with whom it is told of. */
  unread: Notes | undefined;
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

/** Texts, each with everyone that it is told of. */
interface Notes {
  readonly texts: Map<string, At[]>;
  /** How often any of them is told of anyone. */
  told: number;
}

const remarksMax = 100;
const unreadMax = 500;
/** Five for each of the segments that a message may have: every row of a long report could say the same hundreds of times. */
const toldMax = 50_000;

export function remark(scope: Scope, text: string, at = scope.at): void {
  scope.remarks ??= noNotes();
  note(scope.remarks, remarksMax, text, at);
}

function noNotes(): Notes {
  return { texts: new Map(), told: 0 };
}

function note(to: Notes, max: number, text: string, at: At): void {
  if (to.told === toldMax) return;
  const known = to.texts.get(text);
  if (known === undefined) {
    if (to.texts.size === max) return;
    to.texts.set(text, [at]);
  } else if (known.at(-1) === at) return;
  else known.push(at);
  to.told++;
}

/** @param place of the segment: `19` a field, `4[2]` further repetitions of it, `11.17` a component */
export function unread({ message: { scope }, name }: Segment, place: string): void {
  scope.unread ??= noNotes();
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
export function toldOf(notes: Notes | undefined): Told[] {
  const told: Told[] = [];
  if (notes !== undefined)
    for (const [text, places] of notes.texts) for (const at of places) told.push([text, at]);
  return told;
}

export function fired(scope: Pick<Scope, 'rules'>, rule: string): void {
  if (!scope.rules.includes(rule)) scope.rules.push(rule);
}
