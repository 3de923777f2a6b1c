/**
 * What a matter is known by in the memory [status.ts]: the kind, the source and a number, of which the usual one of its
 * kind is the placer's or the filler's; the text of the other one says so, since each side counts for itself and the same
 * digits are another order. Of results also OBR-4 and the result that they hang from, because one number may stand over
 * several reports.
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
export function orderTexts(event: ClinicalEvent, about: Pick<About, 'source'>): readonly string[] {
  const [usual, other] = numbersOf(event);
  return usual === undefined ? textsBy(event, about, other, 1) : textsBy(event, about, usual, 0);
}

/** By its other number, where it has two: who spoke of it before may have known only that one. */
export function otherTexts(event: ClinicalEvent, about: Pick<About, 'source'>): readonly string[] {
  const [usual, other] = numbersOf(event);
  return usual === undefined ? none : textsBy(event, about, other, 1);
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

/** The usual number of the kind, or the other one. */
type Which = 0 | 1;

/** The usual one of its kind, and the other one; either may be missing. */
function numbersOf({
  kind,
  order,
  document,
  schedule,
  medication,
}: ClinicalEvent): readonly (Identifier | undefined)[] {
  switch (kind) {
    case 'observation':
      return [order?.filler, order?.placer];
    case 'order':
      return [order?.placer, order?.filler];
    case 'medication':
      return done.has(medication?.act ?? '') ? noNumbers : [order?.placer, order?.filler];
    case 'schedule':
      return [schedule?.filler, schedule?.placer];
    case 'document':
      return document === undefined ? noNumbers : document.identifiers.slice(0, 1);
    default:
      return noNumbers;
  }
}

const noNumbers: readonly Identifier[] = [];
const done: ReadonlySet<string> = new Set(['administration', 'dispense', 'give']);

function textsBy(
  { kind, order }: ClinicalEvent,
  { source }: Pick<About, 'source'>,
  number: Identifier | undefined,
  which: Which,
): readonly string[] {
  if (number === undefined) return none;
  return kind === 'observation'
    ? reportTexts(order as Order, source, number, which)
    : [textBy(kind, source, number, which)];
}

function textBy(kind: string, source: string, number: Identifier, which: Which): string {
  return `${kind}${which === 0 ? '' : ', other number'}\n${source}\n${number.system}\n${number.value}`;
}

function reportTexts(order: Order, source: string, number: Identifier, which: Which): readonly string[] {
  const { service, parentObservation } = order;
  const last = named[which];
  const isAsked =
    last.number === number &&
    last.service === service &&
    last.parent === parentObservation &&
    last.source === source;
  if (isAsked) return last.texts;
  const parent = parentText(order);
  const by = textBy('observation', source, number, which);
  const texts = codeTexts(service).map((text) => `${by}\n${text}\n${parent}`);
  named[which] = { source, number, service, parent: parentObservation, texts };
  return texts;
}

interface Named {
  readonly source: string;
  readonly number: Identifier | undefined;
  readonly service: Code | undefined;
  readonly parent: ParentObservation | undefined;
  readonly texts: readonly string[];
}

const none: readonly string[] = [];
const unnamed: Named = { source: '', number: undefined, service: undefined, parent: undefined, texts: none };
/** What was asked for last, by either of the numbers: each rule asks several times for one report after the other. */
const named: [Named, Named] = [unnamed, unnamed];

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
