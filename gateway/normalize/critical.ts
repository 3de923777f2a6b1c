/**
 * Results that are critical although no flag says so: the config's ranges and words. What was sent
 * stays as it is; the observation gets a mark that names the rule and why.
 *
 * A range is compared only where nothing is guessed: the unit is the rule's own (`mmol/L` and
 * `mol/m3` are one), the value a plain decimal, and a comparator leaves no doubt: `>500` is above
 * 400, of `>3` nobody knows whether it is above 6. Where a rule is of the observation's code and
 * could not be applied, that is counted with its reason.
 *
 * A decimal comma is one here: whoever reads `6,9` reads 6.9, and a critical result that nobody is told of is worse than
 * one too many. `1,234` may be a thousand: no rule is applied, and a remark says so. Withdrawn results are not critical,
 * and neither are goals and what is found in controls, calibrators and samples that test the laboratory.
 */
import type { CriticalConfig } from '../../proto/config/critical-schema.ts';
import type { Config } from '../../proto/config/schema.ts';
import type { ClinicalEvent, Observation } from '../../proto/gen/hilum/v1/event.ts';
import { tellsOfPatient } from '../../proto/specimen-role.ts';
import { add, type Decimal, multiply, parseDecimal } from '../../proto/units/decimal.ts';
import { relate } from '../../proto/units/ucum.ts';
import { isWithdrawn } from '../../proto/withdrawn.ts';
import { agesAt, compareAge } from './age.ts';
import { canonical } from './units.ts';

/** Why a rule of the observation's code was not applied. */
export type NotApplied = 'unit' | 'value' | 'age' | 'sex';

/** For the gateway's status; never a value. */
export interface CriticalCount {
  rule: string;
  outcome: 'marked' | NotApplied;
}

export interface CriticalRules {
  /** Marks the observation. @param unit the UCUM unit that it was read with */
  mark(
    observation: Observation,
    unit: string | undefined,
    event: ClinicalEvent,
    counts: CriticalCount[],
  ): void;
}

/** The part of a long text that is looked at. */
const textMax = 20_000;
const relationsMax = 200;

interface Rule extends CriticalConfig {
  name: string;
  low: Decimal | undefined;
  high: Decimal | undefined;
  sameUnit(unit: string): boolean;
}

/** Undefined where the config has no rule, so that nobody pays for it. */
export function compileCritical({ critical }: Pick<Config, 'critical'>): CriticalRules | undefined {
  const byCode = new Map<string, Rule[]>();
  const anyCode: Rule[] = [];
  for (const [name, config] of Object.entries(critical)) {
    const { code, below, above, unit } = config;
    const [low, high] = [parseDecimal(below ?? ''), parseDecimal(above ?? '')];
    const rule = { ...config, name, low, high, sameUnit: unitMatcher(unit ?? '') };
    if (code === undefined) anyCode.push(rule);
    else {
      const rules = byCode.get(code);
      if (rules === undefined) byCode.set(code, [rule]);
      else rules.push(rule);
    }
  }
  if (byCode.size === 0 && anyCode.length === 0) return undefined;
  return {
    mark(observation, unit, event, counts) {
      if (isWithdrawn(observation.status) || observation.mood !== undefined) return;
      if (!tellsOfPatient(event.order)) return;
      for (const rule of rulesFor(observation)) {
        const why = judge(rule, observation, unit, event);
        if (why === undefined) continue;
        counts.push({ rule: rule.name, outcome: 'doubt' in why ? why.doubt : 'marked' });
        if ('doubt' in why) {
          if (why.remark !== undefined) tell(event, observation, why.remark);
          continue;
        }
        observation.critical = { rule: rule.name, why: why.said };
        return;
      }
    },
  };

  function rulesFor({ code }: Observation): Rule[] {
    const found: Rule[] = [];
    for (const coding of code?.codings ?? []) {
      for (const rule of byCode.get(coding.code) ?? []) {
        if (rule.system === coding.system && !found.includes(rule)) found.push(rule);
      }
    }
    return anyCode.length === 0 ? found : [...found, ...anyCode];
  }
}

type Verdict = { said: string } | { doubt: NotApplied; remark?: string } | undefined;

/** Undefined: it is not critical by this rule, and that is certain. */
function judge(
  rule: Rule,
  observation: Observation,
  unit: string | undefined,
  event: ClinicalEvent,
): Verdict {
  const said =
    rule.low === undefined && rule.high === undefined
      ? bySaid(rule, observation)
      : byLimits(rule, observation, unit);
  if (said === undefined) return undefined;
  const { sex, age } = rule;
  if (sex !== undefined) {
    const gender = event.patient?.gender ?? '';
    if (gender === '' || gender === 'unknown') return { doubt: 'sex' };
    if (gender !== sex) return undefined;
  }
  if (age !== undefined) {
    const ages = agesAt(event, observation);
    if (ages === undefined) return { doubt: 'age' };
    const within = ages.map(
      (one) => compareAge(one, age.from) >= 0 && (age.to === undefined || compareAge(one, age.to) < 0),
    );
    if (!within.includes(true)) return undefined;
    if (within.includes(false)) return { doubt: 'age' };
  }
  return said;
}

