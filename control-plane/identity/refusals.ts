/**
 * Enrollments that were refused. Whoever reaches the port can cause them, as many as they like: the first of an
 * address is told at once, what follows it within a minute is counted and told in one entry.
 */
import type { Log } from '../../gateway/process/log.ts';
import type { AuditEntry } from '../../proto/gen/hilum/v1/session.ts';

const minuteMs = 60_000;
/** More at once are one: an attacker may have many addresses. */
const addressesMax = 100;
const others = 'other addresses';

interface Trail {
  add(entry: Partial<AuditEntry>): Promise<void>;
}

export class Refusals {
  readonly #audit: Trail;
  readonly #log: Log;
  /** address → refused since it was told last */
  readonly #counts = new Map<string, { more: number; timer: NodeJS.Timeout }>();

  constructor(audit: Trail, log: Log) {
    this.#audit = audit;
    this.#log = log;
  }

  /** Resolves when it is in the trail, or counted. @param peer address and port */
  async note(peer: string): Promise<void> {
    const host = peer.replace(/:\d+$/, '');
    const address = this.#counts.has(host) || this.#counts.size < addressesMax ? host : others;
    const counted = this.#counts.get(address);
    if (counted !== undefined) {
      counted.more += 1;
      return;
    }
    this.#counts.set(address, { more: 0, timer: this.#later(address) });
    await this.#tell(peer, '');
  }

  /** Tells what was only counted so far. */
  async stop(): Promise<void> {
    for (const address of [...this.#counts.keys()]) await this.#settle(address);
  }

  #later(address: string): NodeJS.Timeout {
    return setTimeout(() => void this.#settle(address), minuteMs).unref();
  }

  async #settle(address: string): Promise<void> {
    const counted = this.#counts.get(address);
    if (counted === undefined) return;
    clearTimeout(counted.timer);
    this.#counts.delete(address);
    if (counted.more > 0) await this.#tell(address, `${counted.more} more within a minute`);
  }

  async #tell(actor: string, detail: string): Promise<void> {
    this.#log('warn', 'enrollment-refused', { peer: actor, ...(detail !== '' && { detail }) });
    const reason = 'the token is unknown, used or expired';
    await this.#audit.add({ action: 'enroll', outcome: 'refused', actor, reason, detail });
  }
}
