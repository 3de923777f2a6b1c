/**
 * Status as a state machine: per order, and per observation within it. An event says which earlier state it
 * replaces; one that is older than what is known says so and changes nothing that is newer.
 *
 * One row an order holds both, because what an order's messages say arrives together: one row is read and
 * written for each order of a message, however many results it has.
 *
 *   order        the source and its number [order-texts.ts], by whichever of the two it was named [order-rows.ts], and
 *                which of those that go by that number it is [which-order.ts]
 *   observation  OBX-3 and OBX-4, and of equals OBX-14, else its place among them (lines of a text) [result-keys.ts]
 *
 * Of several codings the first one names it, and one whose codings were swapped is found by the others.
 *
 * An order without a number is not followed: two without one could be anything. A number that is used
 * again for another patient is another order, and nothing is said of what was there before.
 */
import type {
  ClinicalEvent,
  Observation,
  RecordPosition,
  Supersession,
} from '../../../proto/gen/hilum/v1/event.ts';
import { isWithdrawn } from '../../../proto/withdrawn.ts';
import { historyRow, lookIn, reachFrom, standFor } from './identity-history.ts';
import type { About, MemoryRule, Need, Recall } from './memory.ts';
import {
  type DecidedBy,
  isAnotherTime,
  namesNone,
  newer,
  ofOneMessage,
  place,
  placeRecord,
  previousMax,
  sameSaying,
  stateOf,
  stateOfResult,
  undone,
} from './newness.ts';
import type { OrderMemory, RememberedState } from './order-codec.ts';
import { isElsewhere, orderRow, recalled, tellElsewhere, textsOf } from './order-rows.ts';
import { isFinding, resultKeys } from './result-keys.ts';
import { isUnusual, overrules } from './transitions.ts';
import { isNamed, namesOf, ordersOf, tellPlacer, withOrder } from './which-order.ts';
import { areOfSeveral, isOther, patientOf, withAuthority } from './whose-order.ts';

/** Observations of one order that are followed one by one; those after them share the order's state. */
const observationsMax = 200;
const identifiersMax = 8;

export const status: MemoryRule = {
  name: 'status',
  needs(event, about): readonly Need[] {
    return textsOf(event, about).map((text) => ({ kind: orderRow, text }));
  },
  /** What it goes by elsewhere, and whether the patient that the order was under has been merged into this one. */
  follow(event, about, recall): readonly Need[] {
    const elsewhere = textsOf(event, about).flatMap((text) => {
      const row = recall.find(orderRow, text);
      return row !== undefined && isElsewhere(row) ? [{ kind: orderRow, text: row.placer }] : [];
    });
    const patient = patientOf(event);
    const others = ordersOf(recalled(event, about, recall)?.row)
      .filter((one, _, { length }) => {
        if (!isNamed(one.placer, namesOf(event))) return false;
        return patient.length === 0 ? length > 1 : isOther(one.patient, patient, about);
      })
      .flatMap((one) => reachFrom(one.patient, lookIn(recall)));
    return [...elsewhere, ...others.map((text) => ({ kind: historyRow, text }))];
  },
  apply(event, about, recall) {
    const found = recalled(event, about, recall);
    if (found === undefined) return;
    const { text } = found;
    let { row } = found;
    const names = namesOf(event);
    const patient = patientOf(event);
    const known = ordersOf(row);
    const whose = (one: OrderMemory) => standFor(one.patient, lookIn(recall));
    const isOthers = (one: OrderMemory) => isOther(whose(one), patient, about);
    const named = known.filter((one) => isNamed(one.placer, names));
    const all = named.filter((one) => !isOthers(one));
    if (all.length === 0 && known.length > 0) {
      if ((named.length > 0 ? named : known).every(isOthers))
        event.provenance?.remarks.push('the order number was used for another patient');
      else tellPlacer(event);
    }
    // It is followed as little as an order without a number: taken for one of them it might end the wrong patient's.
    if (patient.length === 0 && areOfSeveral(all.map(whose), about)) {
      event.provenance?.remarks.push(
        'the order number is of several patients, and the message names none of them',
      );
      return;
    }
    // A report that names none is of the first; a request that does not say what for is of all of them.
    const meant = event.kind === 'observation' ? all.slice(0, 1) : all;
    let isLate = meant.length > 0;
    for (const one of meant.length === 0 ? [undefined] : meant) {
      const ownEpoch = one === undefined || one.epoch === about.epoch ? 0n : about.epoch;
      const now = merged(one, patient, event, about, stateOf(event, about, ownEpoch));
      isLate &&= event.superseded;
      const [name = ''] = event.superseded || now.placer !== '' ? [now.placer] : names;
      if (now !== one || name !== now.placer) row = withOrder(row, one, { ...now, placer: name });
    }
    event.superseded = isLate;
    if (meant.length > 1) event.supersessions = distinct(event.supersessions);
    if (row !== undefined && (row !== found.row || found.isElsewhere)) recall.set(orderRow, text, row);
    tellElsewhere(event, about, recall, found);
    if (event.supersessions.length > 0) event.provenance?.rules.push('memory/status');
  },
};

