/**
 * QoS 2, exactly once up to the journal (MQTT 3.1.1 section 4.3.3).
 *
 *     PUBLISH ─► open ─► commit ─► stored ─► PUBREC
 *     PUBREL  ─► durably released ─► forgotten ─► PUBCOMP
 *
 * Invariants: a stored packet id that comes again gets PUBREC and no second commit; an id means another
 * message only after its release was durable [MQTT-4.3.3-2]; the open ids of all sessions have a bound.
 */
import type { RepeatKey } from '../intake.ts';
import type { Link, PublishPacket } from './link.ts';
import type { MqttPart } from './part.ts';
import { digestOf, packetIdsMax, qos2Consults, qos2Key, type Session } from './sessions.ts';

export class Qos2 {
  readonly #part: MqttPart;
  /** Sessions with open ids, and the connection that opened the last one. */
  readonly #holders = new Map<Session, Link>();
  /** Ids of all of them. */
  #open = 0;

  constructor(part: MqttPart) {
    this.#part = part;
  }

  /**
   * false: the connection has to close, for its session holds the most of all that may be open. Before that,
   * what sessions without a connection left open gives way, and then the session that holds the most.
   */
  makeRoom(link: Link, packetId: number): boolean {
    const own = link.session as Session;
    if (this.#open < this.#part.limits.unreleasedTotalMax || own.unreleased.has(packetId)) return true;
    for (const [session, { socket }] of this.#holders) {
      if (session === own || !socket.destroyed) continue;
      this.forget(session);
      return true;
    }
    let most = own;
    for (const session of this.#holders.keys()) {
      if (session.unreleased.size > most.unreleased.size) most = session;
    }
    const holder = this.#holders.get(most);
    if (most === own || holder === undefined) return false;
    holder.reason ??= 'unreleased-limit';
    holder.socket.destroy();
    if (most.nonce) this.end(most);
    else this.forget(most);
    return true;
  }

  /** Opens the packet id, and tells under which key the journal looks for an earlier copy. */
  open(link: Link, { topic, dup, messageId }: PublishPacket, payload: Buffer): RepeatKey {
    const session = link.session as Session;
    const packetId = messageId as number;
    const digest = digestOf(topic, payload);
    const consult = qos2Consults(session, link, packetId, dup, digest);
    const open = session.unreleased.get(packetId);
    // Where it may be a repeat, the first copy's bytes stay the measure.
    session.unreleased.set(packetId, open && consult ? { ...open, link } : { digest, link, stored: false });
    if (!open) this.#open++;
    this.#holders.set(session, link);
    const key = qos2Key(this.#part.options.name, session, packetId);
    // The sender says that it is the same, or must not reuse the id here [MQTT-4.3.3-2]; else the bytes have to say so.
    const same = dup || open?.link === link;
    return {
      key,
      consult,
      window: same ? 'released' : { ms: Number.POSITIVE_INFINITY },
      otherBytes: 'replace',
    };
  }

  isStored(link: Link | undefined, packetId: number): boolean {
    return link?.session?.unreleased.get(packetId)?.stored === true;
  }

  stored(link: Link | undefined, packetId: number): void {
    const open = link?.session?.unreleased.get(packetId);
    if (open) open.stored = true;
  }

  /** Nothing was committed under the packet id. */
  refused(link: Link, packetId: number): void {
    if (link.session) this.#close(link.session, packetId);
  }

  /** PUBREL: the id may mean another message from now on, but not before that is durable [MQTT-4.3.3-2]. */
  async release(link: Link | undefined, packetId: number): Promise<void> {
    const session = link?.session;
    if (!link || !session) return;
    // A clean session's unknown id was never taken; a kept one's may be from before a restart.
    if (session.nonce && !session.unreleased.has(packetId)) return;
    const { options, counters, commits } = this.#part;
    try {
      await commits.release(qos2Key(options.name, session, packetId));
      this.#close(session, packetId);
      counters.stats.released++;
    } catch (error) {
      // aedes would send PUBCOMP all the same: the connection must be gone before it hears of this.
      link.reason ??= 'commit';
      counters.log('mqtt-release-refused', {});
      link.socket.destroy();
      throw error;
    }
  }

  /** The session ended, and with it all its packet ids. */
  end(session: Session): void {
    const { options, commits } = this.#part;
    for (const packetId of session.unreleased.keys()) {
      commits.forget(qos2Key(options.name, session, packetId));
    }
    this.#clear(session);
  }

  /** As after a restart: the journal goes on knowing the ids, and is asked for each that comes. */
  forget(session: Session): void {
    if (session.unreleased.size === 0) return;
    this.#clear(session);
    session.lookups = packetIdsMax;
  }

  #close(session: Session, packetId: number): void {
    if (!session.unreleased.delete(packetId)) return;
    this.#open--;
    if (session.unreleased.size === 0) this.#holders.delete(session);
  }

  #clear(session: Session): void {
    this.#open -= session.unreleased.size;
    session.unreleased.clear();
    this.#holders.delete(session);
  }
}
