/** CE, CWE, CNE, CF, IS and ID as codes [HL7 2.A.13]. */
import { KeptCode } from '../../../proto/back-writer.ts';
import type { Code, Coding } from '../../../proto/gen/hilum/v1/event.ts';
import { codeInTable } from '../../../proto/hl7-table.ts';
import { addMapped, codingSystem } from '../codes.ts';
import { keptBytesMax } from './kept-codes.ts';
import type { Segment } from './message.ts';
import type { Parts } from './parts.ts';
import { fired, furtherUnread, place, remark, type Scope } from './scope.ts';

export function code(segment: Segment, field: number): Code | undefined {
  const parts = segment.parts(field);
  furtherUnread(segment, field, parts.end);
  return codeOf(parts);
}

/** A field that has one code. What a sender repeats there may be the same in another system, or another thing: nobody knows. */
export function oneCode(segment: Segment, field: number): Code | undefined {
  const parts = segment.parts(field);
  if (parts.end < segment.end(field) && segment.repeats(field))
    remark(segment.message.scope, `${place(segment, field)}: several codes, of which the first is read`);
  return codeOf(parts);
}

/** A field that the event has one word for: its code in one of HL7's tables (`0004`), else its first. */
export function tabled(...tables: readonly string[]): (segment: Segment, field: number) => string {
  return (segment, field) => {
    const parts = segment.parts(field);
    return parts.reaches(4) ? codeInTable(codeOf(parts), ...tables) : parts.text(1);
  };
}

/** A code whose system a field of its own may name, as old versions do: DG1-2, PR1-2 [HL7 2.3]. */
export function codeWithMethod(method: number): (segment: Segment, field: number) => Code | undefined {
  return (segment, field) => {
    const parts = segment.parts(field);
    if (parts.empty) return undefined;
    return codeOf(parts, parts.has(1) && !parts.has(3) ? segment.text(method) : '');
  };
}

/** The same with its text and codings, where the field says more than the bare code. */
export function fullCode(segment: Segment, field: number): Code | undefined {
  const parts = segment.parts(field);
  return parts.reaches(2) ? codeOf(parts) : undefined;
}

export function codes(segment: Segment, field: number): Code[] {
  const found: Code[] = [];
  for (const parts of segment.repetitions(field)) {
    const one = codeOf(parts);
    if (one !== undefined) found.push(one);
  }
  return found;
}

/**
 * Three triplets of code, text and system: 1-3, 4-6 and 10-12, with versions at 7, 8 and 13,
 * system OIDs at 14, 17 and 20, and the original text at 9. `system` is the first one's, where it names none.
 */
export function codeOf(parts: Parts, system = ''): Code | undefined {
  if (parts.empty) return undefined;
  const { message, start, end } = parts;
  // What is kept is read without a system from elsewhere.
  const codes = system === '' && parts.separator === message.by.component ? message.codes : undefined;
  if (codes === undefined || end - start > keptBytesMax) return read(parts, message.scope, system);
  const known = codes.find(message.bytes, start, end);
  if (known !== undefined) {
    for (const rule of known.rules) fired(message.scope, rule);
    return known.code;
  }
  const rules: string[] = [];
  const found = read(parts, { context: message.scope.context, rules }, '');
  for (const rule of rules) fired(message.scope, rule);
  // Text with an escape sequence is not kept: it may be none of the message's own characters.
  if (found === undefined || message.chars.substring(start, end).includes('\\')) return found;
  return codes.keep(message.bytes, start, end, found, rules);
}

function read(parts: Parts, scope: Pick<Scope, 'context' | 'rules'>, system: string): Code | undefined {
  const { source } = scope.context;
  const codings: Coding[] = [];
  const text = parts.text(2);
  const name = parts.text(3) || system;
  const one = parts.text(1) || referenceId(text, name);
  const alternate = parts.text(5);
  const alternateName = parts.text(6);
  const two = parts.text(4) || referenceId(alternate, alternateName);
  const said = parts.text(9) || text || alternate;
  if (one !== '')
    add(codings, one, text, name, parts.text(7), name === '' ? parts.text(14) : oid(parts, 14), source);
  const first = codings[0];
  if (two !== '') add(codings, two, alternate, alternateName, parts.text(8), oid(parts, 17), source);
  const three = parts.text(10);
  if (three !== '')
    add(codings, three, parts.text(11), parts.text(12), parts.text(13), oid(parts, 20), source);
  if (parts.reaches(15)) {
    const second = two === '' ? undefined : codings[first === undefined ? 0 : 1];
    const last = three === '' ? undefined : codings.at(-1);
    for (const [coding, set] of [
      [first, 15],
      [second, 18],
      [last, 21],
    ] as const)
      if (coding !== undefined)
        Object.assign(coding, { valueSet: parts.text(set), valueSetVersion: parts.text(set + 1) });
  }
  // A second text without a code is neither the code's display nor its text; it stands last.
  if (one === '' && text !== '' && text !== said) codings.push(uncoded(text, name));
  if (two === '' && alternate !== '' && alternate !== said) codings.push(uncoded(alternate, alternateName));
  if (codings.length === 0 && said === '') return undefined;
  const found: Code = { text: said, codings };
  addMapped(found, scope.context.codes, (table) => fired(scope, `code-table/${table}`));
  return found;
}

