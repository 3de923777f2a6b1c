/**
 * Previous values: what the same patient's earlier reports said of the same observation, under whatever order.
 * What the same order said before is told by the rule of status [status.ts]; both stand in `previous`.
 *
 * One row a patient: what a patient's reports say is asked for together. It is written under one identifier of
 * the message, as it was said, and read under all of them and under those that merges joined to them, so that a
 * merge that is undone takes nothing with it.
 *
 *   observation   its LOINC code where it has one (sent, or mapped by a table), else the first code as sent; of what
 *                 hangs from a result or an isolate (a susceptibility) also that, by its words
 *
 * Nothing is said
 * - past its age limit (config `enrichment.maxAge.previous`),
 * - of what was observed at the same time or later, and of what was withdrawn or corrected since,
 * - of another kind of specimen, where both are known,
 * - of and to a control, a calibrator or a sample that tests the laboratory,
 * - where the identity is in conflict, or a code stands twice in the report (organisms, lines of a text), or it hangs
 *   from a result that is not named in words.
 *
 * Bounded: 60 results of a report, 16 reports and 1.5 KB a patient; what is not among the last three of any
 * observation goes first.
 */
import type {
  ClinicalEvent,
  Identifier,
  Observation,
  Order,
  PreviousValue,
  RecordPosition,
} from '../../../proto/gen/hilum/v1/event.ts';
import { tellsOfPatient } from '../../../proto/specimen-role.ts';
import { isWithdrawn } from '../../../proto/withdrawn.ts';
import { upper } from '../text.ts';
import {
  historyRow,
  historyText,
  type Look,
  lookIn,
  retirement,
  samePosition,
  standFor,
} from './identity-history.ts';
import { idText, patientIdentifiers } from './identity-steps.ts';
import type { About, MemoryRule, Need, Recall, RowKind } from './memory.ts';
import { millisecondsOf, statusOf } from './newness.ts';
import { codeText } from './result-keys.ts';
import {
  decodeSeries,
  type SeriesReport,
  type SeriesValue,
  textBytesMax,
  valuesMax,
  withReport,
} from './series-codec.ts';
import { hashOf, keyOf } from './series-keys.ts';
import { type Key, type SeriesMemory, SeriesReader } from './series-row.ts';
import { orderText } from './status.ts';

const daysKept = 400;
/** Of other orders, for each observation. */
const previousMax = 2;
/** Of a patient, read. */
const identifiersMax = 4;
const relativesMax = 8;

export const seriesRow: RowKind<SeriesMemory> = {
  number: 20,
  keepS: daysKept * 86_400,
  lasts: false,
  encode: (row) => row,
  decode: decodeSeries,
};

export const series: MemoryRule = {
  name: 'series',
  needs(event, about): readonly Need[] {
    if (!isFollowed(event, about)) return [];
    return readUnder(event).map((identifier) => needOf(identifier));
  },
  /** What merges joined to the patient: told only by who has been in one. */
  follow(event, about, recall): readonly Need[] {
    if (!isFollowed(event, about)) return [];
    const look = lookIn(recall);
    return relatives(event, look, false).flatMap((identifier) => [
      { kind: historyRow, text: historyText('patient', identifier) },
      needOf(identifier),
    ]);
  },
  apply(event, about, recall) {
    if (!isFollowed(event, about) || event.identityConflicts.length > 0) return;
    const said = readUnder(event);
    const rows = said.map((one) => recall.find(seriesRow, idText(one)));
    if (event.identityLinks.length > 0 || hasHistory(said, recall))
      for (const one of relatives(event, lookIn(recall), true))
        rows.push(recall.find(seriesRow, idText(one)));
    const orderKey =
      orderText(event, about, recall) ?? `${about.epoch}.${about.sequence}.${event.provenance?.index}`;
    const places = placesOf(event, orderKey);
    const order = hashOf(orderKey);
    const specimen = specimenOf(event.order);
    addPrevious(event, about, { order, specimen }, places, rows);
    const values = valuesOf(event, places);
    const withdrawn = isWithdrawn(event.status) && event.observations.length === 0 && !event.superseded;
    if (values.length === 0 && !withdrawn) return;
    const at = writtenUnder(said);
    const known = rows[at];
    const epoch = known === undefined || known.readBigUInt64BE(1) === about.epoch ? 0n : about.epoch;
    const report: SeriesReport = {
      order,
      sequence: Number(about.sequence),
      epoch,
      capturedS: Math.floor(Number(about.capturedAtUs / 1_000_000n)),
      source: isShort(about.source) ? about.source : '',
      specimen,
      isWithdrawn: withdrawn,
      values,
    };
    const row = withReport(known, report, about.epoch);
    if (row !== known) recall.set(seriesRow, idText(said[at] as Identifier), row);
  },
};

