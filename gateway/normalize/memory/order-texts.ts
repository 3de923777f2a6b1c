/**
 * What an order is known by in the memory: the source and its own number, OBR-4, and the result that it hangs from
 * [status.ts].
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
  const { order, kind } = event;
  if (order === undefined || (kind !== 'observation' && kind !== 'order')) return none;
  const number = kind === 'observation' ? (order.filler ?? order.placer) : (order.placer ?? order.filler);
  if (number === undefined) return none;
  const { service, parentObservation } = order;
  const isAsked =
    named.number === number &&
    named.service === service &&
    named.parent === parentObservation &&
    named.source === source &&
    named.kind === kind;
  if (isAsked) return named.texts;
  const parent = parentText(order);
  const texts = codeTexts(service).map(
    (text) => `${kind}\n${source}\n${number.system}\n${number.value}\n${text}\n${parent}`,
  );
  named = { kind, source, number, service, parent: parentObservation, texts };
  return texts;
}

interface Named {
  readonly kind: string;
  readonly source: string;
  readonly number: Identifier | undefined;
  readonly service: Code | undefined;
  readonly parent: ParentObservation | undefined;
  readonly texts: readonly string[];
}

const none: readonly string[] = [];
/** What was asked for last: each rule asks several times for one order after the other. */
let named: Named = {
  kind: '',
  source: '',
  number: undefined,
  service: undefined,
  parent: undefined,
  texts: none,
};

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
