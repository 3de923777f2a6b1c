/**
 * The history of identifiers, and how an identifier is followed through it. The gateway runs this over its
 * memory, the control plane over its table of persons: both give the same link for the same steps.
 *
 *   A ──merge──► B ──merge──► C      an event under A: said [A], surviving [C], merge = the first record,
 *                                    further = [the second]
 *
 * Each identifier has a row with the steps that name it, on either side. It is retired by the newest step
 * that has it on the `from` side, unless that was undone. A merge that would lead back to what it retires is
 * refused, so that every walk ends; the walk bounds itself all the same.
 */
import {
  type ClinicalEvent,
  Identifier,
  type IdentityConflict,
  type IdentityLink,
  type RecordPosition,
} from '../../../proto/gen/hilum/v1/event.ts';
import { IdentifierHistory, type IdentityStep } from '../../../proto/gen/hilum/v1/identity.ts';
import { idText, otherOf, type Step, saidOf, type What, whats } from './identity-steps.ts';
import type { Recall, RowKind } from './memory.ts';

/** Merges after each other; a longer chain is followed up to here, and says so. */
const hopsMax = 12;
const stepsMax = 64;
const daysKept = 3650;

export const historyRow: RowKind<IdentifierHistory> = {
  number: 16,
  keepS: daysKept * 86_400,
  lasts: true,
  encode: (row) => IdentifierHistory.encode(row).finish(),
  decode: (bytes) => IdentifierHistory.decode(bytes),
};

/** The last of each, for the same reason as in `idText`. */
const texts: Record<What, { id: string; text: string }> = {
  patient: { id: '', text: 'patient|' },
  account: { id: '', text: 'account|' },
  visit: { id: '', text: 'visit|' },
};

export function historyText(what: What, identifier: Identifier): string {
  const id = idText(identifier);
  if (texts[what].id !== id) texts[what] = { id, text: `${what}|${id}` };
  return texts[what].text;
}

/** Rows by `historyText`; undefined where there is none, or it was not asked for. */
export type Look = (text: string) => IdentifierHistory | undefined;
export type Put = (text: string, row: IdentifierHistory) => void;

/** Rows that nobody named are not there: nothing leads to them. */
export function lookIn(recall: Recall): Look {
  return (text) => recall.find(historyRow, text);
}

/** What the event's steps do to the rows; what they contradict comes back. */
export function applySteps(steps: readonly Step[], look: Look, put: Put): IdentityConflict[] {
  const conflicts: IdentityConflict[] = [];
  for (const one of steps) {
    const { what, step } = one;
    const joins = retires(step) && step.into.length > 0;
    const circle = joins ? leadsTo(what, step, look) : undefined;
    if (circle !== undefined) {
      conflicts.push(conflict('merge-circle', step, step.from[0], circle));
      continue;
    }
    for (const identifier of step.from) {
      const row = look(historyText(what, identifier));
      const before = joins ? retirement(row, identifier) : undefined;
      if (
        before !== undefined &&
        !samePosition(before.record, step.record) &&
        !isAgreed(what, before, step, look)
      )
        conflicts.push(conflict('merge-again', step, identifier, before));
      const undoing = undoneAlready(row, step);
      if (undoing !== undefined) conflicts.push(conflict('merge-undone', step, identifier, undoing));
    }
    write(one, look, put);
  }
  return conflicts;
}

/** The same as another one did it, in whatever order it comes here. @param refused what was found there */
export function repeatSteps(
  steps: readonly Step[],
  refused: readonly IdentityConflict[],
  look: Look,
  put: Put,
): void {
  const circles = refused.filter(({ field }) => field === 'merge-circle');
  for (const one of steps) {
    const [first] = one.step.from;
    if (
      !circles.some(({ identifier }) => identifier !== undefined && meets([identifier], first ? [first] : []))
    )
      write(one, look, put);
  }
}

/** Into the rows of both sides, at the step's place. A step that was unlinked before it came is undone at once. */
function write({ what, step }: Step, look: Look, put: Put): void {
  for (const identifier of [...step.from, ...step.into]) {
    const text = historyText(what, identifier);
    const row = look(text) ?? { steps: [] };
    if (row.steps.some((one) => isSame(one, step))) continue;
    const undoneBy = undoneAlready(row, step)?.record;
    const placed = bounded(row.steps, undoneBy === undefined ? step : { ...step, undoneBy }, identifier);
    put(text, { steps: step.action === unlink ? placed.map((one) => undoneByThis(one, step)) : placed });
  }
}

const unlink = 'unlink';

/** Neither a link nor its end: it retires, or moves. */
function retires({ action }: IdentityStep): boolean {
  return action !== 'link' && action !== unlink;
}

