/** A config without one of its rules at a time. What of an event is then different is that rule's doing. */
import type { Config } from '../../../proto/config/schema.ts';

/** Gives the config without some of the entries, by their index. */
interface Group {
  names: string[];
  without(left: ReadonlySet<number>): Config;
}

/**
 * Calls `differs` with the config without a rule and the rule's path. A group of rules whose
 * absence altogether makes no difference is not taken apart; such a call has no name.
 */
export function withoutEach(
  config: Config,
  differs: (config: Config, name: string | undefined) => boolean,
): void {
  for (const group of groupsOf(config)) {
    halve(
      group,
      group.names.map((_, index) => index),
    );
  }

  function halve(group: Group, left: number[]): void {
    const [first] = left;
    if (first === undefined) return;
    if (left.length === 1) {
      differs(group.without(new Set(left)), group.names[first]);
      return;
    }
    if (!differs(group.without(new Set(left)), undefined)) return;
    const middle = Math.ceil(left.length / 2);
    halve(group, left.slice(0, middle));
    halve(group, left.slice(middle));
  }
}

function groupsOf(config: Config): Group[] {
  const { site, sources, codes, units, identity, classes } = config;
  return [
    // A zone cannot be absent; another one shows what it decides.
    one('site.zone', { ...config, site: { ...site, zone: otherZone(site.zone) } }),
    ...Object.entries(sources).flatMap(([name, source]) => {
      const set = (to: Partial<typeof source>): Config => ({
        ...config,
        sources: { ...sources, [name]: { ...source, ...to } },
      });
      return [
        ...(source.zone === undefined
          ? []
          : [one(`sources.${name}.zone`, set({ zone: otherZone(source.zone) }))]),
        ...(source.charset === undefined
          ? []
          : [one(`sources.${name}.charset`, set({ charset: undefined }))]),
        ...(source.class === undefined ? [] : [one(`sources.${name}.class`, set({ class: undefined }))]),
        ...(source.reviewed ? [] : [one(`sources.${name}.reviewed`, set({ reviewed: true }))]),
      ];
    }),
    keyed('codes', codes, (kept) => ({ ...config, codes: kept })),
    keyed('units.map', units.map, (map) => ({ ...config, units: { ...units, map } })),
    keyed('units.convert', units.convert, (convert) => ({ ...config, units: { ...units, convert } })),
    keyed('identity.authorities', identity.authorities, (authorities) => ({
      ...config,
      identity: { ...identity, authorities },
    })),
    keyed('devices', config.devices, (devices) => ({ ...config, devices })),
    keyed('mappings', config.mappings, (mappings) => ({ ...config, mappings })),
    keyed('critical', config.critical, (critical) => ({ ...config, critical })),
    {
      names: classes.rules.map(({ name }) => `classes.${name}`),
      without: (left) => ({
        ...config,
        classes: { ...classes, rules: classes.rules.filter((_, index) => !left.has(index)) },
      }),
    },
  ];
}

function one(name: string, config: Config): Group {
  return { names: [name], without: () => config };
}

function keyed<T>(
  path: string,
  entries: Readonly<Record<string, T>>,
  put: (kept: Record<string, T>) => Config,
): Group {
  const all = Object.entries(entries);
  return {
    names: all.map(([key]) => (/^[\w-]+$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`)),
    without: (left) => put(Object.fromEntries(all.filter((_, index) => !left.has(index)))),
  };
}

/** Not a whole number of hours from it, so that no two agree by accident at a change of the clocks. */
function otherZone(zone: string): string {
  return zone === 'Asia/Kathmandu' ? 'Pacific/Marquesas' : 'Asia/Kathmandu';
}
