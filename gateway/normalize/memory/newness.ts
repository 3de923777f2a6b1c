/**
 * Which of two states of the same order or observation is the newer one. Never decided by rank: a
 * microbiology result may go from final back to preliminary.
 *
 *   issued     OBR-22 [HL7 7.4.1.22]; where there is none, MSH-7
 *   effective  OBX-14; where there is none, OBR-7
 *   analyzed   OBX-19, where both have it
 *   message    MSH-7
 *   sequence   the order in which the gateway took the records
 *
 * The first that differs decides. What is missing is filled in rather than passed over, because a resent
 * preliminary has a younger MSH-7 than the final one that came without OBR-22. So is what is known to the day
 * or the minute only: midnight would make a final of "today" older than the preliminary of this morning. A time
 * that stands twice on the clock (the end of summer time) or not at all decides nothing: it counts as missing.
 *
 * What one message says twice under one order (two OBR with the same number) are two things, and neither is
 * the newer one.
 */
import { hash } from 'node:crypto';
import { isFlaggedCritical } from '../../../proto/flag-words.ts';
import type { ClinicalEvent, ClinicalTime, Observation } from '../../../proto/gen/hilum/v1/event.ts';
import { tellsOfPatient } from '../../../proto/specimen-role.ts';
import { instantOf } from '../instant.ts';
import type { About } from './memory.ts';
import type { RememberedState } from './order-codec.ts';

export type DecidedBy = 'issued' | 'effective' | 'analyzed' | 'message' | 'sequence' | 'order';

/**
 * The newest state and what came before it: of a result its values, as many for each time of observation that was
 * settled, since these stand beside each other under one key; of an order every record that has said one.
 */
const statesMax = 4;
const statesOfTimesMax = 16;
export const previousMax = statesMax - 1;
/** Statuses of what is still to come: of whichever time it says, what is settled later may be it. */
export const undone: ReadonlySet<string> = new Set(['registered', 'preliminary', 'partial']);
const recordsMax = 8;
/** Value of an order that names no result: what it says goes for all of them. */
export const namesNone = '-';
/** A longer value is not kept, only told from others. */
const valueCharsMax = 64;

/** What the event says at this record. @param epoch 0 where the record's is that of the row */
export function stateOf(event: ClinicalEvent, about: About, epoch: bigint): RememberedState {
  const capturedMs = Number(about.capturedAtUs / 1000n);
  const message = millisecondsOf(event.times?.message) ?? capturedMs;
  return {
    sequence: Number(about.sequence),
    epoch,
    status: event.status,
    issuedMs: within(event.times?.issued, message, event.times?.message) ?? message,
    effectiveMs: 0,
    analyzedMs: 0,
    messageMs: message,
    capturedS: Math.floor(capturedMs / 1000),
    value: event.observations.length === 0 ? namesNone : '',
    digest: nothing,
    unit: '',
    effective: '',
    critical: false,
  };
}

/** What one observation of it says. @param report as the event says it */
export function stateOfResult(
  event: ClinicalEvent,
  report: RememberedState,
  observation: Observation,
): RememberedState {
  const effective = observation.effective ?? event.times?.observed;
  const message = event.times?.message;
  const collectedMs = millisecondsOf(event.times?.observed) ?? 0;
  const text = valueText(observation);
  const long = text.length > valueCharsMax;
  return {
    sequence: report.sequence,
    epoch: report.epoch,
    status: statusOf(event, observation),
    issuedMs: report.issuedMs,
    effectiveMs: within(observation.effective, collectedMs, message) ?? collectedMs,
    analyzedMs: isDate(observation.analyzed) ? 0 : (millisecondsOf(observation.analyzed) ?? 0),
    messageMs: report.messageMs,
    capturedS: report.capturedS,
    value: long ? '' : text,
    digest: long ? hash('sha256', text, 'buffer').subarray(0, 16) : nothing,
    unit: observation.unit,
    effective: effective?.value ?? '',
    critical: isCritical(event, observation),
  };
}

/** What is found in a control is no patient's, whatever its flags. */
function isCritical({ order }: ClinicalEvent, observation: Observation): boolean {
  return (observation.critical !== undefined || isFlaggedCritical(observation)) && tellsOfPatient(order);
}

