/** `once` checked against the sources and against itself: of each event one rule can speak, and it can be kept. */
import { type Found, noSuch } from './check.ts';
import type { Path, Positions } from './position.ts';
import type { Config } from './schema.ts';

export function checkOnce(config: Config, positions: Positions): Found[] {
  const sources = Object.keys(config.sources);
  return [...checkFeeds(config, sources, positions), ...checkAlarms(config, sources)];
}

function checkFeeds({ once }: Config, sources: readonly string[], positions: Positions): Found[] {
  const found: Found[] = [];
  const groups = new Map<string, string>();
  for (const [name, { feeds, authoritative }] of Object.entries(once.results)) {
    const base = ['once', 'results', name];
    feeds.forEach((feed, i) => {
      const path = [...base, 'feeds', i];
      const other = groups.get(feed);
      groups.set(feed, name);
      if (!sources.includes(feed)) found.push({ path, ...noSuch('source', feed, sources) });
      else if (other === name)
        found.push({ path, message: `"${feed}" stands here twice`, hint: 'remove it' });
      else if (other !== undefined) {
        const message = `"${feed}" is a feed of "${other}" too`;
        found.push({ path, message, hint: 'put all feeds of the same results into one group' });
      }
    });
    const list = positions.exists([...base, 'authoritative', 0]);
    let always: string | undefined;
    authoritative.forEach(({ feed, when }, i) => {
      const path: Path = list ? [...base, 'authoritative', i] : [...base, 'authoritative'];
      const at: Path = list ? [...path, 'feed'] : path;
      if (!feeds.includes(feed)) found.push({ path: at, ...noSuch('feed', feed, feeds) });
      else if (always !== undefined) {
        const message = `"${always}" is authoritative for all before it`;
        found.push({ path: at, message, hint: 'give that one a `when`, or put it last' });
      }
      if (when === 'true') always = feed;
    });
  }
  return found;
}

type Alarms = Config['once']['alarms'][string];

function checkAlarms({ once }: Config, sources: readonly string[]): Found[] {
  const found: Found[] = [];
  const entries = Object.entries(once.alarms);
  entries.forEach(([name, rule], i) => {
    const base = ['once', 'alarms', name];
    rule.sources?.forEach((source, at) => {
      if (sources.includes(source)) return;
      found.push({ path: [...base, 'sources', at], ...noSuch('source', source, sources) });
    });
    const other = entries.slice(0, i).find(([, one]) => meet(one, rule));
    if (other === undefined) return;
    const message = `"${other[0]}" has a window for the same alarms`;
    const hint = 'tell them apart by sources, codes or priorities';
    found.push({ path: base, message, hint, atKey: true });
  });
  return found;
}

function meet(a: Alarms, b: Alarms): boolean {
  return overlap(a.sources, b.sources) && overlap(a.codes, b.codes) && overlap(a.priorities, b.priorities);
}

/** A list that is left out is all. */
function overlap(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a === undefined || b === undefined || a.some((one) => b.includes(one));
}

/** Sentences for a person: what is urgent and may be left without an effect. */
export function onceWarnings({ once }: Pick<Config, 'once'>): string[] {
  return Object.entries(once.alarms)
    .filter(([, { priorities }]) => priorities.includes('high'))
    .map(
      ([name, { window }]) =>
        `once.alarms.${name} also means alarms of high priority: the same one again within ${window} reaches nobody. First, escalated and re-raised ones do.`,
    );
}
