/**
 * CONNECT: is it well formed, who is it, may it have this client id, which session does it go on with. And the
 * end of a connection, which gives the client id and a clean session back.
 *
 * Invariants
 * - A refused CONNECT has changed nothing: no older connection is closed for it, no session opened.
 * - From the identity on there is no pause until everything is taken: of two CONNECTs in flight one finds the
 *   client id free.
 * - A client id is taken over by the same user or certificate only, and not in a loop (ownership.ts).
 */
import { Access } from './acl.ts';
import { Admission, type Refusal } from './admission.ts';
import type { ConnectPacket, Link } from './link.ts';
import { Ownership } from './ownership.ts';
import type { MqttPart } from './part.ts';
import type { Qos2 } from './qos2.ts';
import { Sessions, sessionKey } from './sessions.ts';
import { isCleanText, isTopicName } from './topic.ts';

export class Connecting {
  readonly #part: MqttPart;
  readonly #qos2: Qos2;
  readonly #admission: Admission;
  readonly #owners: Ownership<Link>;
  readonly #sessions: Sessions;

  constructor(part: MqttPart, qos2: Qos2) {
    const { limits } = part;
    this.#part = part;
    this.#qos2 = qos2;
    this.#admission = new Admission(part.options);
    this.#owners = new Ownership(limits.takeoversPerMinuteMax, limits.takeoverCoolDownMs);
    this.#sessions = new Sessions(limits.sessionsMax, (session) => qos2.forget(session));
  }

  /** false: the packet is malformed, and the connection closes without CONNACK. */
  take(link: Link, packet: ConnectPacket): boolean {
    if (!isWellFormed(packet, this.#part.limits.topicLevelsMax)) {
      link.reason ??= 'malformed';
      return false;
    }
    link.connect = packet;
    // aedes handles a packet of a later read chunk at once, before authentication has answered (lib/client.js
    // enqueue: `_parsingBatch === 1`). Nothing more is read until CONNACK went out.
    link.guard.hold();
    const cap = this.#part.limits.keepaliveSecondsMax;
    if ((packet.keepalive ?? 0) > cap) packet.keepalive = cap;
    return true;
  }

  /** A refusal, or undefined after everything was taken that the connection needs. */
  async admit(
    link: Link | undefined,
    username: string | undefined,
    password: Uint8Array | undefined,
  ): Promise<Refusal | undefined> {
    if (!link?.connect || this.#part.stopping()) return { returnCode: 3, reason: 'stopping' };
    const { connect, client } = link;
    const refuse = (refusal: Refusal): Refusal => {
      link.reason ??= refusal.reason;
      return refusal;
    };
    const generated = connect.clientId === '';
    // [MQTT-3.1.3-8]; 3.1 knows no empty client id at all.
    const needsId = connect.clean === false || connect.protocolVersion === 3;
    if ((generated && needsId) || connect.clientId.length > this.#part.limits.clientIdCharsMax) {
      return refuse({ returnCode: 2, reason: 'client-id' }); // [MQTT-3.1.3-9]
    }
    const identity = await this.#admission.identify(link.socket, username, password);
    if ('returnCode' in identity) {
      link.user = identity.user ?? '';
      return refuse(identity);
    }
    link.user = identity.name;
    // From here on without a pause: two CONNECTs must not both find a client id free.
    if (link.socket.destroyed) return refuse({ returnCode: 3, reason: 'stopping' });
    if (this.#part.stopping()) return refuse({ returnCode: 3, reason: 'stopping' });
    const access = new Access(identity.publish, identity.subscribe, identity.name, client.id);
    if (connect.will && !access.mayPublish(connect.will.topic))
      return refuse({ returnCode: 5, reason: 'will' });
    link.principal = identity.principal;
    const refusal = this.#claim(link);
    if (refusal) return refuse(refusal);
    link.clientId = client.id;
    link.access = access;
    const clean = connect.clean !== false;
    const opened = this.#sessions.open(generated ? '' : client.id, identity.principal, clean);
    link.session = opened.session;
    if (opened.ended) this.#qos2.end(opened.ended);
    const key = sessionKey(this.#part.options.name, opened.session);
    link.resumed = !clean && this.#part.commits.hasSession(key);
    this.#part.counters.log('mqtt-connected', { user: identity.name, address: link.address });
    // What CONNACK tells of the session is durable before.
    if (!generated) await this.#part.commits.session(clean ? 'end' : 'keep', key);
    return undefined;
  }

  /** Subscriptions end with the connection: the next CONNECT is told that there is no session. Resolves when that is durable. */
  async subscribed({ session }: Link): Promise<void> {
    if (session === undefined || session.nonce) return;
    await this.#part.commits.session('end', sessionKey(this.#part.options.name, session));
  }

  /** It has no subscription any more. */
  unsubscribed({ session }: Link): void {
    if (session === undefined || session.nonce) return;
    // Where the journal does not take it, the process ends; until then the client is told of none.
    this.#part.commits.session('keep', sessionKey(this.#part.options.name, session)).catch(() => {});
  }

  /** Is the client on a session that was known before [MQTT-3.2.2-2]? */
  isResumed(clientId: string): boolean {
    return this.#owners.holder(clientId)?.resumed === true;
  }

  /** The connection is gone. */
  leave(link: Link): void {
    const { session } = link;
    if (!session) return;
    this.#owners.release(link.clientId, link);
    // [MQTT-3.1.2-6]: a clean session ends here, and nothing can come under its keys again.
    if (session.nonce && !this.#part.stopping()) this.#qos2.end(session);
  }

  #claim(link: Link): Refusal | undefined {
    const claim = this.#owners.claim(link.client.id, link, this.#part.elapsedMs());
    if ('refused' in claim) {
      // Neither lasts, and 2 (identifier rejected) makes a client give up for good: it is asked to come again.
      return { returnCode: 3, reason: claim.refused === 'owner' ? 'takeover' : 'cool-down' };
    }
    if (claim.took) {
      this.#part.counters.stats.takeovers++;
      claim.took.reason ??= 'taken-over';
      claim.took.client.close(); // [MQTT-3.1.4-2]
    }
    return undefined;
  }
}

function isWellFormed(packet: ConnectPacket, topicLevelsMax: number): boolean {
  if (!isCleanText(packet.clientId) || !isCleanText(packet.username ?? '')) return false; // [MQTT-1.5.3-1] [MQTT-1.5.3-2]
  // Fields behind the last one that the flags promise [MQTT-3.1.2-18] [MQTT-3.1.2-20].
  if (connectBytes(packet) !== packet.length) return false;
  return !packet.will || isTopicName(packet.will.topic, topicLevelsMax);
}

/** Remaining length of a CONNECT with just these fields. */
function connectBytes(packet: ConnectPacket): number {
  const text = (value: string | Uint8Array): number => 2 + Buffer.byteLength(value);
  let bytes = text(packet.protocolId ?? 'MQTT') + 4 + text(packet.clientId);
  if (packet.will) bytes += text(packet.will.topic) + text(packet.will.payload);
  if (packet.username !== undefined) bytes += text(packet.username);
  if (packet.password !== undefined) bytes += text(packet.password);
  return bytes;
}