/** An observation that says no status has that of its report. */
export function statusOf(event: ClinicalEvent, { status }: Observation): string {
  return status === 'unknown' || status === '' ? event.status : status;
}

/** Two things that one message says under one order. */
export function ofOneMessage(a: RememberedState, b: RememberedState): boolean {
  return (
    a.sequence === b.sequence &&
    a.epoch === b.epoch &&
    a.issuedMs === b.issuedMs &&
    a.messageMs === b.messageMs
  );
}

/** Positive where `a` is newer than `b`. */
export function newer(a: RememberedState, b: RememberedState): { by: DecidedBy; difference: number } {
  if (ofOneMessage(a, b)) return { by: 'sequence', difference: 0 };
  if (a.issuedMs !== b.issuedMs) return { by: 'issued', difference: a.issuedMs - b.issuedMs };
  if (a.effectiveMs !== b.effectiveMs) return { by: 'effective', difference: a.effectiveMs - b.effectiveMs };
  if (a.analyzedMs !== b.analyzedMs && a.analyzedMs !== 0 && b.analyzedMs !== 0) {
    return { by: 'analyzed', difference: a.analyzedMs - b.analyzedMs };
  }
  if (a.messageMs !== b.messageMs) return { by: 'message', difference: a.messageMs - b.messageMs };
  return { by: 'sequence', difference: a.sequence - b.sequence };
}

/** Some write the time of one observation to the second, and to the minute when they send it again. */
const minuteMs = 60_000;

/** Were they observed at different times? False where one does not say when. */
export function isAnotherTime(a: RememberedState, b: RememberedState): boolean {
  return isAnotherMoment(a.effectiveMs, b.effectiveMs);
}

/** Milliseconds; 0 is none. */
export function isAnotherMoment(a: number, b: number): boolean {
  return a !== 0 && b !== 0 && Math.abs(a - b) >= minuteMs;
}

/** Do both say the same, whenever they say it? What is final of another time is another result. */
export function sameSaying(a: RememberedState, b: RememberedState): boolean {
  return (
    !(a.status === 'final' && b.status === 'final' && isAnotherTime(a, b)) &&
    a.status === b.status &&
    a.value === b.value &&
    a.unit === b.unit &&
    (a.digest === b.digest || Buffer.compare(a.digest, b.digest) === 0)
  );
}

export interface Placed {
  /** The newest first, a few at most; the same array where nothing new was said. */
  states: readonly RememberedState[];
  /** Place of the state, or of the one that it repeats; `states.length` where it is older than all of them. */
  at: number;
}

/**
 * Puts the state of a result among those that are known. A repetition (the same said for the same times by another
 * record) and a record that was here before change nothing; the same said again later renews the place.
 */
export function place(known: readonly RememberedState[], state: RememberedState): Placed {
  const repeated = known.findIndex(
    (one) =>
      newer(one, state).by === 'sequence' &&
      (one.effectiveMs === state.effectiveMs || !ofOneMessage(one, state)) &&
      sameSaying(one, state),
  );
  if (repeated >= 0) return { states: known, at: repeated };
  const at = placeOf(known, state);
  const after = known[at];
  const before = known[at - 1];
  // Said once more before it was known to be said: nothing that a reader would want to see.
  if (isBehindMax(known, at, state) || (before !== undefined && sameSaying(before, state)))
    return { states: known, at };
  const again = after !== undefined && sameSaying(after, state) ? after : undefined;
  // Whoever heard that it was critical has not heard that it is not.
  const renewed = again?.critical === true && !state.critical ? { ...state, critical: true } : state;
  const states = [...known.slice(0, at), renewed, ...known.slice(again === undefined ? at : at + 1)];
  return { states: states.length > statesMax ? bounded(states, state) : states, at };
}

/** Is it older than all that are remembered of its time? */
function isBehindMax(known: readonly RememberedState[], at: number, state: RememberedState): boolean {
  if (at < statesMax) return false;
  return (
    at >= statesOfTimesMax || known.slice(0, at).filter((one) => isOfTime(one, state)).length >= statesMax
  );
}

