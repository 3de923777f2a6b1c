/**
 * Status as a state machine: per order, and per observation within it. An event says which earlier state it
 * replaces; one that is older than what is known says so and changes nothing that is newer.
 *
 * One row an order holds both, because what an order's messages say arrives together: one row is read and
 * written for each order of a message, however many results it has.
 *
 *   order        the source and its own number (results: filler, else placer; requests: placer, else filler),
 *                with OBR-4 and the result that it hangs from, because one number may stand over several reports; and of
 *                several placer's numbers each is another order [placers.ts]
 *   observation  OBX-3 and OBX-4, and of equals OBX-14, else its place among them (lines of a text) [result-keys.ts]
 *
 * Of several codings the first one names it, and one whose codings were swapped is found by the others.
 *
 * An order without a number is not followed: two without one could be anything. A number that is used
 * again for another patient begins anew, and nothing is said of what was there before.
 */
import type {
  ClinicalEvent,
  Observation,
  RecordPosition,
  Supersession,
} from '../../../proto/gen/hilum/v1/event.ts';
import { currentIdentifiers } from './identity.ts';
import { historyRow, lookIn, reachFrom, standFor } from './identity-history.ts';
import { idText, patientIdentifiers } from './identity-steps.ts';
import type { About, MemoryRule, Need, Recall, RowKind } from './memory.ts';
import {
  type DecidedBy,
  namesNone,
  newer,
  ofOneMessage,
  place,
  sameSaying,
  stateOf,
  stateOfResult,
} from './newness.ts';
import { decodeOrder, encodeOrder, type OrderMemory, type RememberedState } from './order-codec.ts';
import { orderTexts } from './order-texts.ts';
import { isOfPlacer, ofPlacer, placerOf, tellPlacer, withOrder } from './placers.ts';
import { isFinding, resultKeys } from './result-keys.ts';
import { isUnusual, overrules } from './transitions.ts';

const daysKept = 90;
/** Observations of one order that are followed one by one; those after them share the order's state. */
const observationsMax = 200;
const identifiersMax = 8;

export const orderRow: RowKind<OrderMemory> = {
  number: 1,
  keepS: daysKept * 86_400,
  lasts: false,
  encode: encodeOrder,
  decode(bytes) {
    try {
      return decodeOrder(bytes);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  },
};

export const status: MemoryRule = {
  name: 'status',
  needs(event, about): readonly Need[] {
    return orderTexts(event, about).map((text) => ({ kind: orderRow, text }));
  },
  /** Whether the patient that the order was under has been merged into this one. */
  follow(event, about, recall): readonly Need[] {
    const text = rowText(event, about, recall);
    const row = text === undefined ? undefined : recall.get(orderRow, text);
    const known = ofPlacer(row, placerOf(event)) ?? row;
    if (known === undefined || !isOther(known.patient, patientOf(event))) return [];
    return reachFrom(known.patient, lookIn(recall)).map((one) => ({ kind: historyRow, text: one }));
  },
  apply(event, about, recall) {
    const text = rowText(event, about, recall);
    if (text === undefined) return;
    const row = recall.get(orderRow, text);
    const placer = placerOf(event);
    const known = ofPlacer(row, placer);
    const patient = patientOf(event);
    const ownEpoch = known === undefined || known.epoch === about.epoch ? 0n : about.epoch;
    const own = stateOf(event, about, ownEpoch);
    const before = known ?? row;
    if (before !== undefined && isOther(standFor(before.patient, lookIn(recall)), patient)) {
      event.provenance?.remarks.push('the order number was used for another patient');
      const [current] = known?.states ?? [];
      if (current === undefined || newer(own, current).difference > 0) {
        const anew = merged(undefined, patient, event, about, { ...own, epoch: 0n });
        recall.set(orderRow, text, withOrder(row, known, { ...anew, placer }));
      }
      return;
    }
    if (row !== undefined && !isOfPlacer(row, placer)) tellPlacer(event);
    const now = merged(known, patient, event, about, own);
    const isNamed = now.placer === '' && placer !== '';
    if (now !== known || isNamed)
      recall.set(orderRow, text, withOrder(row, known, isNamed ? { ...now, placer } : now));
    if (event.supersessions.length > 0) event.provenance?.rules.push('memory/status');
  },
};

/** What the event's order is known by; undefined without a number. Of another placer's number it is another order. */
export function orderText(event: ClinicalEvent, about: About, recall: Recall): string | undefined {
  const text = rowText(event, about, recall);
  const row = text === undefined ? undefined : recall.find(orderRow, text);
  const placer = placerOf(event);
  return row === undefined || isOfPlacer(row, placer) ? text : `${text}\n${placer}`;
}

/**
 * A sender that swaps the codings of OBR-4 means the same order: of those that it may be known by it is the first that
 * is known, else the first.
 */
function rowText(event: ClinicalEvent, about: About, recall: Recall): string | undefined {
  const texts = orderTexts(event, about);
  return texts.length < 2
    ? texts[0]
    : (texts.find((text) => recall.find(orderRow, text) !== undefined) ?? texts[0]);
}

/** As the message names the patient, and as merges do by now. What people share or mistype (SSN) only where there is nothing else. */
function patientOf(event: ClinicalEvent): string[] {
  const own = patientIdentifiers(event.patient);
  const said = (own.length > 0 ? own : (event.patient?.identifiers ?? [])).map(idText);
  const all = event.identityLinks.length === 0 ? said : [...said, ...currentIdentifiers(event)];
  return all.length < 2 ? all : [...new Set(all)];
}

function isOther(known: readonly string[], said: readonly string[]): boolean {
  return known.length > 0 && said.length > 0 && !said.some((one) => known.includes(one));
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
  const found = results.filter(isFinding);
  event.superseded = found.length > 0 ? found.every((one) => one.superseded) : isLate;
  const [first, second] = isLate ? [row.patient, patient] : [patient, row.patient];
  const identifiers = [...new Set([...first, ...second])].slice(0, identifiersMax);
  if (!changed && identifiers.length === row.patient.length) return row;
  return {
    epoch: row.epoch,
    patient: identifiers,
    states: [...report.states],
    observations: [...observations].map(([key, states]) => ({ key, states: [...states] })),
    placer: row.placer,
    others: row.others,
  };
}

function timesOf(observations: OrderMemory['observations']): Map<string, string> {
  return new Map(observations.map(({ key, states: [newest] }) => [key, newest?.effective ?? '']));
}

const settled = new Set(['final', 'corrected']);
const open = new Set(['registered', 'preliminary', 'partial']);

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
    if (!named.has(key) && newest !== undefined && open.has(newest.status)) left += 1;
  }
  if (left === 0) return;
  event.provenance?.remarks.push(
    `results of earlier reports that are not final and not in this one: ${left}`,
  );
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
  const { states, at } = place(known, state);
  const isOther = (one: RememberedState) => !ofOneMessage(one, state);
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
      mark.event.supersessions.push(replaced);
    }
  }
  return { states, earlier, newest };
}

const nothing: readonly RememberedState[] = [];

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
  observation.previous = earlier.map((one) => ({
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
