/** What the broker counts and logs. Reasons are words of a fixed set: never payload, topic, client id or password. */

import { PerMinute } from '../rate.ts';
import type { Told } from './link.ts';
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
  refused(reason: string, address: string, cause = '', told?: Told): void {
    bump(this.stats.refused, reason);
    const fields = { reason, ...(cause === '' ? {} : { cause }), ...(address === '' ? {} : { address }) };
    this.log('mqtt.refused', { ...fields, ...told }, told && 'warn');
  }

  /** Closed after it, not by the client's own doing. */
  closed(reason: string, address: string, told?: Told): void {
    bump(this.stats.closed, reason);
    this.log('mqtt.closed', { reason, address, ...told }, told && 'warn');
  }

  /** An attacker's retries are counted, not all of them logged. */
  log(code: string, fields: Record<string, string | number>, level?: 'warn'): void {
    if (this.#lines.allow(`${code} ${fields.reason ?? ''}`, this.#hooks.elapsedMs())) {
      this.#hooks.log(code, { listener: this.#listener, ...fields }, level);
    }
  }
}

function bump(counts: Record<string, number>, reason: string): void {
  counts[reason] = (counts[reason] ?? 0) + 1;
}