/** What the event's order is known by; undefined without a number. Under another name it is another order. */
export function orderText(event: ClinicalEvent, about: About, recall: Recall): string | undefined {
  const found = recalled(event, about, recall);
  if (found === undefined) return undefined;
  const names = namesOf(event);
  const { row, text } = found;
  return row === undefined || isNamed(row.placer, names) ? text : `${text}\n${names[0]}`;
}

function distinct(supersessions: readonly Supersession[]): Supersession[] {
  const said = new Map(
    supersessions.map((one) => [`${one.what} ${one.record?.epoch}.${one.record?.sequence}`, one]),
  );
  return [...said.values()];
}

/** The row with what the event says; marks the event on the way. The same row where nothing new was said. */
function merged(
  known: OrderMemory | undefined,
  patient: readonly string[],
  event: ClinicalEvent,
  about: About,
  own: RememberedState,
): OrderMemory {
  if (known === undefined) return firstSaid(patient, event, about, own);
  const row = known;
  const mark = { event, about, epoch: row.epoch };
  const report = follow(row.states, own, 'order', mark);
  const observations = new Map(row.observations.map((one) => [one.key, one.states as Followed['states']]));
  let changed = report.states !== row.states;
  const named = new Set<string>();
  const results = event.kind === 'observation' ? event.observations : [];
  const keys = resultKeys(results, timesOf(row.observations));
  for (const [at, observation] of results.entries()) {
    const key = keys[at];
    if (key === undefined) continue;
    const what = `observations[${at}]`;
    named.add(key);
    const before = observations.get(key);
    const state = stateOfResult(event, own, observation);
    const followed = follow(before ?? [], state, what, mark);
    const isFollowed = before !== undefined || observations.size < observationsMax;
    const { newest } = report;
    // Where the result itself was known from another record, its own times have decided, unless the order's newest
    // report names no result: a cancellation is said once, for all of them. Of a result that is not followed by
    // itself nothing better is known than what is known of its order.
    const isAlone =
      followed.states.length === 1 && (before === undefined || before[0]?.sequence === state.sequence);
    const byOrder =
      newest !== undefined &&
      followed.newest === undefined &&
      (!isFollowed || ((isAlone || newest.value === namesNone) && overrules(newest.status, state.status)));
    if (byOrder) event.supersessions.push(supersession(what, newest, state, 'order', mark));
    observation.superseded = byOrder || followed.newest !== undefined;
    addPrevious(observation, what, followed, state, mark);
    if (followed.states !== before && isFollowed) {
      observations.set(key, followed.states);
      changed = true;
    }
  }
  const isLate = report.newest !== undefined;
  if (!isLate && settled.has(own.status)) remarkLeft(event, observations, named);
  if (!isLate && results.length === 0 && isWithdrawn(own.status)) tellCritical(event, observations);
  const found = results.filter(isFinding);
  event.superseded = found.length > 0 ? found.every((one) => one.superseded) : isLate;
  const [first, second] = isLate ? [row.patient, patient] : [patient, row.patient];
  const identifiers = withAuthority([...new Set([...first, ...second])], about).slice(0, identifiersMax);
  if (!changed && areSame(identifiers, row.patient)) return row;
  return {
    epoch: row.epoch,
    patient: identifiers,
    states: [...report.states],
    observations: [...observations].map(([key, states]) => ({ key, states: [...states] })),
    placer: row.placer,
    others: row.others,
  };
}

function areSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text) => other.includes(text));
}

function timesOf(observations: OrderMemory['observations']): Map<string, string> {
  return new Map(observations.map(({ key, states: [newest] }) => [key, newest?.effective ?? '']));
}

const settled = new Set(['final', 'corrected']);

/**
 * A report that is final and shorter than the one before: what it does not name any more was not withdrawn, and stays
 * as it was, but nobody will make it final either.
 */
function remarkLeft(
  event: ClinicalEvent,
  observations: ReadonlyMap<string, Followed['states']>,
  named: ReadonlySet<string>,
): void {
  let left = 0;
  for (const [key, [newest]] of observations) {
    if (!named.has(key) && newest !== undefined && undone.has(newest.status)) left += 1;
  }
  if (left === 0) return;
  event.provenance?.remarks.push(
    `results of earlier reports that are not final and not in this one: ${left}`,
  );
}

/** A withdrawal that names no result is of all of them. */
function tellCritical(
  { supersessions }: ClinicalEvent,
  observations: ReadonlyMap<string, Followed['states']>,
): void {
  const [replaced] = supersessions;
  if (replaced === undefined || replaced.thisIsSuperseded) return;
  for (const [newest] of observations.values()) if (newest?.critical === true) replaced.critical = true;
}

