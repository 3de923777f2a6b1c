/**
 * The guard in front of aedes: nothing reaches the MQTT parser before its fixed header was judged here.
 *
 * aedes and mqtt-packet have no packet size limit: one unauthenticated socket that declares 256 MB makes
 * them buffer 256 MB. The guard reads fixed headers as bytes come (section 2.2) and, of CONNECT, protocol
 * name, level and flags; it copies nothing and keeps a handful of numbers per connection.
 *
 *     socket ──push──► guard ──push──► readable buffer ──read──► aedes ──► mqtt-packet
 *                        │                                │
 *                        └ fault: close, bytes dropped    └ held: nothing is read, TCP pushes back
 *
 * Invariants: after a fault not one more byte passes; a declared length costs no memory; while held, at
 * most the stream's high-water mark and one chunk are buffered.
 */
import type { Socket } from 'node:net';

export type GuardFault =
  | 'not-connect' // the first packet is not CONNECT [MQTT-3.1.0-1]
  | 'tls' // a handshake, where TLS is off
  | 'http' // a request, as MQTT over WebSocket begins
  | 'second-connect' // [MQTT-3.1.0-2]
  | 'malformed' // a header or CONNECT that the standard forbids
  | 'oversize'
  | 'version'; // neither 3.1 nor 3.1.1: answered with CONNACK 1 [MQTT-3.1.2-2]

export interface GuardLimits {
  /** CONNECT, and every other packet that carries no payload of a publisher. */
  connectBytesMax: number;
  packetBytesMax: number;
}

/** A packet that declares more than it may, and how much. */
export interface Oversize {
  /** Else it is another packet, which carries no payload of a publisher. */
  publish: boolean;
  bytes: number;
  bytesMax: number;
}

/** Pure: bytes in, verdicts out. */
export class FixedHeaders {
  readonly #limits: GuardLimits;
  /** Those that began. */
  packets = 0;
  #state: 'type' | 'length' | 'body' = 'type';
  #first = true;
  #type = 0;
  #flags = 0;
  #length = 0;
  #lengthBytes = 0;
  /** Bytes of the packet that are still to come. */
  #left = 0;
  /** The start of a variable header that is looked at; undefined once it was judged. */
  #head: number[] | undefined;

  constructor(limits: GuardLimits) {
    this.#limits = limits;
  }

  /** Of the packet whose header was an `oversize` fault. */
  get oversize(): Oversize {
    return { publish: this.#type === PUBLISH, bytes: this.#length, bytesMax: this.#bytesMax };
  }

  get #bytesMax(): number {
    return this.#type === PUBLISH ? this.#limits.packetBytesMax : this.#limits.connectBytesMax;
  }

  /** Of the packet whose first byte came and whose last did not; 0 between packets. */
  get pendingBytes(): number {
    if (this.#state === 'type') return 0;
    const ofBody = this.#state === 'body' ? this.#length - this.#left : 0;
    return 1 + this.#lengthBytes + ofBody;
  }

  feed(chunk: Uint8Array): GuardFault | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'body') {
        if (this.#head) {
          const byte = chunk[at] as number;
          const fault = this.#type === CONNECT ? this.#connectByte(byte) : this.#idByte(byte);
          if (fault) return fault;
          at++;
          this.#left--;
        } else {
          const step = Math.min(this.#left, chunk.length - at);
          at += step;
          this.#left -= step;
        }
        if (this.#left === 0) this.#state = 'type';
        continue;
      }
      const byte = chunk[at++] as number;
      const fault = this.#state === 'type' ? this.#typeByte(byte) : this.#lengthByte(byte);
      if (fault) return fault;
    }
    return undefined;
  }

