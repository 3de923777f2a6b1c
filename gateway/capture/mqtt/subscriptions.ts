/**
 * SUBSCRIBE: what was granted, for as long as the connection lasts. Nothing is kept for those who left, because
 * a queue for them has no bound in aedes.
 */
import { isTopicFilter } from './acl.ts';
import type { Link } from './link.ts';
import type { MqttPart } from './part.ts';
import { SESSION_MARK } from './persistence.ts';

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
  grant(link: Link, filter: string): boolean {
    if (filter === SESSION_MARK) return false;
    const { limits, counters } = this.#part;
    const granted =
      isTopicFilter(filter, limits.topicLevelsMax) &&
      link.subscriptions < limits.subscriptionsMax &&
      link.access?.maySubscribe(filter) === true;
    if (!granted) {
      counters.stats.subscribesDenied++;
      return false;
    }
    link.subscriptions++;
    this.#subscribers.add(link);
    return true;
  }

  /** The connection is gone. */
  forget(link: Link): void {
    this.#subscribers.delete(link);
  }
}