/** Nothing is known of the order: nothing is replaced, and all of it is new. */
function firstSaid(
  patient: readonly string[],
  event: ClinicalEvent,
  about: About,
  own: RememberedState,
): OrderMemory {
  const observations: OrderMemory['observations'][number][] = [];
  if (event.kind === 'observation') {
    const keys = resultKeys(event.observations);
    for (const [at, observation] of event.observations.entries()) {
      if (observations.length === observationsMax) break;
      const key = keys[at];
      if (key === undefined) continue;
      observations.push({ key, states: [stateOfResult(event, own, observation)] });
    }
  }
  return {
    epoch: about.epoch,
    patient: patient.slice(0, identifiersMax),
    states: [own],
    observations,
    placer: '',
    others: [],
  };
}

interface Followed {
  states: readonly RememberedState[];
  /** States before the one in hand, the newest first. */
  earlier: readonly RememberedState[];
  /** What is newer than it: the newest. */
  newest: RememberedState | undefined;
}

interface Mark {
  event: ClinicalEvent;
  about: About;
  /** Of the states that do not say another one. */
  epoch: bigint;
}

/** Puts the state among the known ones and says on the event what that means. */
function follow(
  known: readonly RememberedState[],
  state: RememberedState,
  what: string,
  mark: Mark,
): Followed {
  const { states, at } = what === 'order' ? placeRecord(known, state) : place(known, state);
  const isOther = (one: RememberedState) => !ofOneMessage(one, state) && isOfSame(one, state, states);
  const newest = at === 0 ? undefined : states.slice(0, at).find(isOther);
  const earlier = at + 1 >= states.length ? nothing : states.slice(at + 1).filter(isOther);
  const [before] = earlier;
  if (newest !== undefined) {
    mark.event.supersessions.push(supersession(what, newest, state, newer(newest, state).by, mark));
  } else if (before !== undefined && states[at]?.sequence === state.sequence && !isEcho(known, state)) {
    // Of the order all that are remembered: what is urgent may arrive before any of them.
    for (const one of what === 'order' ? earlier : [before]) {
      const replaced = supersession(what, one, state, newer(state, one).by, mark);
      if (one === before && isUnusual(one.status, state.status)) replaced.statusFlag = 'unusual-transition';
      replaced.thisIsSuperseded = false;
      replaced.critical = one.critical;
      mark.event.supersessions.push(replaced);
    }
  }
  return { states, earlier, newest };
}

const nothing: readonly RememberedState[] = [];

/**
 * Are both about the same result? The hours of a tolerance test come under one number and one code, in a message each,
 * and so do the results of days where a laboratory counts anew every day: two that are final and were observed at
 * different times are two results, and what is said later is of the one of its time. As long as there is one, another
 * time is taken for the same time put right. A preliminary of a time that none was final for is of any of them.
 */
function isOfSame(one: RememberedState, state: RememberedState, states: readonly RememberedState[]): boolean {
  if (!isAnotherTime(one, state)) return true;
  const finals = [...states, state].filter(({ status: said }) => said === 'final');
  if (!finals.some((a) => isAnotherTime(a, finals[0] as RememberedState))) return true;
  const older = newer(one, state).difference > 0 ? state : one;
  return undone.has(older.status) && older === state && finals.every((a) => isAnotherTime(a, older));
}

/** What was said before, said again later: that replaces nothing. */
function isEcho([current]: readonly RememberedState[], state: RememberedState): boolean {
  return current !== undefined && current.sequence !== state.sequence && sameSaying(current, state);
}

function supersession(
  what: string,
  other: RememberedState,
  { status: toStatus }: RememberedState,
  decidedBy: DecidedBy,
  mark: Mark,
): Supersession {
  return {
    what,
    record: positionOf(other, mark),
    status: other.status,
    thisIsSuperseded: true,
    decidedBy,
    statusFlag: '',
    toStatus,
    critical: false,
  };
}

/** Earlier values of the same observation, from the newest on. */
function addPrevious(
  observation: Observation,
  what: string,
  followed: Followed,
  state: RememberedState,
  mark: Mark,
): void {
  if (followed.earlier.length === 0) return;
  const limitS = mark.about.enrichment?.previousS ?? 0;
  const earlier = followed.earlier.filter((one) => one.value !== '' && ageS(one, state) <= limitS);
  const [newest] = earlier;
  if (newest === undefined) return;
  const { source } = mark.about;
  observation.previous = earlier.slice(0, previousMax).map((one) => ({
    value: one.value,
    unit: one.unit,
    status: one.status,
    effective: one.effective,
    record: positionOf(one, mark),
    source,
    ageS: BigInt(ageS(one, state)),
    otherOrder: false,
  }));
  const record = positionOf(newest, mark);
  mark.event.enriched.push({ path: `${what}.previous`, source, ageS: BigInt(ageS(newest, state)), record });
}

/** Captured after what follows it: it came late. */
function ageS(earlier: RememberedState, state: RememberedState): number {
  return Math.max(0, state.capturedS - earlier.capturedS);
}

function positionOf({ epoch, sequence }: RememberedState, mark: Mark): RecordPosition {
  return { epoch: epoch === 0n ? mark.epoch : epoch, sequence: BigInt(sequence) };
}
