/** `once` of a config made ready to run: what it says of a source. Looked up for each record, so absent where it says nothing. */
import { mustCompile } from '../../../proto/config/cel.ts';
import { durationMs } from '../../../proto/config/duration.ts';
import type { Class, Config } from '../../../proto/config/schema.ts';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';

/** What the config says of the record's source. */
export interface OnceRules {
  /** The group that the source is a feed of. */
  readonly feeds: Feeds | undefined;
  /** Those that may speak of its alarms. */
  readonly alarms: readonly AlarmWindow[];
  /** The class of the event by itself; its record may give it a higher one. */
  classOf(event: ClinicalEvent): Class;
  /** Local destinations that a route leads the event to, as one of its record's class. */
  destinationsOf(event: ClinicalEvent): string[];
}

export interface Feeds {
  readonly name: string;
  readonly sources: ReadonlySet<string>;
  /** The feed whose word counts for what the event says; undefined where it is nobody's. */
  authority(event: ClinicalEvent): string | undefined;
}

export interface AlarmWindow {
  readonly name: string;
  /** Undefined: all. */
  readonly codes: ReadonlySet<string> | undefined;
  readonly priorities: ReadonlySet<string>;
  readonly windowMs: number;
}

type OfSource = Pick<OnceRules, 'feeds' | 'alarms'>;

/**
 * Undefined where nothing is configured. The config has been checked.
 * @returns what is said of a source; undefined where nothing is
 */
export function compileOnce({
  once,
}: Pick<Config, 'once'>): ((source: string) => OfSource | undefined) | undefined {
  const feedsOf = new Map<string, Feeds>();
  for (const [name, { feeds, authoritative }] of Object.entries(once.results)) {
    const whens = authoritative.map(({ feed, when }) => ({
      feed,
      predicate: when === 'true' ? undefined : mustCompile(`once.results.${name}`, when),
    }));
    const group: Feeds = {
      name,
      sources: new Set(feeds),
      authority: (event) =>
        whens.find(({ predicate }) => predicate === undefined || predicate.test(event))?.feed,
    };
    for (const feed of feeds) feedsOf.set(feed, group);
  }
  const windows = Object.entries(once.alarms).map(([name, { sources, codes, priorities, window }]) => ({
    sources,
    rule: {
      name,
      codes: codes && new Set(codes),
      priorities: new Set<string>(priorities),
      windowMs: durationMs(window) ?? 0,
    },
  }));
  if (feedsOf.size === 0 && windows.length === 0) return undefined;
  const known = new Map<string, OfSource | undefined>();
  return (source) => {
    let found = known.get(source);
    if (found === undefined && !known.has(source)) {
      const alarms = windows
        .filter(({ sources }) => sources === undefined || sources.includes(source))
        .map(({ rule }) => rule);
      const feeds = feedsOf.get(source);
      found = feeds === undefined && alarms.length === 0 ? undefined : { feeds, alarms };
      known.set(source, found);
    }
    return found;
  };
}
