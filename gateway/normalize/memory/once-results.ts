/**
 * The same result by two feeds. What is compared is one event: a report with all of its observations.
 *
 *   filler        number, in the words of whoever assigned it
 *   specimen      identifiers, type and site of each
 *   code          OBR-4, OBR-26, OBX-3 and OBX-4 of each observation, in their order: the LOINC coding, sent or
 *                 mapped, where there is one, else the first as sent
 *   time          OBR-7, OBR-8, OBR-22, OBX-14: as moments, with their precision
 *   status        OBR-25 and OBX-11, as the event says them
 *   value         values and units
 *   interpretation, notes, patient, class
 *
 * All equal is a repeat, or the authoritative feed's own word. Anything else is another statement: both stay, and
 * the later one names the nearest of each other feed and what differs. What a sender does not say equals only what
 * the other does not say either; patients differ where no identifier is in common, and where the one that would be
 * left out names one and the other does not. What replaces more than the other did is no repeat [once-effect.ts].
 *
 * Codes and authorities that belong to their source [normalize/identity.ts] are compared without it: that the feeds
 * bring the same is what the config says. A feed is never compared with itself: what it says again is its status'
 * business [status.ts].
 */
import { hash } from 'node:crypto';
import { loincSystem } from '../../../proto/code-systems.ts';
import type {
  ClinicalEvent,
  ClinicalTime,
  Code,
  Identifier,
  Once,
  Specimen,
} from '../../../proto/gen/hilum/v1/event.ts';
import { type FeedSaying, FeedsMemory } from '../../../proto/gen/hilum/v1/journal.ts';
import { currentIdentifiers } from './identity.ts';
import { patientIdentifiers } from './identity-steps.ts';
import type { About, Recall, RowKind } from './memory.ts';
import { millisecondsOf, statusOf, valueText } from './newness.ts';
import { overtookOwn, replacedBy, replacesMore, tellReplaced } from './once-effect.ts';
import { both, isMoreUrgent, link, mark, placeOf, samePlace, short, union } from './once-mark.ts';
import type { OnceRules } from './once-rules.ts';

const daysKept = 30;
/** Of one filler number; the oldest are forgotten, and what would repeat them passes. */
const sayingsMax = 64;
const patientMax = 8;
const replacedMax = 16;

export const feedsRow: RowKind<FeedsMemory> = {
  number: 2,
  keepS: daysKept * 86_400,
  lasts: false,
  encode: (row) => FeedsMemory.encode(row).finish(),
  decode: (bytes) => FeedsMemory.decode(bytes),
};

/** Undefined where nothing could be the same: no feed, no result, no filler number. */
export function feedsText({ kind, order }: ClinicalEvent, { feeds }: OnceRules): string | undefined {
  const number = order?.filler?.value ?? '';
  if (feeds === undefined || kind !== 'observation' || number === '') return undefined;
  return `${feeds.name}\n${number}`;
}

/** What the event is beside those of other feeds; the row remembers it. */
export function onceResult(
  event: ClinicalEvent,
  about: About,
  rules: OnceRules,
  recall: Recall,
): Once | undefined {
  const text = feedsText(event, rules);
  if (text === undefined || rules.feeds === undefined) return undefined;
  const rows = recall.get(feedsRow, text)?.sayings ?? [];
  const place = placeOf(event, about);
  const said = sayingOf(event, about, rules);
  const { feeds } = rules;
  const before = rows.find((one) => samePlace(one, place));
  if (before !== undefined && saysTheSame(before, said)) {
    tellAgain(event, before, feeds.authority(event), rows);
    return before.once;
  }
  const known = before === undefined ? rows : rows.filter((one) => one !== before);
  const heard = known.filter(
    ({ source, once, replaced }) =>
      source !== about.source && feeds.sources.has(source) && !replaced && once?.role !== 'repeat',
  );
  const speaker = {
    source: about.source,
    authority: heard.length === 0 ? undefined : feeds.authority(event),
  };
  const isAuthority = speaker.authority === about.source;
  const replaces = replacedBy(event);
  const others = heard.map((saying) => {
    const differs = differences(said, saying, isAuthority);
    if (differs.length === 0 && !isAuthority && replacesMore(replaces, saying, speaker, known))
      differs.push('supersedes');
    return { saying, differs };
  });
  const same = others.filter(({ differs }) => differs.every((one) => isAuthority && one === 'class'));
  const overtaker = isAuthority ? same.find(({ saying }) => overtookOwn(event, saying, known)) : undefined;
  const takesOver = isAuthority && overtaker === undefined;
  const meant = takesOver ? same : overtaker === undefined ? same.slice(0, 1) : [overtaker];
  const sayings = meant.map(({ saying }) => saying);
  const rule = `results.${feeds.name}`;
  if (sayings.length > 0) {
    const role = takesOver ? 'effective' : 'repeat';
    const links = sayings.map((one) => link(one));
    said.once = mark(rule, role, links);
  } else said.once = beside(rule, others);
  if (said.once?.role !== 'repeat')
    said.supersedes = tellReplaced(event, said, sayings, speaker, known).slice(0, replacedMax);
  // Where it goes may depend on what it is beside the others.
  event.once = said.once;
  said.destinations = rules.destinationsOf(event);
  if (said.once !== undefined && sayings.length > 0) {
    // One that is more urgent than what went there is news.
    const had = meant
      .filter(({ differs }) => differs.length === 0)
      .flatMap(({ saying }) => saying.destinations);
    said.once.heldBack = both(said.destinations, had);
    said.destinations = union(had, said.destinations);
  }
  const { destinations } = said;
  const after = known.map((one) => {
    if (!sayings.includes(one)) return one;
    return takesOver ? { ...one, replaced: true } : { ...one, destinations };
  });
  recall.set(feedsRow, text, { sayings: [said, ...after].slice(0, sayingsMax) });
  return said.once;
}