function isFollowed(
  { kind, observations, status, patient, order }: ClinicalEvent,
  { enrichment }: About,
): boolean {
  return (
    kind === 'observation' &&
    enrichment !== undefined &&
    enrichment.previousS > 0 &&
    (observations.length > 0 || isWithdrawn(status)) &&
    patientIdentifiers(patient).length > 0 &&
    tellsOfPatient(order)
  );
}

function needOf(identifier: Identifier): { kind: RowKind<SeriesMemory>; text: string } {
  return { kind: seriesRow, text: idText(identifier) };
}

function readUnder({ patient }: ClinicalEvent): Identifier[] {
  const all = patientIdentifiers(patient);
  return all.length > identifiersMax ? all.slice(0, identifiersMax) : all;
}

/** The medical record number, where one is called so: an analyzer may name another one first than the ward. */
function writtenUnder(said: readonly Identifier[]): number {
  return Math.max(
    0,
    said.findIndex(({ type }) => type === 'MR'),
  );
}

function hasHistory(said: readonly Identifier[], recall: Recall): boolean {
  return said.some((one) => recall.find(historyRow, historyText('patient', one)) !== undefined);
}

/** Whom merges joined to the patient of the event, on either side. @param sure only those that still are */
function relatives(event: ClinicalEvent, look: Look, sure: boolean): Identifier[] {
  const found = new Map<string, Identifier>();
  const said = readUnder(event);
  let level = [...said, ...standFor(said.map(idText), look).map(identifierOf)];
  const seen = new Set(said.map(idText));
  while (level.length > 0 && found.size < relativesMax) {
    const next: Identifier[] = [];
    for (const one of level) {
      if (!seen.has(idText(one))) found.set(idText(one), one);
      seen.add(idText(one));
      for (const step of look(historyText('patient', one))?.steps ?? []) {
        if (step.undoneBy !== undefined || !step.into.some((into) => idText(into) === idText(one))) continue;
        for (const from of step.from) {
          const last = retirement(look(historyText('patient', from)), from);
          if (!seen.has(idText(from)) && (!sure || samePosition(last?.record, step.record))) next.push(from);
        }
      }
    }
    level = next;
  }
  return [...found.values()].slice(0, relativesMax);
}

function identifierOf(text: string): Identifier {
  const at = text.indexOf('|');
  return { system: text.slice(0, at), value: text.slice(at + 1) } as Identifier;
}

interface Place {
  key: Key;
  /** Observation of the event; `twice` where there are several. */
  at: number;
  /** When it was observed, milliseconds since 1970; 0 where not known. */
  observedMs: number;
  /** Orders of which something newer was found. */
  orders: number[];
}

/** The observations by the first part of their key. */
type Places = Map<number, Place>;

const twice = -1;

function placesOf({ observations, times, order }: ClinicalEvent, orderKey: string): Places {
  const places: Places = new Map();
  const parent = parentText(order, orderKey);
  for (let at = 0; at < observations.length; at += 1) {
    const observation = observations[at] as Observation;
    const { code, effective, mood } = observation;
    if (mood !== undefined) continue;
    const key = keyOf(code, parent || isolateOf(observation, observations));
    const known = places.get(key.high);
    const observedMs = millisecondsOf(effective ?? times?.observed) ?? 0;
    if (known === undefined) places.set(key.high, { key, at, observedMs, orders: [] });
    else known.at = twice;
  }
  return places;
}

/** What is to be remembered. */
function valuesOf(event: ClinicalEvent, places: Places): SeriesValue[] {
  const values: SeriesValue[] = [];
  for (const place of places.values()) {
    if (place.at === twice) continue;
    const observation = event.observations[place.at] as Observation;
    if (values.length < valuesMax && isKept(observation)) values.push(resultOf(event, observation, place));
  }
  return values;
}

function isKept({ value, furtherValues, unit, superseded, effective, status }: Observation): boolean {
  return (
    !superseded &&
    (value !== '' || isWithdrawn(status)) &&
    furtherValues.length === 0 &&
    isShort(value) &&
    isShort(unit) &&
    isShort(effective?.value ?? '')
  );
}

/** UTF-8 takes three bytes a unit at most, and for ASCII one. */
function isShort(text: string): boolean {
  if (text.length > textBytesMax) return false;
  for (let at = 0; at < text.length; at += 1)
    if (text.charCodeAt(at) > 0x7f) return Buffer.byteLength(text) <= textBytesMax;
  return true;
}

function resultOf(event: ClinicalEvent, observation: Observation, { key, observedMs }: Place): SeriesValue {
  const text = (observation.effective ?? event.times?.observed)?.value ?? '';
  const { value, unit } = observation;
  const status = statusOf(event, observation);
  return {
    key,
    value,
    unit,
    status,
    effective: isShort(text) ? text : '',
    effectiveMs: Math.max(0, observedMs),
  };
}

