/**
 * aedes's persistence, reduced to what the way through the broker needs.
 *
 * - Nothing is kept for subscribers: no offline queue, no subscription, no retained message, no will.
 *   aedes keeps a will in its client object; that is enough for one broker.
 * - QoS 2: `incomingGetPacket` and `incomingStorePacket` stand between commit and PUBREC, `incomingDelPacket`
 *   between PUBREL and PUBCOMP (aedes lib/handlers/publish.js, pubrel.js).
 *
 * aedes sends PUBCOMP even when `incomingDelPacket` rejects, and does not call it for an id that
 * `incomingGetPacket` does not find. Both would break "released, then PUBCOMP": so every PUBREL is
 * "found" here, and a release that fails must have destroyed the connection before it rejects.
 */
import { Readable } from 'node:stream';

export interface Qos2Store {
  /** Was this PUBLISH taken before and not released? Then PUBREC only. */
  isStored(client: object, packetId: number): boolean;
  stored(client: object, packetId: number): void;
  /** Durably forgets the packet id. Must destroy the connection before it rejects. */
  release(client: object, packetId: number): Promise<void>;
  /** Is the client on a session that the broker still knows [MQTT-3.2.2-2]? */
  isResumed(clientId: string): boolean;
}

/** Stands in for "a session is present": aedes derives that from stored subscriptions. Never granted to anyone. */
export const SESSION_MARK = '$hilum/session';

interface Packet {
  cmd?: string;
  messageId?: number;
}

const NOT_STORED = new Error('no such packet');

export class Persistence {
  readonly #qos2: Qos2Store;

  constructor(qos2: Qos2Store) {
    this.#qos2 = qos2;
  }

  // aedes insists on an async function by name.
  async setup(): Promise<void> {}

  async subscriptionsByClient(client: { id: string }): Promise<{ topic: string; qos: 0 }[]> {
    return this.#qos2.isResumed(client.id) ? [{ topic: SESSION_MARK, qos: 0 }] : [];
  }

  async incomingGetPacket(client: object, packet: Packet): Promise<Packet> {
    if (packet.cmd === 'pubrel' || this.#qos2.isStored(client, packet.messageId ?? 0)) return packet;
    throw NOT_STORED;
  }

  async incomingStorePacket(client: object, packet: Packet): Promise<void> {
    this.#qos2.stored(client, packet.messageId ?? 0);
  }

  async incomingDelPacket(client: object, packet: Packet): Promise<void> {
    await this.#qos2.release(client, packet.messageId ?? 0);
  }

  async storeRetained(): Promise<void> {}
  async addSubscriptions(): Promise<void> {}
  async removeSubscriptions(): Promise<void> {}
  async cleanSubscriptions(): Promise<void> {}
  async subscriptionsByTopic(): Promise<[]> {
    return [];
  }
  async outgoingEnqueue(): Promise<void> {}
  async outgoingEnqueueCombi(): Promise<void> {}
  async outgoingUpdate(): Promise<void> {}
  async outgoingClearMessageId(): Promise<undefined> {
    return undefined;
  }
  async putWill(): Promise<void> {}
  async delWill(): Promise<undefined> {
    return undefined;
  }

  outgoingStream(): Readable {
    return Readable.from([]);
  }
  createRetainedStreamCombi(): Readable {
    return Readable.from([]);
  }
  streamWill(): Readable {
    return Readable.from([]);
  }
}
