/**
 * Who holds which client id. The standard lets the newest connection close the older one [MQTT-3.1.4-2] and
 * does not ask whose it is: here only the same user or certificate may, and not in a loop.
 */
import { PerMinute } from '../rate.ts';

export class Ownership<Link extends { principal: string }> {
  readonly #held = new Map<string, Link>();
  readonly #takeovers: PerMinute;

  constructor(takeoversPerMinuteMax: number, coolDownMs: number) {
    this.#takeovers = new PerMinute(takeoversPerMinuteMax, coolDownMs);
  }

  holder(clientId: string): Link | undefined {
    return this.#held.get(clientId);
  }

  /**
   * Takes the client id in one step, so that two CONNECTs in flight cannot both find it free.
   * `took`: the connection that has to go.
   */
  claim(
    clientId: string,
    link: Link,
    nowMs: number,
  ): { refused: 'owner' | 'cool-down' } | { took: Link | undefined } {
    const before = this.#held.get(clientId);
    if (before && before.principal !== link.principal) return { refused: 'owner' };
    if (before && !this.#takeovers.allow(clientId, nowMs)) return { refused: 'cool-down' };
    this.#held.set(clientId, link);
    return { took: before };
  }

  release(clientId: string, link: Link): void {
    if (this.#held.get(clientId) === link) this.#held.delete(clientId);
  }
}
