/**
 * The few MQTT 3.1.1 packets that a load generator, a bare server and fault rows need, written apart from
 * any MQTT library so that malformed and forged packets can be made too.
 * Invariant: any chunking of the same bytes gives the same packets.
 */

/** Control packet types. [MQTT-2.2.1] */
export const packetType = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
} as const;

export interface ConnectOptions {
  readonly clientId: string;
  readonly cleanSession?: boolean;
  readonly keepaliveSeconds?: number;
  readonly username?: string;
  readonly password?: string;
}

export interface PublishOptions {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Left out at QoS 0. */
  readonly packetId?: number;
  readonly qos?: 0 | 1 | 2;
  readonly dup?: boolean;
  readonly retain?: boolean;
}

export const pingreq: Buffer = Buffer.from([0xc0, 0]);
export const pingresp: Buffer = Buffer.from([0xd0, 0]);
export const disconnect: Buffer = Buffer.from([0xe0, 0]);

export function connectPacket(options: ConnectOptions): Buffer {
  const { clientId, cleanSession = true, keepaliveSeconds = 0, username, password } = options;
  const flags =
    (cleanSession ? 2 : 0) | (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
  const fields = [clientId, username, password].filter((field) => field !== undefined).map(text);
  const head = Buffer.from([
    0,
    4,
    0x4d,
    0x51,
    0x54,
    0x54,
    4,
    flags,
    keepaliveSeconds >> 8,
    keepaliveSeconds & 0xff,
  ]);
  return packet(packetType.connect, 0, [head, ...fields]);
}

export function publishPacket(options: PublishOptions): Buffer {
  const { topic, payload, packetId, qos = 1, dup = false, retain = false } = options;
  const flags = (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
  const id = packetId === undefined ? [] : [Buffer.from([packetId >> 8, packetId & 0xff])];
  return packet(packetType.publish, flags, [text(topic), ...id, payload]);
}

/** PUBACK, PUBREC, PUBREL, PUBCOMP. */
export function idPacket(type: number, packetId: number): Buffer {
  // [MQTT-3.6.1-1] PUBREL carries the flags 0010.
  const flags = type === packetType.pubrel ? 2 : 0;
  return Buffer.from([(type << 4) | flags, 2, packetId >> 8, packetId & 0xff]);
}

export function connackPacket(returnCode = 0): Buffer {
  return Buffer.from([packetType.connack << 4, 2, 0, returnCode]);
}

/** The body of a PUBLISH taken apart. */
export function readPublish(flags: number, body: Buffer) {
  const topicBytes = body.readUInt16BE(0);
  const qos = (flags >> 1) & 3;
  const at = 2 + topicBytes;
  return {
    topic: body.toString('utf8', 2, at),
    qos,
    packetId: qos > 0 ? body.readUInt16BE(at) : undefined,
    payload: body.subarray(qos > 0 ? at + 2 : at),
  };
}

export class MqttReader {
  readonly #onPacket: (type: number, flags: number, body: Buffer) => void;
  #held: Buffer = Buffer.alloc(0);

  constructor(onPacket: (type: number, flags: number, body: Buffer) => void) {
    this.#onPacket = onPacket;
  }

  push(chunk: Buffer): void {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = 0;
    for (;;) {
      const length = remainingLength(bytes, at + 1);
      if (!length || length.bodyAt + length.value > bytes.length) break;
      const end = length.bodyAt + length.value;
      this.#onPacket(bytes[at]! >> 4, bytes[at]! & 15, bytes.subarray(length.bodyAt, end));
      at = end;
    }
    this.#held = at === bytes.length ? Buffer.alloc(0) : bytes.subarray(at);
  }
}

function packet(type: number, flags: number, parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const head = [(type << 4) | flags];
  // [MQTT-2.2.3] seven bits a byte, lowest first.
  for (let left = length; ; left = left >> 7) {
    head.push(left > 127 ? (left & 127) | 128 : left);
    if (left <= 127) break;
  }
  return Buffer.concat([Buffer.from(head), ...parts]);
}

function remainingLength(bytes: Buffer, from: number): { value: number; bodyAt: number } | undefined {
  let value = 0;
  for (let index = 0; index < 4; index += 1) {
    const byte = bytes[from + index];
    if (byte === undefined) return undefined;
    value += (byte & 127) * 128 ** index;
    if (byte < 128) return { value, bodyAt: from + index + 1 };
  }
  throw new Error('MQTT: remaining length over four bytes');
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
