/**
 * The one door to the UCUM library of the Lister Hill center. It is loaded at its first use
 * (some 20 ms and 12 MB): a thread that never meets a unit never pays for it.
 *
 * The library speaks in floating point and in messages for people; here come out exact decimals
 * and words that a config check can show. Units are case-sensitive UCUM texts (`mg/dL`, `10*9/L`).
 */
import { createRequire } from 'node:module';
import { type Decimal, fromNumber } from './decimal.ts';

/** What the library is asked for; it has no types of its own. */
interface LhcUtils {
  validateUnitString(text: string, suggest?: boolean): Validated;
  convertUnitTo(from: string, value: number, to: string, options: object): Converted;
}
interface Validated {
  status: 'valid' | 'invalid' | 'error';
  /** The text that it takes for what was meant, also where the status is not valid. */
  ucumCode: string | null;
  suggestions?: { invalidUnit: string; units: [code: string, name: string, guidance: string | null][] }[];
}
interface Converted {
  status: 'succeeded' | 'failed' | 'error';
  toVal: number | null;
  msg: string[];
}

const textMax = 64;
/** Of a factor: more than any result has, fewer than the noise of floating point begins at. */
const factorDigits = 12;

let library: LhcUtils | undefined;

function lhc(): LhcUtils {
  library ??= (
    createRequire(import.meta.url)('@lhncbc/ucum-lhc') as { UcumLhcUtils: { getInstance(): LhcUtils } }
  ).UcumLhcUtils.getInstance();
  return library;
}

const asked = new Map<string, boolean>();
const askedMax = 1_000;

/** Is it a UCUM expression, exactly as written? */
export function isUcum(text: string): boolean {
  if (!readable(text)) return false;
  const known = asked.get(text);
  if (known !== undefined) return known;
  const found = quietly(() => lhc().validateUnitString(text));
  const valid = found.status === 'valid' && found.ucumCode === text;
  if (asked.size >= askedMax) asked.clear();
  asked.set(text, valid);
  return valid;
}

/** How a value in one unit becomes one in another: value × factor + offset. */
export interface Relation {
  factor: Decimal;
  /** Only temperatures have one. */
  offset: Decimal;
  /** A mass became an amount of substance or the other way round. */
  molar: boolean;
}

/**
 * The relation of two units, or why there is none. `molecularWeight` (g/mol) lets a mass become
 * an amount of substance. What the units count must be the same: annotations (`{FEU}`) are kept,
 * arbitrary units (`[IU]`) stand in no relation, nor do logarithms (`[pH]`, `B`).
 */
export function relate(from: string, to: string, molecularWeight?: number): Relation | { problem: string } {
  for (const unit of [from, to]) if (!isUcum(unit)) return { problem: `"${clip(unit)}" is not a UCUM unit` };
  if (annotations(from) !== annotations(to)) return { problem: 'the two units count different things: {…}' };
  const plain = convert(from, 1, to, undefined);
  const molar = typeof plain === 'string' && /molecular weight/.test(plain);
  const weight = molar ? molecularWeight : undefined;
  if (molar && weight === undefined)
    return { problem: 'from a mass to an amount of substance, or back: needs molecularWeight' };
  const [zero, one, hundred] = [0, 1, 100].map((value) => convert(from, value, to, weight));
  if (typeof zero !== 'number' || typeof one !== 'number' || typeof hundred !== 'number') {
    return { problem: `${clip(from)} cannot be converted to ${clip(to)}` };
  }
  const step = (hundred - zero) / 100;
  if (step <= 0 || Math.abs(one - zero - step) > 1e-9 * Math.max(step, Math.abs(zero))) {
    return { problem: `${clip(from)} and ${clip(to)} are not proportional` };
  }
  // A relation without an offset is known to the last bit; the difference is not.
  const factor = zero === 0 ? one : step;
  return { factor: fromNumber(factor, factorDigits), offset: fromNumber(zero, factorDigits), molar };
}

/**
 * What a text that is no UCUM may have meant, for a person to decide: the library's own
 * correction, or the one unit that has the text as a synonym.
 */
export function suggestUcum(text: string): { code: string; name: string } | undefined {
  if (!readable(text)) return undefined;
  const found = quietly(() => lhc().validateUnitString(text, true));
  if (found.ucumCode !== null && found.ucumCode !== text && isUcum(found.ucumCode)) {
    return { code: found.ucumCode, name: '' };
  }
  const [only, ...others] = found.suggestions ?? [];
  if (only === undefined || others.length > 0 || only.invalidUnit !== text || only.units.length !== 1) {
    return undefined;
  }
  const [code, name] = only.units[0] ?? ['', ''];
  return { code, name };
}

/** A number, or what the library says instead. */
function convert(
  from: string,
  value: number,
  to: string,
  molecularWeight: number | undefined,
): number | string {
  const options = molecularWeight === undefined ? {} : { molecularWeight };
  const { status, toVal, msg } = quietly(() => lhc().convertUnitTo(from, value, to, options));
  return status === 'succeeded' && toVal !== null ? toVal : msg.join(' ');
}

function readable(text: string): boolean {
  return text !== '' && text.length <= textMax && /^[\x21-\x7e]+$/.test(text);
}

function annotations(unit: string): string {
  return [...unit.matchAll(/\{[^}]*\}/g)].map(([one]) => one).join();
}

/** On some texts the library throws inside and writes the text to the console, where no content may stand. */
function quietly<T>(work: () => T): T {
  const { log } = console;
  console.log = () => {};
  try {
    return work();
  } finally {
    console.log = log;
  }
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