/** A37: every older step between the two patients is undone, whoever was retired into whom. */
function undoneByThis(one: IdentityStep, step: IdentityStep): IdentityStep {
  const undone =
    one.undoneBy === undefined && one.action !== unlink && between(one, step) && isAfter(step, one);
  return undone ? { ...one, undoneBy: step.record } : one;
}

/** The unlink that is newer than this step, or was said later: what is sent again from before it joins nobody. */
function undoneAlready(row: IdentifierHistory | undefined, step: IdentityStep): IdentityStep | undefined {
  if (row === undefined || step.action === unlink) return undefined;
  return row.steps.find(
    (one) =>
      one.action === unlink &&
      between(step, one) &&
      (isAfter(one, step) || (step.saidMs > 0 && one.saidMs > step.saidMs)),
  );
}

function between({ from, into }: IdentityStep, { from: one, into: other }: IdentityStep): boolean {
  return (meets(from, one) && meets(into, other)) || (meets(from, other) && meets(into, one));
}

/** By their records; over epochs by the time of capture. */
function isAfter(one: IdentityStep, other: IdentityStep): boolean {
  const [a, b] = [one.record, other.record];
  if (a === undefined || b === undefined || a.epoch !== b.epoch) return one.atUs > other.atUs;
  return a.sequence > b.sequence;
}

/** Texts of the rows that following the event's identifiers wants, as far as `look` knows by now. */
export function reach(event: ClinicalEvent, look: Look): string[] {
  const wanted = new Set<string>();
  for (const what of whats) {
    walk(what, [...saidOf(event, what), ...otherOf(event, what)], (text, identifier) => {
      wanted.add(text);
      return retirement(look(text), identifier)?.into ?? [];
    });
  }
  return [...wanted];
}

/** The same for patients by their `idText`. */
export function reachFrom(texts: readonly string[], look: Look): string[] {
  const wanted: string[] = [];
  walkPatients(texts, look, (text) => wanted.push(text));
  return wanted;
}

/** The `idText` of these patients and of everybody whom they were merged into. */
export function standFor(texts: readonly string[], look: Look): string[] {
  const found: string[] = [];
  walkPatients(texts, look, (_text, identifier) => found.push(idText(identifier)));
  return found;
}

/** These patients, those that were merged as whom they were merged into. */
export function endsOf(identifiers: readonly Identifier[], look: Look): Identifier[] {
  const ends: Identifier[] = [];
  walk('patient', identifiers, (text, identifier) => {
    const into = retirement(look(text), identifier)?.into ?? [];
    if (into.length === 0) ends.push(identifier);
    return into;
  });
  return ends;
}

function walkPatients(
  texts: readonly string[],
  look: Look,
  seen: (text: string, identifier: Identifier) => void,
): void {
  const identifiers = texts.map((text) => {
    const at = text.indexOf('|');
    return Identifier.create({ system: text.slice(0, at), value: text.slice(at + 1) });
  });
  walk('patient', identifiers, (text, identifier) => {
    seen(text, identifier);
    return retirement(look(text), identifier)?.into ?? [];
  });
}

export interface Followed {
  links: IdentityLink[];
  /** A chain was longer than is followed. */
  cut: boolean;
}

/** What became of the identifiers that the event was sent under. */
export function follow(event: ClinicalEvent, look: Look): Followed {
  const followed: Followed = { links: [], cut: false };
  for (const what of whats) {
    for (const identifier of saidOf(event, what)) {
      const row = look(historyText(what, identifier));
      if (row === undefined) continue;
      const step = retirement(row, identifier);
      if (step !== undefined) addLink(followed, linkThrough(what, identifier, step, look, followed));
      for (const one of row.steps) {
        if (one.action === 'link' && one.undoneBy === undefined)
          addLink(followed, linkOf(what, identifier, one));
      }
    }
  }
  return followed;
}

/**
 * The record that undid this step of the identifier, where one did; also where it undid a later step that had
 * replaced this one: what was replaced does not come back.
 */
export function undoing(
  row: IdentifierHistory | undefined,
  identifier: Identifier,
  merge: RecordPosition | undefined,
): RecordPosition | undefined {
  const step = row?.steps.find(({ record }) => samePosition(record, merge));
  if (step === undefined || step.undoneBy !== undefined || step.action === 'link') return step?.undoneBy;
  return lastOf(row, identifier)?.undoneBy;
}

/** What retired or moved the identifier last; nothing where that was undone: what it had replaced does not come back. */
export function retirement(
  row: IdentifierHistory | undefined,
  identifier: Identifier,
): IdentityStep | undefined {
  const last = lastOf(row, identifier);
  return last?.undoneBy === undefined ? last : undefined;
}

function lastOf(row: IdentifierHistory | undefined, identifier: Identifier): IdentityStep | undefined {
  return row?.steps.findLast((step) => retires(step) && meets(step.from, [identifier]));
}

