/**
 * What a matter is known by in the memory [status.ts]: the kind, the source and a number. Of results also OBR-4 and the
 * result that they hang from, because one number may stand over several reports.
 *
 *   observation         the filler's number, else the placer's, with OBR-4 and what it hangs from
 *   order, medication   the placer's number, else the filler's; not what was dispensed or given, which happens each time anew
 *   document            TXA-12
 *   schedule            the filler's number, else the placer's
 */
import type {
  ClinicalEvent,
  Code,
  Identifier,
  Order,
  ParentObservation,
} from '../../../proto/gen/hilum/v1/event.ts';
import type { About } from './memory.ts';
import { codeText, codeTexts } from './result-keys.ts';

/** One for each coding of OBR-4 that was sent. */
export function orderTexts(event: ClinicalEvent, { source }: Pick<About, 'source'>): readonly string[] {
  const [number] = numbersOf(event);
  if (number === undefined) return none;
  const { order, kind } = event;
  if (kind !== 'observation') return [`${kind}\n${source}\n${number.system}\n${number.value}`];
  const { service, parentObservation } = order as Order;
  const isAsked =
    named.number === number &&
    named.service === service &&
    named.parent === parentObservation &&
    named.source === source;
  if (isAsked) return named.texts;
  const texts = reportTexts(order as Order, source, number);
  named = { source, number, service, parent: parentObservation, texts };
  return texts;
}

/** By its other number, where it has two: who spoke of it before may have known only that one. */
export function otherTexts(event: ClinicalEvent, { source }: Pick<About, 'source'>): readonly string[] {
  const [, number] = numbersOf(event);
  if (number === undefined) return none;
  const { order, kind } = event;
  if (kind === 'observation') return reportTexts(order as Order, source, number);
  return [`${kind}\n${source}\n${number.system}\n${number.value}`];
}

/** Do both go by the same number? By the second one of each only where one of them has no other. */
export function sameNumbers(a: ClinicalEvent, b: ClinicalEvent): boolean {
  const [own, other] = [a, b].map((event) => orderTexts(event, sourceOf(event))) as [string[], string[]];
  if (own.some((text) => other.includes(text))) return true;
  const [further, furtherOther] = [a, b].map((event) => otherTexts(event, sourceOf(event))) as [
    string[],
    string[],
  ];
  if (further.length > 0 && furtherOther.length > 0) return false;
  return own.some((text) => furtherOther.includes(text)) || further.some((text) => other.includes(text));
}

function sourceOf({ provenance }: ClinicalEvent): Pick<About, 'source'> {
  return { source: provenance?.source ?? '' };
}

type Number = Identifier | undefined;

/** The one that it goes by, and the other one. */
function numbersOf({ kind, order, document, schedule, medication }: ClinicalEvent): readonly Number[] {
  switch (kind) {
    case 'observation':
      return inOrder(order?.filler, order?.placer);
    case 'order':
      return inOrder(order?.placer, order?.filler);
    case 'medication':
      return done.has(medication?.act ?? '') ? noNumbers : inOrder(order?.placer, order?.filler);
    case 'schedule':
      return inOrder(schedule?.filler, schedule?.placer);
    case 'document':
      return document === undefined ? noNumbers : document.identifiers.slice(0, 1);
    default:
      return noNumbers;
  }
}

const noNumbers: readonly Number[] = [];
const done: ReadonlySet<string> = new Set(['administration', 'dispense', 'give']);

function inOrder(first: Number, second: Number): readonly Number[] {
  return first === undefined ? [second] : [first, second];
}

function reportTexts(order: Order, source: string, number: Identifier): readonly string[] {
  const parent = parentText(order);
  return codeTexts(order.service).map(
    (text) => `observation\n${source}\n${number.system}\n${number.value}\n${text}\n${parent}`,
  );
}

interface Named {
  readonly source: string;
  readonly number: Identifier | undefined;
  readonly service: Code | undefined;
  readonly parent: ParentObservation | undefined;
  readonly texts: readonly string[];
}

const none: readonly string[] = [];
/** What was asked for last: each rule asks several times for one report after the other. */
let named: Named = { source: '', number: undefined, service: undefined, parent: undefined, texts: none };

/**
 * Which result it hangs from: OBX-3 and OBX-4 of that. What that says (OBR-26.3) may be corrected with it, and tells
 * only where nothing else does which of several it is: organisms without a sub-id. A number is no such name.
 */
function parentText({ parentObservation: parent, parentResult }: Order): string {
  if (parent === undefined || parentResult === '') return '';
  const { code, subId, text } = parent;
  const which = subId !== '' || (code !== undefined && /^[<>=]*\s*[\d.,]+$/.test(text)) ? subId : text;
  return `${codeText(code)}|${which}`;
}
