/** cel-js's errors in words for the author of a rule. */
import type { PredicateProblem } from './cel.ts';
import { viewFields } from './event-view.ts';
import { nearest } from './nearest.ts';

interface CelError {
  code?: string;
  summary?: string;
  message: string;
  range?: { start: number };
  node?: { op?: string; args?: unknown };
}

/** What a predicate can name, and what to write where it names something else. */
export interface Dialect {
  variables: readonly string[];
  unknown: string;
}

const events: Dialect = {
  variables: ['event'],
  unknown: 'put a text in quotes; fields begin with event.',
};

export function explainCel(error: unknown, source: string, dialect: Dialect = events): PredicateProblem {
  const { code, summary, message, range, node } = error as CelError;
  const offset = range?.start ?? 0;
  const said = summary ?? message;
  if (source.trim() === '') {
    return { message: 'the predicate is empty', hint: 'write true to match everything', offset: 0 };
  }
  switch (code) {
    case 'no_such_key':
      return { ...unknownField(said, node), offset };
    case 'unknown_variable': {
      const name = /: (.*)$/.exec(said)?.[1] ?? '';
      const near = nearest(name, dialect.variables);
      const hint = near === undefined ? dialect.unknown : `did you mean "${near}"?`;
      return { message: `there is no ${name}`, hint, offset };
    }
    case 'no_such_overload':
      return { ...mismatch(said), offset };
    case 'no_matching_overload': {
      const call = /'(.*)'/.exec(said)?.[1] ?? 'this';
      return {
        message: `${call} does not fit any function`,
        hint: 'check the types of what it is given',
        offset,
      };
    }
    case 'invalid_condition_type': {
      const given = /got '(.*)'/.exec(said)?.[1] ?? 'something else';
      const hint = 'compare it with something: … == "HH"';
      return { message: `the condition gives ${given}, not true or false`, hint, offset };
    }
    case 'invalid_index_type': {
      const hint = 'look into each entry: list.exists(x, x.field == …)';
      return { message: 'a list has no fields of its own', hint, offset };
    }
    case 'invalid_macro_argument':
      return { message: 'the name of the entry is missing', hint: 'write list.exists(x, … x …)', offset };
    case 'cannot_index_type': {
      const type = /'(.*)'/.exec(said)?.[1] ?? 'this';
      return { message: `a ${type} has no fields`, hint: 'remove what follows the dot', offset };
    }
    case 'unexpected_token':
    case 'expected_token':
      return { ...unfinished(said), offset };
    case 'unexpected_character':
      return { ...character(said, source, offset, dialect), offset };
    case 'unterminated_string':
      return { message: 'a text is not closed', hint: 'add the closing quote', offset };
    case 'limit_exceeded':
      return { message: `the predicate is too large: ${said}`, hint: 'split it into several rules', offset };
    default:
      return { message: said, hint: '', offset };
  }
}

type Words = Pick<PredicateProblem, 'message' | 'hint'>;

function unknownField(said: string, node: CelError['node']): Words {
  const field = /: (.*)$/.exec(said)?.[1] ?? '';
  const owner =
    (node?.args as [{ checkedType?: { name: string } }] | undefined)?.[0]?.checkedType?.name ?? '';
  const fields = Object.keys(viewFields[owner] ?? {});
  const near = nearest(field, fields);
  const on = owner === 'ClinicalEvent' ? 'event' : owner;
  const message = `there is no field "${field}"${on === '' ? '' : ` on ${on}`}`;
  if (near !== undefined) return { message, hint: `did you mean "${near}"?` };
  return { message, hint: fields.length > 0 ? `there are: ${fields.join(', ')}` : '' };
}

/** `no such overload: string > double` */
function mismatch(said: string): Words {
  const [, left = '', operator = '', right = ''] = /: (.+) (\S+) (.+)$/.exec(said) ?? [];
  if (right === '') return { message: said, hint: '' };
  const message = `${operator} does not work between ${left} and ${right}`;
  const numbers = ['int', 'double', 'uint'];
  if ([left, right].includes('string') && (numbers.includes(left) || numbers.includes(right))) {
    const comparison = ['<', '>', '<=', '>='].includes(operator);
    return { message, hint: comparison ? 'values are text: write double(…)' : 'put the number in quotes' };
  }
  if (left === 'null' || right === 'null')
    return { message, hint: 'an absent field is empty: compare it with ""' };
  if (left.startsWith('list<') && right === 'string')
    return { message, hint: 'write "…" in the list, or .exists(x, x == "…")' };
  return { message, hint: 'both sides need the same type' };
}

function unfinished(said: string): Words {
  const missing = /Expected (\w+)/.exec(said)?.[1];
  const sign = { RPAREN: ')', RBRACKET: ']', COMMA: ',', LPAREN: '(', COLON: ':' }[missing ?? ''];
  if (sign !== undefined) return { message: `a ${sign} is missing here`, hint: `add ${sign}` };
  if (said.endsWith('EOF'))
    return { message: 'the predicate ends too early', hint: 'write the other side of the operator' };
  return { message: 'this is not expected here', hint: 'check the operators around it' };
}

/** What a word processor makes of quotes. */
const quotes = /[\u2018-\u201f\u00ab\u00bb\u00b4`]/;

function character(said: string, source: string, offset: number, dialect: Dialect): Words {
  const word = /^\w+/.exec(source.slice(offset))?.[0] ?? '';
  const logic: Record<string, string> = { and: '&&', or: '||', not: '!', AND: '&&', OR: '||', NOT: '!' };
  // cel-js stops after the first letter that fits nothing, so look at the whole word.
  const instead =
    logic[word] ??
    { '=': '==', '&': '&&', '|': '||' }[source[offset] ?? ''] ??
    (quotes.test(source[offset] ?? '') ? '" or \'' : undefined);
  const [path] = /^[$@](?:[\w.*-]|\[[^\]]*\])*/.exec(source.slice(offset)) ?? [];
  if (path !== undefined && dialect.variables.includes('text')) {
    const called = /\b(text|present)\(\s*$/.exec(source.slice(0, offset))?.[1];
    const value = `${called ?? 'text'}("${path.replaceAll('"', "'")}")`;
    const hint =
      called === undefined ? `a value of the payload is ${value}` : `put the path in quotes: ${value}`;
    return { message: `${source[offset]} is not expected here`, hint };
  }
  const what = word !== '' ? word : (source[offset] ?? said);
  return { message: `${what} is not expected here`, hint: instead === undefined ? '' : `write ${instead}` };
}