/** As it was told when it came first, whatever came after it. */
function tellAgain(
  event: ClinicalEvent,
  before: FeedSaying,
  authority: string | undefined,
  rows: readonly FeedSaying[],
): void {
  if (before.once?.role === 'repeat') return;
  const earlier = rows.slice(rows.indexOf(before) + 1);
  const links = before.once?.role === 'effective' ? before.once.links : [];
  const inPlaceOf = earlier.filter((one) => links.some((to) => samePlace(one, to)));
  tellReplaced(event, before, inPlaceOf, { source: before.source, authority }, earlier);
}

interface Other {
  saying: FeedSaying;
  differs: string[];
}

/** Nothing is the same; undefined where no other feed has said anything. */
function beside(rule: string, others: readonly Other[]): Once | undefined {
  const nearest = nearestOfEach(others);
  if (nearest.length === 0) return undefined;
  const role = nearest.some(({ differs }) => isConflict(differs)) ? 'conflict' : 'linked';
  return mark(
    rule,
    role,
    nearest.map(({ saying, differs }) => link(saying, differs)),
  );
}

/** Of each feed the one that differs in least; of several the newest. */
function nearestOfEach(others: readonly Other[]): Other[] {
  const nearest = new Map<string, Other>();
  for (const one of others) {
    const best = nearest.get(one.saying.source);
    if (best === undefined || one.differs.length < best.differs.length) nearest.set(one.saying.source, one);
  }
  return [...nearest.values()];
}

const found: ReadonlySet<string> = new Set(['value', 'interpretation', 'notes']);

/** The same result, and other words for what was found. */
function isConflict(differs: readonly string[]): boolean {
  return differs.some((one) => found.has(one)) && differs.every((one) => one === 'class' || found.has(one));
}

/** In the order of FeedSaying.parts. */
const parts = ['filler', 'specimen', 'code', 'time', 'status', 'value', 'interpretation', 'notes'] as const;

/** @param isAuthority the one in hand would stand in place of the other, and not the other way round */
function differences(said: FeedSaying, other: FeedSaying, isAuthority: boolean): string[] {
  const differs: string[] = parts.filter((_, at) => !sameBytes(said.parts[at], other.parts[at]));
  const [names, otherNames] = [said.patient.length > 0, other.patient.length > 0];
  const isLost = isAuthority ? otherNames && !names : names && !otherNames;
  // One that the local destinations had without a patient is none that they could file.
  const isNew = isAuthority && names && !otherNames;
  const isOther = names && otherNames && both(said.patient, other.patient).length === 0;
  if (isLost || isNew || isOther) differs.unshift('patient');
  if (isMoreUrgent(said.class, other.class)) differs.push('class');
  return differs;
}

/** A record that is normalized once more says so, unless another config reads it in another way. */
function saysTheSame(before: FeedSaying, said: FeedSaying): boolean {
  return before.parts.length === said.parts.length && differences(said, before, true).length === 0;
}

function sameBytes(one: Uint8Array = nothing, other: Uint8Array = nothing): boolean {
  return Buffer.compare(one, other) === 0;
}