/** Each identifier once, level by level; `visit` says what it leads to. True where there was more than is followed. */
function walk(
  what: What,
  first: readonly Identifier[],
  visit: (text: string, identifier: Identifier) => readonly Identifier[],
): boolean {
  const seen = new Set<string>();
  let level = first;
  for (let hop = 0; hop <= hopsMax && level.length > 0; hop += 1) {
    const next: Identifier[] = [];
    for (const identifier of level) {
      const text = historyText(what, identifier);
      if (seen.has(text)) continue;
      seen.add(text);
      next.push(...visit(text, identifier));
    }
    level = next;
  }
  return level.length > 0;
}

/** The link of a retired or moved identifier to what stands for it now. */
function linkThrough(
  what: What,
  said: Identifier,
  first: IdentityStep,
  look: Look,
  followed: Followed,
): IdentityLink {
  const link = linkOf(what, said, first);
  const cut = walk(what, first.into, (text, identifier) => {
    const step = retirement(look(text), identifier);
    if (step === undefined || step.into.length === 0) link.surviving.push(identifier);
    if (step === undefined) return [];
    const { record } = step;
    const isKnown = [link.merge, ...link.further].some((one) => samePosition(one, record));
    if (record !== undefined && !isKnown) link.further.push(record);
    if (step.patient.length > 0) link.patient = step.patient;
    return step.into;
  });
  // The last that are known, rather than none.
  if (link.surviving.length === 0) link.surviving = first.into;
  followed.cut ||= cut;
  return link;
}

function linkOf(what: What, said: Identifier, step: IdentityStep): IdentityLink {
  const isLink = step.action === 'link';
  const other = meets(step.from, [said]) ? step.into : step.from;
  return {
    what,
    said: [said],
    kind: step.action,
    surviving: [],
    patient: step.patient,
    linked: isLink ? other : [],
    merge: step.record,
    trigger: step.trigger,
    source: step.source,
    atUs: step.atUs,
    further: [],
    addedAtCentre: false,
    undoneBy: undefined,
  };
}

/** Identifiers that one record retired together have one link. */
function addLink({ links }: Followed, link: IdentityLink): void {
  const same = links.find(
    (one) =>
      one.what === link.what &&
      one.kind === link.kind &&
      samePosition(one.merge, link.merge) &&
      sameIds(one.surviving, link.surviving),
  );
  if (same === undefined) links.push(link);
  else same.said.push(...link.said);
}

/** The step by which what the new one merges into is itself merged into what it retires. */
function leadsTo(what: What, { from, into }: IdentityStep, look: Look): IdentityStep | undefined {
  let found: IdentityStep | undefined;
  walk(what, into, (text, identifier) => {
    const step = found === undefined ? retirement(look(text), identifier) : undefined;
    if (step !== undefined && meets(step.into, from)) found = step;
    return step?.into ?? [];
  });
  return found;
}

/** Was it merged into one of the same before, or into what leads there? */
function isAgreed(what: What, before: IdentityStep, { into }: IdentityStep, look: Look): boolean {
  if (meets(before.into, into) || before.into.length === 0) return true;
  return (
    leadsTo(what, { ...before, from: into }, look) !== undefined ||
    leadsTo(what, { ...before, into, from: before.into }, look) !== undefined
  );
}

function conflict(
  field: string,
  step: IdentityStep,
  identifier: Identifier | undefined,
  other: IdentityStep,
): IdentityConflict {
  return { field, identifier, record: step.record, other: other.record, otherSource: other.source };
}

/** At its place. What names the identifier only as the surviving one goes first, then the oldest. */
function bounded(steps: readonly IdentityStep[], step: IdentityStep, identifier: Identifier): IdentityStep[] {
  const before = steps.findLastIndex((one) => !isAfter(one, step)) + 1;
  const placed = [...steps.slice(0, before), step, ...steps.slice(before)];
  if (placed.length <= stepsMax) return placed;
  const at = Math.max(
    0,
    placed.findIndex((one) => one !== step && !meets(one.from, [identifier])),
  );
  return [...placed.slice(0, at), ...placed.slice(at + 1)];
}

function isSame(one: IdentityStep, step: IdentityStep): boolean {
  return (
    samePosition(one.record, step.record) && sameIds(one.from, step.from) && sameIds(one.into, step.into)
  );
}

export function samePosition(one: RecordPosition | undefined, other: RecordPosition | undefined): boolean {
  return (
    one !== undefined && other !== undefined && one.epoch === other.epoch && one.sequence === other.sequence
  );
}

function meets(some: readonly Identifier[], others: readonly Identifier[]): boolean {
  return some.some((one) => others.some((other) => idText(one) === idText(other)));
}

export function sameIds(some: readonly Identifier[], others: readonly Identifier[]): boolean {
  return some.length === others.length && some.every((one) => meets([one], others));
}
