/**
 * SUBSCRIBE: what was granted, for as long as the connection lasts. Nothing is kept for those who left, because
 * a queue for them has no bound in aedes.
 */
import type { Granted, Link } from './link.ts';
import type { MqttPart } from './part.ts';
import { SESSION_MARK } from './persistence.ts';
import { filterMatches, isTopicFilter } from './topic.ts';

export class Subscriptions {
  readonly #part: MqttPart;
  readonly #subscribers = new Set<Link>();

  constructor(part: MqttPart) {
    this.#part = part;
  }

  /** Does anybody listen at all? */
  get any(): boolean {
    return this.#subscribers.size > 0;
  }

  /** false: answered with 128 [MQTT-3.9.3-2]. */
  grant(link: Link, filter: string, qos: Granted['qos']): boolean {
    if (filter === SESSION_MARK) return false;
    const { limits, counters } = this.#part;
    const granted =
      link.subscriptions.has(filter) || // the new one replaces it [MQTT-3.8.4-3]
      (isTopicFilter(filter, limits.topicLevelsMax) &&
        link.subscriptions.size < limits.subscriptionsMax &&
        link.access?.maySubscribe(filter) === true);
    if (!granted) {
      counters.stats.subscribesDenied++;
      return false;
    }
    link.subscriptions.set(filter, { levels: filter.split('/'), qos });
    this.#subscribers.add(link);
    return true;
  }

  /** The highest of all filters that match, for a message is delivered once [MQTT-3.3.5-1]; undefined: none does. */
  qosFor(link: Link, topic: string): Granted['qos'] | undefined {
    const levels = topic.split('/');
    let highest: Granted['qos'] | undefined;
    for (const { levels: filter, qos } of link.subscriptions.values())
      if ((highest === undefined || qos > highest) && filterMatches(filter, levels)) highest = qos;
    return highest;
  }

  /** UNSUBSCRIBE was done [MQTT-3.10.4-2]. A filter that was subscribed to again meanwhile stays. */
  giveBack(link: Link, filters: readonly string[]): void {
    for (const filter of filters) {
      if (!(filter in link.client.subscriptions)) link.subscriptions.delete(filter);
    }
    if (link.subscriptions.size === 0) this.#subscribers.delete(link);
  }

  /** The connection is gone. */
  forget(link: Link): void {
    this.#subscribers.delete(link);
  }
}