/** `^MDC_DIM_PERCENT^MDC`: a term of MDC whose number was left out is named by its reference id, as good a code. */
function referenceId(text: string, name: string): string {
  return name === 'MDC' && /^MDCX?_\w+$/.test(text) ? text : '';
}

/** Without a code it says nothing in any system; the name that was sent stays. */
function uncoded(display: string, name: string): Coding {
  return {
    system: '',
    code: '',
    display,
    version: '',
    name,
    mapped: false,
    valueSet: '',
    valueSetVersion: '',
  };
}

function oid(parts: Parts, component: number): string {
  return parts.has(component) ? parts.text(component) : '';
}

function add(
  to: Coding[],
  code: string,
  display: string,
  name: string,
  version: string,
  oid: string,
  source: string,
): void {
  to.push({
    system: codingSystem(name, oid, source),
    code,
    display,
    version,
    name,
    mapped: false,
    valueSet: '',
    valueSetVersion: '',
  });
}

/** A code that is not in the message as such: a word of ours. */
export function said(text: string): Code {
  return { text, codings: [] };
}

/** The text of a code, else the code itself. */
export function textOf(code: Code | undefined): string {
  return code === undefined ? '' : code.text || (code.codings[0]?.code ?? '');
}

/**
 * A unit by its codings. Many laboratories send 10^3/uL or kg/m^2 without escaping the separator, and then the field
 * says the code 10 with the text 3/uL, or kg/m with the text 2: another number, or another quantity, in a unit that
 * UCUM knows too.
 */
export function unitIn(segment: Segment, field: number, parts = segment.parts(field)): Code | undefined {
  const found = codeOf(parts);
  const { message } = segment;
  if (found === undefined || message.by.component !== caret || !isOfPower(found)) return found;
  const base = found.codings[0] as Coding;
  let whole = `${base.code}^${base.display}`;
  let next = 3;
  // A second power in what is left of the text: 10^3/mm^3.
  for (; isPower(parts.text(next - 1), parts.text(next)); next++) whole += `^${parts.text(next)}`;
  // 10^9^/L
  if (next === 3 && parts.text(3).startsWith('/')) whole += parts.text(next++);
  const what = ten.test(base.code) ? 'a power of ten' : 'a power';
  remark(message.scope, `${segment.name}-${field}: ${what} whose separator was not escaped`);
  const joined = said('');
  add(joined.codings, whole, '', parts.text(next), '', '', message.scope.context.source);
  addMapped(joined, message.scope.context.codes, (table) => fired(message.scope, `code-table/${table}`));
  return joined;
}

const caret = 0x5e;
/** Behind whatever says that it is multiplied: x, ×, a point, `mal`. */
const ten = /^(?:(?:\D.{0,14}[ /*.x×])?\D{0,8}10|(?:[x*×] ?)?E)$/i;
/** What can be raised to a power ends with the letter of a unit. */
const unit = /[A-Za-zµμ]$/;
/** An exponent alone, or with what follows it: 3/uL, 12 / L, -1. */
const exponent = /^[+-]?\d{1,2}(?: ?[/.*] ?\S.*)?$/;
/** Behind a ten also with a word: 3 copies/mL, 5cells. */
const exponentOfTen = /^[+-]?\d{1,2}(?: ?[/.*] ?\S.*| ?[A-Za-z\u00b5\u03bc%].*)?$/;

const isOfPower = KeptCode.once(
  ({ codings: [base] }) => base !== undefined && isPower(base.code, base.display),
);

/** No unit is described by a small number. A bare power of ten may be one: 10^9 stands for 10^9/L. */
function isPower(base: string, text: string): boolean {
  return ten.test(base) ? exponentOfTen.test(text) : exponent.test(text) && unit.test(base);
}

/** A unit as text: its code as sent, which is what is computed with, else its text. */
export function unitText(code: Code | undefined): string {
  return code === undefined ? '' : unitTextOf(code);
}

const unitTextOf = KeptCode.once(
  ({ text, codings }) => codings.find((coding) => !coding.mapped && coding.code !== '')?.code ?? text,
);

/** A unit that has no place for its codings. */
export function unitWord(segment: Segment, field: number): string {
  return unitText(unitIn(segment, field));
}