/** Without the oldest one of the time that was told of. */
function bounded(states: readonly RememberedState[], state: RememberedState): RememberedState[] {
  let ofTime = 0;
  const kept = states.filter((one) => {
    if (isOfTime(one, state)) ofTime += 1;
    return ofTime <= statesMax || !isOfTime(one, state);
  });
  return kept.slice(0, statesOfTimesMax);
}

/** Settled at another time, it stands beside this one and is not forgotten for it. */
function isOfTime(one: RememberedState, state: RememberedState): boolean {
  if (undone.has(one.status)) return true;
  return (one.effectiveMs === 0) === (state.effectiveMs === 0) && !isAnotherTime(one, state);
}

/**
 * The same for the state of an order, by records: each of those that said the same may still wait somewhere when what
 * replaces them is told.
 */
export function placeRecord(known: readonly RememberedState[], state: RememberedState): Placed {
  const same = known.findIndex((one) => ofOneMessage(one, state) && sameSaying(one, state));
  if (same >= 0) return { states: known, at: same };
  const at = placeOf(known, state);
  if (at >= recordsMax) return { states: known, at };
  return { states: [...known.slice(0, at), state, ...known.slice(at)].slice(0, recordsMax), at };
}

function placeOf(known: readonly RememberedState[], state: RememberedState): number {
  const at = known.findIndex((one) => ofOneMessage(state, one) || newer(state, one).difference > 0);
  return at < 0 ? known.length : at;
}

export function valueText({ value, furtherValues, attachment, furtherAttachments }: Observation): string {
  // A pointer has no hash, and is its value.
  if (attachment !== undefined && attachment.hash !== '')
    return [attachment, ...furtherAttachments].map(({ hash }) => hash).join('~');
  return furtherValues.length === 0 ? value : [value, ...furtherValues].join('~');
}

/** Shorter than a second there is nothing that a sender leaves out. */
const widthsMs: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  month: 28 * 86_400_000,
  year: 365 * 86_400_000,
};

function isDate(time: ClinicalTime | undefined): boolean {
  return time !== undefined && time.value.length <= dateLength;
}

const dateLength = 10;

/**
 * The time as a moment: of what is not known to the second the one that is nearest to `byMs`.
 * @param sent a date has no offset of its own: it is of the sender's day
 */
function within(
  time: ClinicalTime | undefined,
  byMs: number,
  sent: ClinicalTime | undefined,
): number | undefined {
  const widthMs = time === undefined ? undefined : widthsMs[time.precision];
  if (time === undefined || widthMs === undefined) return millisecondsOf(time);
  const startMs = isDate(time)
    ? Date.parse(`${time.value}${'-01-01'.slice(time.value.length - 4)}T00:00:00${sent?.offset || 'Z'}`)
    : millisecondsOf(time);
  if (startMs === undefined || Number.isNaN(startMs)) return undefined;
  return Math.min(Math.max(startMs, byMs), startMs + widthMs - 1);
}

/** When a movement or a merge was entered; of a day or a minute alone the moment that is nearest to its message. */
export function enteredMs({ movement, times }: ClinicalEvent): number {
  const message = millisecondsOf(times?.message);
  const entered = movement?.recorded;
  return (
    (message === undefined ? millisecondsOf(entered) : within(entered, message, times?.message)) ??
    message ??
    0
  );
}

export function millisecondsOf(time: ClinicalTime | undefined): number | undefined {
  if (time === undefined || time.value === '' || time.ambiguity !== '') return undefined;
  // A time of day without an offset is of an unknown zone, the same for all of the source.
  const text = time.offset === '' && time.value.includes('T') ? `${time.value}Z` : time.value;
  // The results of a message have the same few times.
  if (text === parsed.text) return parsed.ms;
  if (text === parsedBefore.text) return parsedBefore.ms;
  const ms = instantOf(text);
  parsedBefore = parsed;
  parsed = { text, ms: Number.isNaN(ms) ? undefined : ms };
  return parsed.ms;
}

interface Parsed {
  text: string;
  ms: number | undefined;
}

let parsed: Parsed = { text: '', ms: undefined };
let parsedBefore = parsed;

const nothing = new Uint8Array(0);
