/** Which local destinations an event goes to, and by which route. Pure; queues and retries are elsewhere. */
import { mustCompile } from '../../proto/config/cel.ts';
import { viewEvent } from '../../proto/config/event-view.ts';
import type { Config } from '../../proto/config/schema.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';

export interface Routed {
  route: string;
  destination: string;
}

/**
 * Each destination once, under the first route that leads there. A route sends the bytes of the
 * record, so the caller takes each destination once for all events of a record, too. A predicate that
 * fails at run time does not match [proto/config/cel.ts, takeFailed].
 */
export type Match = (event: ClinicalEvent) => Routed[];

/** The config has been checked; a predicate that does not compile here is a broken invariant. */
export function compileRoutes(config: Pick<Config, 'routes'>): Match {
  const routes = Object.entries(config.routes).map(([name, { when, sources, to }]) => {
    const predicate = mustCompile(`route ${name}`, when);
    return { name, predicate, sources: sources === undefined ? undefined : new Set(sources), to };
  });
  return (event) => {
    if (routes.length === 0) return [];
    const source = event.provenance?.source ?? '';
    const view = viewEvent(event);
    const routed = new Map<string, string>();
    for (const { name, predicate, sources, to } of routes) {
      if (sources !== undefined && !sources.has(source)) continue;
      if (!predicate.test(view)) continue;
      for (const destination of to) if (!routed.has(destination)) routed.set(destination, name);
    }
    return [...routed].map(([destination, route]) => ({ route, destination }));
  };
}
