/**
 * Class rules that put what is urgent among what is not, perhaps without meaning to.
 *
 * A config's rules come before the built-in ones, and the first that matches decides. So `ICU → urgent`, meant to
 * raise, also takes the critical potassium of the ICU out of `stat`. A config may decide that; a person must be
 * told before it does. A rule that looks at flags or priorities itself has thought of it; so has one that comes
 * behind a rule which looks at them and gives `stat`. The `class` of a source says "everything", so it is no surprise.
 */
import { neverHolds } from './cel.ts';
import { reachedRules } from './never-warnings.ts';
import type { Config } from './schema.ts';

interface Urgent {
  /** As a person says it. */
  readonly what: string;
  readonly kinds: readonly string[];
  /** Fields that tell it from what is not urgent. */
  readonly told: RegExp;
}

/** What the built-in rules make `stat`. */
const builtIn: readonly Urgent[] = [
  {
    what: 'critical results',
    kinds: ['observation', 'device-observation'],
    told: /\.(interpretations?|critical)\b/,
  },
  {
    what: 'STAT orders and their results',
    kinds: ['order', 'observation', 'medication'],
    told: /\.priority\b/,
  },
  { what: 'alarms of high priority', kinds: ['device-alarm'], told: /\.(priority|interpretations?)\b/ },
];

/** What the config's own `critical` marks has no flag: a rule that looks only at flags has not thought of it. */
const marked: Urgent = {
  what: 'results that a rule of "critical" marks',
  kinds: ['observation', 'device-observation'],
  told: /\.critical\b/,
};

/** Sentences for a person; empty where nothing urgent is lowered unseen. The config has been checked. */
export function loweringWarnings({ classes, critical }: Pick<Config, 'classes' | 'critical'>): string[] {
  const warnings: string[] = [];
  const urgents = Object.keys(critical).length === 0 ? builtIn : [...builtIn, marked];
  const unhandled = new Set(urgents);
  for (const { name, when, class: given } of reachedRules(classes.rules)) {
    if (neverHolds(when)) continue;
    const said = withoutTexts(when);
    if (given === 'stat') {
      for (const urgent of unhandled) if (urgent.told.test(said)) unhandled.delete(urgent);
      continue;
    }
    const kinds = kindsOf(when);
    const lowered = [...unhandled].filter(
      (urgent) =>
        !urgent.told.test(said) && (kinds === undefined || urgent.kinds.some((kind) => kinds.includes(kind))),
    );
    if (lowered.length > 0)
      warnings.push(
        `The class rule "${name}" makes what it matches ${given}, ${also(lowered)}: put a rule that makes them stat before it, or leave them out in its "when".`,
      );
  }
  if (!classes.defaults && unhandled.size > 0)
    warnings.push(
      `The built-in class rules are off (classes.defaults), and what no rule matches is routine, ${also([...unhandled])}: add a rule that makes them stat.`,
    );
  return warnings;
}

function also(lowered: readonly Urgent[]): string {
  const words = lowered.map(({ what }) => what);
  const last = words.pop() ?? '';
  return `also ${words.length === 0 ? last : `${words.join(', ')} and ${last}`}, which are stat otherwise`;
}

/** A predicate with its texts emptied, so that words in them are no words of it. */
export function withoutTexts(predicate: string): string {
  return predicate.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
}

/** The kinds that a predicate is limited to; undefined where it is not, or where nobody can tell at a glance. */
function kindsOf(predicate: string): string[] | undefined {
  if (/\|\||!|\?/.test(withoutTexts(predicate))) return undefined;
  const found = /\bevent\.kind\s*(?:==\s*(["'][^"']*["'])|in\s*\[([^\]]*)\])/.exec(predicate);
  if (found === null) return undefined;
  return [...(found[1] ?? found[2] ?? '').matchAll(/["']([^"']*)["']/g)].map(([, kind = '']) => kind);
}