  #typeByte(byte: number): GuardFault | undefined {
    this.#type = byte >> 4;
    this.#flags = byte & 0x0f;
    if (this.#first && byte === tlsHandshake) return 'tls';
    if (this.#first && this.#type !== CONNECT) return byte === httpGet ? 'http' : 'not-connect';
    if (!this.#first && this.#type === CONNECT) return 'second-connect';
    if (this.#type === PUBLISH) {
      const qos = (this.#flags >> 1) & 3;
      if (qos === 3) return 'malformed'; // [MQTT-3.3.1-4]
      if (qos === 0 && this.#flags & 8) return 'malformed'; // DUP with QoS 0 [MQTT-3.3.1-2]
    } else if (this.#flags !== FLAGS[this.#type]) {
      return 'malformed'; // [MQTT-2.2.2-2]; also every packet that only a server sends, and types 0 and 15
    }
    this.packets++;
    this.#state = 'length';
    this.#length = 0;
    this.#lengthBytes = 0;
    return undefined;
  }

  #lengthByte(byte: number): GuardFault | undefined {
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes;
    this.#lengthBytes++;
    const last = (byte & 0x80) === 0;
    if (!last && this.#lengthBytes === 4) return 'malformed'; // section 2.2.3: four bytes at most
    if (!last) return undefined;
    if (this.#length > this.#bytesMax) return 'oversize';
    if (!lengthFits(this.#type, this.#length)) return 'malformed';
    this.#first = false;
    this.#left = this.#length;
    this.#state = this.#left > 0 ? 'body' : 'type';
    if (this.#type === CONNECT || (this.#type >= 4 && this.#type <= 10)) this.#head = [];
    return undefined;
  }

  /** The packet identifier is never 0 [MQTT-2.3.1-1]; that of a PUBLISH is looked at where it is parsed. */
  #idByte(byte: number): GuardFault | undefined {
    const head = this.#head as number[];
    if (head.length === 0) {
      head.push(byte);
      return undefined;
    }
    this.#head = undefined;
    return head[0] === 0 && byte === 0 ? 'malformed' : undefined;
  }

  /** Collects name, level and flags of CONNECT (sections 3.1.2.1 to 3.1.2.3) and judges them. */
  #connectByte(byte: number): GuardFault | undefined {
    const head = this.#head as number[];
    head.push(byte);
    if (head.length < 2) return undefined;
    const nameLength = ((head[0] as number) << 8) | (head[1] as number);
    if (nameLength !== 4 && nameLength !== 6) return 'malformed'; // MQTT or MQIsdp [MQTT-3.1.2-1]
    if (this.#length < nameLength + 8) return 'malformed'; // name, level, flags, keep alive, client id length
    if (head.length === 2 + nameLength) {
      const name = String.fromCharCode(...head.slice(2));
      if (name !== 'MQTT' && name !== 'MQIsdp') return 'malformed';
    }
    if (head.length === 3 + nameLength) {
      // The top bit of the level is how mosquitto's bridges present themselves.
      const level = byte & 0x7f;
      if (level !== (nameLength === 4 ? 4 : 3)) return 'version'; // [MQTT-3.1.2-2]
    }
    if (head.length < 4 + nameLength) return undefined;
    this.#head = undefined;
    return connectFlagsFit(byte) ? undefined : 'malformed';
  }
}

function connectFlagsFit(flags: number): boolean {
  if (flags & 0x01) return false; // reserved [MQTT-3.1.2-3]
  const willQos = (flags >> 3) & 3;
  if (willQos === 3) return false; // [MQTT-3.1.2-14]
  if (!(flags & 0x04) && (willQos > 0 || flags & 0x20)) return false; // [MQTT-3.1.2-13] [MQTT-3.1.2-15]
  return !(flags & 0x40) || (flags & 0x80) !== 0; // no password without a user name [MQTT-3.1.2-22]
}

function lengthFits(type: number, length: number): boolean {
  switch (type) {
    case PUBLISH:
      return length >= 3; // a topic name has a character [MQTT-4.7.3-1]
    case 4: // PUBACK
    case 5: // PUBREC
    case 6: // PUBREL
    case 7: // PUBCOMP
      return length === 2;
    case 8: // SUBSCRIBE
      return length >= 6; // [MQTT-3.8.3-3]
    case 10: // UNSUBSCRIBE
      return length >= 5; // [MQTT-3.10.3-2]
    case 12: // PINGREQ
    case 14: // DISCONNECT
      return length === 0;
    default:
      return length >= 12; // CONNECT
  }
}

const CONNECT = 1;
const PUBLISH = 3;
/** How others begin: the type of a TLS record, the G of GET. */
const [tlsHandshake, httpGet] = [0x16, 0x47];
/** Reserved flag bits by type (table 2.2); undefined: a client never sends it. */
const FLAGS: readonly (number | undefined)[] = [
  undefined, // 0 is forbidden
  0, // CONNECT
  undefined, // CONNACK
  undefined, // PUBLISH: its flags mean something
  0, // PUBACK
  0, // PUBREC
  2, // PUBREL
  0, // PUBCOMP
  2, // SUBSCRIBE
  undefined, // SUBACK
  2, // UNSUBSCRIBE
  undefined, // UNSUBACK
  0, // PINGREQ
  undefined, // PINGRESP
  0, // DISCONNECT
  undefined, // 15 is MQTT 5's AUTH
];

export interface Guard {
  /** Stops handing bytes to the parser; TCP pushes back. Idempotent. */
  hold(): void;
  release(): void;
  readonly held: boolean;
  /** Those that began, to tell a packet that lasts from the next one. */
  readonly packets: number;
}

export interface GuardHooks {
  onFault(fault: GuardFault, oversize?: Oversize): void;
  /** What the packet that is not complete takes in memory; 0 once it is. May destroy the socket. */
  onHalf(bytes: number): void;
}

/** The parser keeps each chunk as a buffer of its own, which takes as much beside its bytes (measured: 500 to 700). */
const chunkBytes = 512;

/**
 * Puts the guard between the socket and its reader by taking over `push` (bytes in) and `read` (bytes out) of
 * this one socket: a Duplex in between would copy each chunk's way through two more buffers and their ticks.
 * Works for net and TLS sockets, whose `push` gets clear text.
 */
export function attachGuard(socket: Socket, limits: GuardLimits, { onFault, onHalf }: GuardHooks): Guard {
  const headers = new FixedHeaders(limits);
  const push = socket.push.bind(socket);
  const read = socket.read.bind(socket);
  let dead = false;
  let held = false;
  /** The packet that was not complete at the end of a chunk, and the chunks that it came in. */
  let half = 0;
  let halfChunks = 0;
  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (dead) return false;
    if (chunk instanceof Uint8Array) {
      const fault = headers.feed(chunk);
      if (fault) {
        dead = true;
        onFault(fault, fault === 'oversize' ? headers.oversize : undefined);
        return false;
      }
      const bytes = headers.pendingBytes;
      if (bytes > 0) {
        halfChunks = half === headers.packets ? halfChunks + 1 : 1;
        half = headers.packets;
        onHalf(bytes + halfChunks * chunkBytes);
        if (socket.destroyed) return false;
      } else if (half > 0) {
        half = 0;
        onHalf(0);
      }
    }
    return push(chunk, encoding);
  };
  // aedes reads with read(null); the stream's own bookkeeping calls read(0), which must pass.
  socket.read = (size?: number | null) => (held && size !== 0 ? null : read(size as number));
  return {
    hold: () => {
      held = true;
    },
    release: () => {
      if (!held) return;
      held = false;
      // aedes reads on 'readable' only, and the event for what waits here has been.
      if (!socket.destroyed) socket.emit('readable');
    },
    get held() {
      return held;
    },
    get packets() {
      return headers.packets;
    },
  };
}
