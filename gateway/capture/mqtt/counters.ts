/** What the broker counts and logs. Reasons are words of a fixed set: never payload, topic, client id or password. */
import { PerMinute } from '../rate.ts';
import { type RefusalReason, Refusals } from '../refusals.ts';
import type { Told } from './link.ts';
import { emptyStats, type MqttHooks } from './options.ts';

const linesPerMinuteMax = 60;

/** Of a connection that was ended by us; what is not known is left out. */
export interface Ended {
  address: string;
  /** One of ours, or of a verified certificate. */
  user?: string;
  cause?: string;
  told?: Told | undefined;
}

/** Where somebody has to do something; the other reasons pass by themselves. */
const refusals: Readonly<Record<string, RefusalReason>> = {
  'tls-handshake': 'tls',
  'tls-certificate': 'tls',
  address: 'address',
  'connections-limit': 'limit',
  'address-limit': 'limit',
  credentials: 'credentials',
  'not-authorized': 'credentials',
  acl: 'acl',
  will: 'acl',
  'client-id': 'client-id',
  takeover: 'client-id',
  'cool-down': 'client-id',
  'not-connect': 'protocol',
  tls: 'protocol',
  http: 'protocol',
  version: 'protocol',
  malformed: 'protocol',
};

export class Counters {
  readonly stats = emptyStats();
  readonly refusals = new Refusals();
  readonly #listener: string;
  readonly #hooks: MqttHooks;
  readonly #lines = new PerMinute(linesPerMinuteMax);

  constructor(listener: string, hooks: MqttHooks) {
    this.#listener = listener;
    this.#hooks = hooks;
  }

  /** Closed before CONNACK 0. */
  refused(reason: string, ended: Ended): void {
    bump(this.stats.refused, reason);
    this.#tell('mqtt-refused', reason, ended);
  }

  /** Closed after it, not by the client's own doing. */
  closed(reason: string, ended: Ended): void {
    bump(this.stats.closed, reason);
    this.#tell('mqtt-closed', reason, ended);
  }

  #tell(code: string, reason: string, { address, user = '', cause = '', told }: Ended): void {
    const refusal = refusals[reason];
    if (refusal !== undefined) {
      const detail = cause || (reason === refusal ? '' : reason);
      this.refusals.note(refusal, Number(this.#hooks.nowUs()), { address, user, detail });
    }
    const known = Object.entries({ cause, address, user }).filter(([, value]) => value !== '');
    const level = told !== undefined || refusal !== undefined ? 'warn' : undefined;
    this.log(code, { reason, ...Object.fromEntries(known), ...told }, level);
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