/** A value of another order. */
interface Found {
  effectiveMs: number;
  made: PreviousValue;
}

/** What the event is about. */
interface Own {
  order: readonly [number, number];
  specimen: number;
}

function addPrevious(
  event: ClinicalEvent,
  about: About,
  own: Own,
  places: Places,
  rows: readonly (SeriesMemory | undefined)[],
): void {
  const found = new Map<number, Found[]>();
  for (const row of rows) if (row !== undefined) collect(about, own, places, row, found);
  for (const [at, ones] of found) {
    const observation = event.observations[at] as Observation;
    ones.sort((a, b) => b.effectiveMs - a.effectiveMs);
    const [newest] = ones as [Found];
    const { source, ageS, record } = newest.made;
    if (observation.previous.length === 0)
      event.enriched.push({ path: `observations[${at}].previous`, source, ageS, record });
    observation.previous = [...observation.previous, ...ones.slice(0, previousMax).map(({ made }) => made)];
  }
  if (found.size > 0) event.provenance?.rules.push('memory/series');
}

const reader = new SeriesReader();

/** Of each order only what was reported last, and only what was observed before. */
function collect(
  about: About,
  { order, specimen }: Own,
  places: Places,
  row: SeriesMemory,
  found: Map<number, Found[]>,
): void {
  const nowS = Math.floor(Number(about.capturedAtUs / 1_000_000n));
  const oldestS = nowS - (about.enrichment?.previousS ?? 0);
  let gone: number[] | undefined;
  reader.open(row);
  while (reader.nextReport()) {
    const { orderHigh, orderLow, capturedS } = reader;
    if (orderHigh === order[0] && orderLow === order[1]) continue;
    if (reader.isWithdrawn) {
      gone ??= [];
      gone.push(orderLow);
    }
    if (capturedS < oldestS || gone?.includes(orderLow)) continue;
    if (specimen !== 0 && reader.specimen !== 0 && specimen !== reader.specimen) continue;
    let record: RecordPosition | undefined;
    let ageS = 0n;
    while (reader.nextValue()) {
      const place = places.get(reader.keyHigh);
      if (place === undefined || place.key.low !== reader.keyLow || place.at === twice) continue;
      const { at, observedMs, orders } = place;
      if (orders.includes(orderLow)) continue;
      orders.push(orderLow);
      const { effectiveMs } = reader;
      if (reader.isGone || (observedMs > 0 && effectiveMs > 0 && effectiveMs >= observedMs)) continue;
      if (record === undefined) {
        record = { epoch: reader.epoch, sequence: BigInt(reader.sequence) };
        ageS = BigInt(Math.max(0, nowS - capturedS));
      }
      const made: PreviousValue = {
        value: reader.value,
        unit: reader.unit,
        status: reader.status,
        effective: reader.effective,
        record,
        source: reader.source,
        ageS,
        otherOrder: true,
      };
      const one = { effectiveMs: effectiveMs || capturedS * 1000, made };
      const ones = found.get(at);
      if (ones === undefined) found.set(at, [one]);
      else ones.push(one);
    }
  }
}

/** The parent's result; without words its number is of this order alone, and so is what hangs from it. */
function parentText(order: Order | undefined, orderKey: string): string {
  const parent = order?.parentObservation;
  if (parent === undefined) return '';
  return `${codeText(parent.code)}\n${parent.text === '' ? orderKey : upper(parent.text)}`;
}

const susceptibilities = new Set(['S', 'SDD', 'I', 'R', 'MS', 'VS', 'NS', 'SYN-R', 'SYN-S']);

/** Within one report the sub-ID tells which organism was tested [HL7 table 0078]: the coded row with the same one. */
function isolateOf({ subId, interpretation }: Observation, observations: readonly Observation[]): string {
  if (subId === '' || !susceptibilities.has(upper(interpretation))) return '';
  const isolate = observations.find((one) => one.subId === subId && one.valueCode !== undefined);
  return isolate === undefined ? '' : upper(isolate.value);
}

/** Of several kinds all of them, so that it is that of no order with one. */
function specimenOf(order: Order | undefined): number {
  if (order === undefined) return 0;
  if (order.specimen === undefined && order.furtherSpecimens.length === 0) return 0;
  const all = [...(order.specimen === undefined ? [] : [order.specimen]), ...order.furtherSpecimens];
  const types = new Set(all.flatMap(({ type }) => upper(type?.codings[0]?.code || (type?.text ?? '')) || []));
  if (types.size === 0) return 0;
  const [hash] = hashOf([...types].sort().join('\n'));
  return hash & 0xffff || 1;
}
