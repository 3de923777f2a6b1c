/** What the broker counts and logs. Reasons are words of a fixed set: never payload, topic, client id or password. */

import { PerMinute } from '../rate.ts';
import { emptyStats, type MqttHooks } from './options.ts';

const linesPerMinuteMax = 60;

export class Counters {
  readonly stats = emptyStats();
  readonly #listener: string;
  readonly #hooks: MqttHooks;
  readonly #lines = new PerMinute(linesPerMinuteMax);

  constructor(listener: string, hooks: MqttHooks) {
    this.#listener = listener;
    this.#hooks = hooks;
  }

  /** Closed before CONNACK 0. */
  refused(reason: string, address: string, cause = ''): void {
    bump(this.stats.refused, reason);
    this.log('mqtt.refused', {
      reason,
      ...(cause === '' ? {} : { cause }),
      ...(address === '' ? {} : { address }),
    });
  }

  /** Closed after it, not by the client's own doing. */
  closed(reason: string, address: string): void {
    bump(this.stats.closed, reason);
    this.log('mqtt.closed', { reason, address });
  }

  /** An attacker's retries are counted, not all of them logged. */
  log(code: string, fields: Record<string, string | number>): void {
    if (this.#lines.allow(`${code} ${fields.reason ?? ''}`, this.#hooks.elapsedMs())) {
      this.#hooks.log(code, { listener: this.#listener, ...fields });
    }
  }
}

function bump(counts: Record<string, number>, reason: string): void {
  counts[reason] = (counts[reason] ?? 0) + 1;
}
