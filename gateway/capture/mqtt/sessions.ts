/**
 * What is remembered of a session: that it is there, and the QoS 2 packet ids between PUBLISH and PUBREL, nothing else.
 *
 * The durable memory of both is the journal's, under the keys made here; this one only decides whether
 * the journal is asked for a packet. Lost on a restart: then DUP, and for a client's first packets the mere possibility,
 * makes the journal look; without DUP only the same bytes are a repeat to it.
 *
 *     mqtt|listener|client id|user                  there is a session, clean session 0
 *     mqtt1|listener|client id|packet id            QoS 1, clean session 0 only
 *     mqtt2|listener|client id|packet id            QoS 2, clean session 0
 *     mqtt2|listener|client id|nonce|packet id      QoS 2, clean session 1: ends with the connection [MQTT-3.1.2-6]
 *
 * Subscriptions are never kept: offline queues have no bound in aedes. So a session ends for who subscribes: nobody waits
 * for what it would not get.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { RepeatKey } from '../intake.ts';

export interface Unreleased {
  /** Of topic and payload: tells a re-sent packet from a new one under a reused id where DUP was not set. */
  digest: string;
  /** On which connection it came. */
  link: object;
  /** Committed and acknowledged with PUBREC: another copy gets PUBREC only [MQTT-4.3.3-2]. */
  stored: boolean;
}

export interface Session {
  readonly clientId: string;
  readonly principal: string;
  /** Empty for a session that outlives its connection. */
  readonly nonce: string;
  readonly unreleased: Map<number, Unreleased>;
  /** A broker that just started does not know what it took before: packets that are looked up though DUP is 0. */
  lookups: number;
}

const REPEAT_WINDOW_MS = 60_000;

/** What a session can have open at once [MQTT-2.3.1-1]. */
export const packetIdsMax = 65_535;

export function sessionKey(listener: string, { clientId, principal }: Session): string {
  return `mqtt|${listener}|${clientId}|${principal}`;
}

/** QoS 1: a repeat is DUP, on a resumed session, with the same bytes, soon. Two equal readings are two readings. */
export function qos1Repeat(
  listener: string,
  session: Session,
  packetId: number,
  dup: boolean,
): RepeatKey | undefined {
  if (session.nonce) return undefined; // never resumed, so never consulted
  return {
    key: `mqtt1|${listener}|${session.clientId}|${packetId}`,
    consult: dup,
    window: { ms: REPEAT_WINDOW_MS },
    otherBytes: 'replace',
  };
}

export function qos2Key(listener: string, session: Session, packetId: number): string {
  const scope = session.nonce ? `${session.clientId}|${session.nonce}` : session.clientId;
  return `mqtt2|${listener}|${scope}|${packetId}`;
}

/**
 * QoS 2: the packet id, until PUBREL. Asked where the sender says so (DUP), where this connection still owes
 * the PUBREL, or where the same bytes come under an id that an earlier connection left open: a device that lost
 * its memory and counts from 1 again under other bytes has a new reading, and losing it would be worse than
 * doubling it.
 */
export function qos2Consults(
  session: Session,
  link: object,
  packetId: number,
  dup: boolean,
  digest: string,
): boolean {
  const open = session.unreleased.get(packetId);
  const looked = session.lookups > 0;
  if (looked) session.lookups--;
  return dup || (open !== undefined && (open.link === link || open.digest === digest)) || (looked && !open);
}

export function digestOf(topic: string, payload: Uint8Array): string {
  return createHash('sha256').update(topic).update('\0').update(payload).digest('base64');
}

/** Sessions by client id; bounded, the longest unused goes first. */
export class Sessions {
  readonly #kept = new Map<string, Session>();
  readonly #keptMax: number;
  readonly #onDropped: (session: Session) => void;

  constructor(keptMax: number, onDropped: (session: Session) => void) {
    this.#keptMax = keptMax;
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** `ended`: a kept session that this CONNECT discards; its keys are to be released. */
  open(clientId: string, principal: string, clean: boolean): { session: Session; ended?: Session } {
    const kept = this.#kept.get(clientId);
    this.#kept.delete(clientId);
    if (clean) {
      // The client id is known from now on: nothing of an earlier life can come back under it.
      this.#keep(this.#fresh(clientId, principal, '', 0));
      const session = this.#fresh(clientId, principal, randomBytes(9).toString('base64url'), 0);
      return kept ? { session, ended: kept } : { session };
    }
    const own = kept?.principal === principal;
    const session = own ? kept : this.#fresh(clientId, principal, '', kept ? 0 : packetIdsMax);
    this.#keep(session);
    return kept && !own ? { session, ended: kept } : { session };
  }

  #keep(session: Session): void {
    this.#kept.set(session.clientId, session);
    if (this.#kept.size <= this.#keptMax) return;
    for (const [clientId, oldest] of this.#kept) {
      this.#kept.delete(clientId);
      this.#onDropped(oldest);
      break;
    }
  }

  #fresh(clientId: string, principal: string, nonce: string, lookups: number): Session {
    return { clientId, principal, nonce, unreleased: new Map(), lookups };
  }
}
