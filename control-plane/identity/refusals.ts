/**
 * Callers who were refused. Whoever reaches the port can cause them, as many as they like: the first of an
 * address, reason and name is told at once, what follows it within a while is counted and told in one entry.
 */
import type { Log } from '../../gateway/process/log.ts';
import type { AuditEntry } from '../../proto/gen/hilum/v1/session.ts';

/** More at once are one: an attacker may have many addresses. */
const callersMax = 100;
const others = 'other addresses';

interface Trail {
  add(entry: Partial<AuditEntry>): Promise<void>;
}

/** What is refused: how it is called in the trail and in the log, and how long the next of a caller are only counted. */
export interface Refused {
  readonly action: string;
  readonly code: string;
  readonly countedMs: number;
  readonly within: string;
}

export const refusedEnrollment: Refused = {
  action: 'enroll',
  code: 'enrollment-refused',
  countedMs: 60_000,
  within: 'a minute',
};

/** A gateway that was revoked comes again for as long as it runs. */
export const refusedCall: Refused = {
  action: 'call',
  code: 'identity-refused',
  countedMs: 3_600_000,
  within: 'an hour',
};

interface Caller {
  readonly actor: string;
  readonly reason: string;
  readonly whose: string;
}

export class Refusals {
  readonly #audit: Trail;
  readonly #log: Log;
  readonly #what: Refused;
  /** address, reason and name → refused since it was told last */
  readonly #counts = new Map<string, { caller: Caller; more: number; timer: NodeJS.Timeout }>();

  constructor(audit: Trail, log: Log, what: Refused) {
    this.#audit = audit;
    this.#log = log;
    this.#what = what;
  }

  /**
   * Resolves when it is in the trail, or counted.
   * @param peer address and port
   * @param whose who its certificate says it is; '' where that is not known
   */
  async note(peer: string, reason: string, whose = ''): Promise<void> {
    const host = peer.replace(/:\d+$/, '');
    const keyed = (actor: string) => [actor, reason, whose].join('\n');
    const isPlaced = this.#counts.has(keyed(host)) || this.#counts.size < callersMax;
    const caller = isPlaced ? { actor: host, reason, whose } : { actor: others, reason, whose: '' };
    const key = isPlaced ? keyed(host) : others;
    const counted = this.#counts.get(key);
    if (counted !== undefined) {
      counted.more += 1;
      return;
    }
    const timer = setTimeout(() => void this.#settle(key), this.#what.countedMs).unref();
    this.#counts.set(key, { caller, more: 0, timer });
    await this.#tell({ ...caller, actor: peer }, '');
  }

  /** Tells what was only counted so far. */
  async stop(): Promise<void> {
    for (const key of [...this.#counts.keys()]) await this.#settle(key);
  }

  async #settle(key: string): Promise<void> {
    const counted = this.#counts.get(key);
    if (counted === undefined) return;
    clearTimeout(counted.timer);
    this.#counts.delete(key);
    if (counted.more > 0)
      await this.#tell(counted.caller, `${counted.more} more within ${this.#what.within}`);
  }

  async #tell({ actor, reason, whose }: Caller, more: string): Promise<void> {
    const { action, code } = this.#what;
    const detail = [whose, more].filter((part) => part !== '').join(': ');
    this.#log('warn', code, { peer: actor, reason, ...(detail !== '' && { detail }) });
    await this.#audit.add({ action, outcome: 'refused', actor, reason, detail });
  }
}
