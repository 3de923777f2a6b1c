/** Rules for critical results, checked against themselves: each must be able to say something. */
import { add, multiply, parseDecimal } from '../units/decimal.ts';
import type { Found } from './check.ts';
import { criticalLimits } from './critical-schema.ts';
import type { Config } from './schema.ts';

export function checkCritical({ critical }: Config): Found[] {
  const found: Found[] = [];
  const rules = Object.entries(critical);
  if (rules.length > criticalLimits.rulesMax) {
    const message = `more than ${criticalLimits.rulesMax} rules`;
    found.push({
      path: ['critical'],
      message,
      hint: 'ranges for codes that nobody sends can go',
      atKey: true,
    });
  }
  for (const [name, rule] of rules) {
    const base = ['critical', name];
    const { code, unit, below, above, contains, words, age } = rule;
    const limits = below !== undefined || above !== undefined;
    const texts = contains !== undefined || words !== undefined;
    const wrong = (message: string, hint: string, ...path: string[]) =>
      found.push({ path: [...base, ...path], message, hint, atKey: path.length === 0 });
    if (!limits && !texts) wrong('nothing makes a result critical', 'add below, above, contains or words');
    if (limits && texts) wrong('a rule has limits or words, not both', 'write two rules');
    if (limits && code === undefined) wrong('limits need a code', 'add code: "2823-3"');
    if (limits && unit === undefined)
      wrong('limits need a unit', 'add unit: mmol/L; "1" where there is none');
    if (!limits && unit !== undefined) wrong('a unit belongs to limits', 'remove it', 'unit');
    const [low, high] = [parseDecimal(below ?? ''), parseDecimal(above ?? '')];
    if (low !== undefined && high !== undefined) {
      const minus = { coefficient: -1n, scale: 0 };
      if (add(high, multiply(low, minus)).coefficient < 0n) {
        wrong(`every value is below ${below} or above ${above}`, 'below is the lower limit', 'below');
      }
    }
    const [from, to] = [daysOf(age?.from), daysOf(age?.to)];
    if (from !== undefined && to !== undefined && from >= to)
      wrong(`nobody is ${age?.from} or older and not yet ${age?.to}`, 'from is the lower age', 'age', 'from');
    if (age !== undefined && age.from === undefined && age.to === undefined) {
      wrong('an age without from and to is every age', 'remove it', 'age');
    }
  }
  return found;
}

const days = { y: 365.25, mo: 365.25 / 12, w: 7, d: 1 } as const;

/** About so many: enough to see that two ages stand the wrong way round. */
function daysOf(age: string | undefined): number | undefined {
  const [, count, unit] = /^(\d+)(y|mo|w|d)$/.exec(age ?? '') ?? [];
  return count === undefined ? undefined : Number(count) * days[unit as keyof typeof days];
}