function byLimits(rule: Rule, observation: Observation, unit: string | undefined): Verdict {
  const { converted } = observation;
  let { value } = observation;
  if (!(unit === undefined ? rule.unit === '1' && observation.unit === '' : rule.sameUnit(unit))) {
    if (converted === undefined || !rule.sameUnit(converted.unit)) return { doubt: 'unit' };
    value = converted.value;
  }
  if (value.trim() === '') return undefined;
  const [, comparator = '', digits = ''] = /^(<=|>=|<|>|≤|≥)?\s*(\S{1,80})$/.exec(plainDigits(value)) ?? [];
  const number = parseDecimal(withPoint(digits));
  if (number === undefined && grouped.test(digits)) return { doubt: 'value', remark: undecided };
  if (number === undefined || observation.furtherValues.length > 0) return { doubt: 'value' };
  const { low, high, below, above } = rule;
  const [toLow, toHigh] = [low, high].map((limit) =>
    limit === undefined ? undefined : order(number, limit),
  );
  const orEqual = comparator.length > 1 || comparator === '≤' || comparator === '≥';
  const unitText = rule.unit === '1' ? '' : ` ${rule.unit}`;
  if (comparator === '') {
    if (toLow !== undefined && toLow < 0) return { said: `below ${below}${unitText}` };
    return toHigh !== undefined && toHigh > 0 ? { said: `above ${above}${unitText}` } : undefined;
  }
  const upward = comparator === '>' || comparator.startsWith('>') || comparator === '≥';
  const [near, far] = upward ? [toHigh, toLow] : [toLow, toHigh];
  const sign = upward ? 1 : -1;
  // > 6 is above 6; >= 6 may be 6.
  if (near !== undefined && (near * sign > 0 || (near === 0 && !orEqual))) {
    return { said: upward ? `above ${above}${unitText}` : `below ${below}${unitText}` };
  }
  if (near !== undefined) return { doubt: 'value' };
  // Only the other limit is there: >2 may still be below 3.
  return far !== undefined && far * sign < 0 ? { doubt: 'value' } : undefined;
}

const undecided =
  'a comma before three digits, decimals or thousands: no rule for critical results was applied';
const remarksMax = 100;

/** Thousands or decimals; nobody groups what begins with 0 or has more digits before the comma. */
const grouped = /^[+-]?[1-9]\d{0,2},\d{3}$/;

/** `6,9` as 6.9; `1,234` and what has a point as well stay as they are. */
function withPoint(digits: string): string {
  return grouped.test(digits) ? digits : digits.replace(/^([+-]?\d+),(\d+)$/, '$1.$2');
}

/** Full-width digits and signs as ASCII has them. */
function plainDigits(value: string): string {
  return value.normalize('NFKC').trim();
}

function tell(event: ClinicalEvent, { setId }: Observation, what: string): void {
  const text = `${/^\d{1,6}$/.test(setId) ? `OBX[${setId}]-5` : 'value'}: ${what}`;
  const remarks = event.provenance?.remarks ?? [];
  if (remarks.length < remarksMax && !remarks.includes(text)) remarks.push(text);
}

function bySaid({ contains, words }: Rule, observation: Observation): Verdict {
  const { value, furtherValues, valueCode } = observation;
  const text = [value, valueCode?.text ?? '', ...furtherValues].join('\n').slice(0, textMax).toLowerCase();
  for (const one of contains ?? []) if (text.includes(one.toLowerCase())) return { said: `says "${one}"` };
  for (const one of words ?? []) if (hasWord(text, one.toLowerCase())) return { said: `says "${one}"` };
  return undefined;
}

/** The next character on either side is no letter and no digit. */
function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const before = [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? ' ';
    const [after = ' '] = text.slice(at + word.length, at + word.length + 2);
    if (!letter.test(before) && !letter.test(after)) return true;
  }
  return false;
}

const letter = /[\p{L}\p{N}]/u;

/** Equal units under two spellings; what was asked is kept. */
function unitMatcher(unit: string): (other: string) => boolean {
  const own = canonical(unit);
  const known = new Map<string, boolean>();
  return (other) => {
    if (other === own) return true;
    let same = known.get(other);
    if (same === undefined) {
      const relation = relate(other, unit);
      same = !('problem' in relation) && relation.offset.coefficient === 0n && isOne(relation.factor);
      if (known.size < relationsMax) known.set(other, same);
    }
    return same;
  };
}

function isOne(factor: Decimal): boolean {
  return order(factor, { coefficient: 1n, scale: 0 }) === 0;
}

function order(a: Decimal, b: Decimal): number {
  const { coefficient } = add(a, multiply(b, { coefficient: -1n, scale: 0 }));
  return coefficient === 0n ? 0 : coefficient < 0n ? -1 : 1;
}