function sayingOf(event: ClinicalEvent, about: About, rules: OnceRules): FeedSaying {
  const { source } = about;
  const said = textsOf(event, source);
  const { record, index } = placeOf(event, about);
  return {
    record,
    index,
    source,
    parts: parts.map((part) => digest(said[part])),
    class: rules.classOf(event),
    destinations: [],
    once: undefined,
    replaced: false,
    patient: patientOf(event),
    supersedes: [],
    status: event.status,
  };
}

const nothing = new Uint8Array(0);
const digestBytes = 16;

/** A short text is its own digest; its length tells it from a hash. */
function digest(text: string): Uint8Array {
  if (text === '') return nothing;
  if (text.length < digestBytes) {
    const bytes = Buffer.from(text);
    if (bytes.length < digestBytes) return bytes;
  }
  return hash('sha256', text, 'buffer').subarray(0, digestBytes);
}

/** Values only: who assigned them is told in each feed's own way. What people share or mistype only where there is nothing else. */
function patientOf(event: ClinicalEvent): string[] {
  const own = patientIdentifiers(event.patient);
  const all = own.length > 0 ? own : (event.patient?.identifiers ?? []).slice(0, patientMax);
  const said = all.map(({ value }) => short(value));
  if (event.identityLinks.length === 0) return said;
  const current = currentIdentifiers(event).map((text) => text.slice(text.lastIndexOf('|') + 1));
  return union(said, current.map(short)).slice(0, patientMax);
}

function textsOf(event: ClinicalEvent, source: string): Record<(typeof parts)[number], string> {
  const { order, times, observations } = event;
  const parent = order?.parentResult ?? '';
  const code = [`${codeOf(order?.service, source)}${parent === '' ? '' : `\n${parent}`}`];
  const time = [times?.observed, times?.observedEnd, times?.issued].map(timeOf);
  const status = [event.status];
  const value: string[] = [];
  const interpretation: string[] = [];
  const notes = [event.notes.map(({ text }) => text), order?.orderNotes ?? []].flat();
  for (const one of observations) {
    code.push(codeOf(one.code, source), one.subId);
    time.push(timeOf(one.effective));
    status.push(statusOf(event, one));
    value.push(valueText(one), one.unit);
    interpretation.push(one.interpretations.map(flagOf).join('~'), one.referenceRange);
    notes.push(...one.notes.map(({ text }) => text));
  }
  const specimens = [order?.specimen, ...(order?.furtherSpecimens ?? [])];
  return {
    filler: ofSource(order?.filler?.system ?? '', source),
    specimen: specimens.flatMap((one) => (one === undefined ? [] : specimenOf(one, source))).join('\n'),
    code: joined(code),
    time: joined(time),
    status: joined(status),
    value: joined(value),
    interpretation: joined(interpretation),
    notes: joined(notes),
  };
}

/** Empty where each is. */
function joined(texts: readonly string[]): string {
  return texts.some((text) => text !== '') ? texts.join('\0') : '';
}

function specimenOf({ identifiers, type, sourceSite }: Specimen, source: string): string[] {
  const numbers = identifiers.map((one) => numberOf(one, source)).sort();
  const texts = [numbers.join('~'), codeOf(type, source), codeOf(sourceSite, source)];
  return texts.some((text) => text !== '') ? [texts.join('|')] : [];
}

function numberOf({ system, value, type }: Identifier, source: string): string {
  return [ofSource(system, source), value, type].join('^');
}

function codeOf(code: Code | undefined, source: string): string {
  const codings = code?.codings ?? [];
  const coding =
    codings.find(({ system }) => system === loincSystem) ?? codings.find(({ mapped }) => !mapped);
  if (coding === undefined) return code?.text ?? '';
  return `${ofSource(coding.system, source)}|${coding.code || coding.display}`;
}

/** What belongs to its source, without it. */
function ofSource(system: string, source: string): string {
  const own = `urn:hilum:${source}`;
  if (system === own) return '';
  return system.startsWith(`${own}:`) ? system.slice(own.length) : system;
}

/** 08:15+01:00 and 07:15Z are one moment, 08:15 and 08:15:00 are not one statement. */
function timeOf(time: ClinicalTime | undefined): string {
  if (time === undefined) return '';
  const { value, original, precision } = time;
  return `${millisecondsOf(time) ?? value + original}|${precision}`;
}

/** HH of `HH^Critical high^HL70078`. */
function flagOf(flag: string): string {
  const end = flag.indexOf('^');
  return (end === -1 ? flag : flag.slice(0, end)).trim();
}
