/**
 * What runs at a site is what its gateways say they run: what is desired may wait for them, or be refused by them.
 */
import type { ConfigVersion } from '../../proto/gen/hilum/v1/admin.ts';
import type { Registry } from '../identity/registry.ts';
import type { Configs } from './configs.ts';

export interface Running {
  /** Each version that one of its gateways runs, the newest first. */
  versions: ConfigVersion[];
  /** A gateway runs something else: the built-in meaning, or what another control plane gave it. */
  other: boolean;
  /** No gateway has said yet what it runs. */
  unknown: boolean;
}

export function runningAt(
  { registry, configs }: { registry: Pick<Registry, 'ofSite'>; configs: Pick<Configs, 'given'> },
  site: string,
): Running {
  const told = registry.ofSite(site).filter(({ revoked, config }) => !revoked && config !== undefined);
  const found = told.map(({ config }) => configs.given(config?.running));
  const versions = [...new Set(found.flatMap((one) => one ?? []))];
  versions.sort((a, b) => Number(b.version - a.version));
  return { versions, other: found.includes(undefined), unknown: told.length === 0 };
}
