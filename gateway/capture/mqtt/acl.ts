/**
 * What a client may do, by its filters. Access is default-deny: a client publishes where one of its filters matches and
 * nowhere else. A wildcard in the first level never reaches `$` topics [MQTT-4.7.2-1], so `#` in a user's list does not
 * open `$SYS`. Pure.
 */
import { filterCovers, filterMatches } from './topic.ts';

/** Filters are split once, at CONNECT. */
export class Access {
  readonly #publish: string[][];
  readonly #subscribe: string[][];
  /** A device publishes to one topic again and again; the last one that was allowed. */
  #last: string | undefined;

  /** `%u` and `%c` in a filter stand for the user's (or certificate's) name and the client id. */
  constructor(publish: readonly string[], subscribe: readonly string[], user: string, clientId: string) {
    this.#publish = expand(publish, user, clientId);
    this.#subscribe = expand(subscribe, user, clientId);
  }

  mayPublish(topic: string): boolean {
    if (topic === this.#last) return true;
    if (topic.startsWith('$')) return false; // $SYS and $share are the broker's own
    const levels = topic.split('/');
    if (!this.#publish.some((filter) => filterMatches(filter, levels))) return false;
    this.#last = topic;
    return true;
  }

  maySubscribe(filter: string): boolean {
    if (filter.startsWith('$')) return false;
    const levels = filter.split('/');
    return this.#subscribe.some((allowed) => filterCovers(allowed, levels));
  }

  mayReceive(topic: string): boolean {
    if (topic.startsWith('$') || this.#subscribe.length === 0) return false;
    const levels = topic.split('/');
    return this.#subscribe.some((filter) => filterMatches(filter, levels));
  }
}

function expand(filters: readonly string[], user: string, clientId: string): string[][] {
  const names: Record<string, string> = { '%u': user, '%c': clientId };
  const split: string[][] = [];
  for (const filter of filters) {
    const levels = filter.split('/');
    // A name is one level: a client that calls itself `a/#` must not widen its own rights.
    if (levels.some((level) => level in names && !/^[^/+#$]+$/.test(names[level] as string))) continue;
    split.push(levels.map((level) => names[level] ?? level));
  }
  return split;
}
