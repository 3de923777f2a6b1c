/**
 * Which connections are read. What waits in memory is bounded: messages and bytes whose commit is waited for, of one
 * connection and of all; halves of frames, of all; answers that the peer does not read. Above a bound a socket is not
 * read and TCP pushes back; it is read again when half of it has gone.
 *
 *   half frames ──► in flight ──commit──► unsent answers ──► peer
 *
 * Invariants: a connection that has nothing of its own in flight is read, whatever the others have there. Above the
 * bound of halves whoever has less than a fair share is read, of an address and of its connections: who begins much
 * holds up itself. Of all the others the one that began first is read, so that its frame ends or its time does.
 */
import type { Socket } from 'node:net';
import { flowDefaults, type MllpCounters, type MllpLimits } from './options.ts';

/** So much of a frame may come in any case: it is no more than what the socket itself buffers. */
const halfFrameBytesMin = 64 * 1024;

/** What one connection has in memory. */
export interface Stream {
  readonly socket: Socket;
  /** Of the peer. */
  readonly address: string;
  /** Messages without an answer. */
  readonly slots: readonly unknown[];
  readonly closing: boolean;
  /** Not read, or again. */
  onHeld(held: boolean): void;
  /** The peer reads none of its answers. */
  onUnread(): void;
}

interface Memory {
  inFlightBytes: number;
  halfFrameBytes: number;
  /** The same where it is so much that it may be held, else 0. */
  largeBytes: number;
  unread: NodeJS.Timeout | undefined;
}

/** What the connections of one address have in halves. */
interface OfAddress {
  bytes: number;
  streams: number;
}

export class Flow {
  readonly #unansweredMax: number;
  readonly #limits: typeof flowDefaults;
  readonly #counters: MllpCounters;
  readonly #streams = new Map<Stream, Memory>();
  readonly #held = new Set<Stream>();
  /** In the middle of a frame; who began first is first. */
  readonly #halves = new Set<Stream>();
  readonly #ofAddress = new Map<string, OfAddress>();
  #relieving = false;

  constructor({ unansweredMax, flow }: MllpLimits, counters: MllpCounters) {
    this.#unansweredMax = unansweredMax;
    this.#limits = { ...flowDefaults, ...flow };
    this.#counters = counters;
  }

  add(stream: Stream): void {
    this.#streams.set(stream, { inFlightBytes: 0, halfFrameBytes: 0, largeBytes: 0, unread: undefined });
    stream.socket.on('drain', () => this.look(stream));
    stream.socket.once('close', () => this.#gone(stream));
  }

  /** A message waits for its commit, or no more: then the bytes are negative. */
  inFlight(stream: Stream, bytes: number): void {
    this.#counters.inFlightBytes += bytes;
    const its = this.#streams.get(stream);
    if (its !== undefined) its.inFlightBytes += bytes;
    if (bytes < 0) this.#relieve();
  }

  /** So many bytes of a frame without its end stand in memory now. */
  halfFrame(stream: Stream, bytes: number): void {
    const its = this.#streams.get(stream);
    if (its === undefined) return;
    this.#counters.halfFrameBytes += bytes - its.halfFrameBytes;
    const less = bytes < its.halfFrameBytes;
    its.halfFrameBytes = bytes;
    this.#countLarge(stream, its, bytes > halfFrameBytesMin ? bytes : 0);
    if (less) this.#relieve();
  }

  /** Something of it changed: it is read, or not, by what it has now. */
  look(stream: Stream): void {
    const its = this.#streams.get(stream);
    if (its === undefined || stream.closing || stream.socket.destroyed) return;
    const { unsentBytesMax, unreadTimeoutMs } = this.#limits;
    const unsent = stream.socket.writableLength;
    if (unsent < unsentBytesMax) {
      clearTimeout(its.unread);
      its.unread = undefined;
    } else its.unread ??= setTimeout(() => stream.onUnread(), unreadTimeoutMs);
    const before = this.#held.has(stream);
    const held = this.#over(stream, its, before ? 0.5 : 1) || unsent >= unsentBytesMax;
    if (held === before) return;
    if (held) {
      this.#held.add(stream);
      this.#counters.holds += 1;
      stream.socket.pause();
    } else {
      this.#held.delete(stream);
      stream.socket.resume();
    }
    stream.onHeld(held);
  }

  /** Over so much of a bound. */
  #over(stream: Stream, its: Memory, share: number): boolean {
    const { inFlightBytesMax, inFlightBytesTotalMax, halfFrameBytesTotalMax } = this.#limits;
    const { inFlightBytes, halfFrameBytes } = this.#counters;
    if (stream.slots.length >= this.#unansweredMax * share) return true;
    if (its.inFlightBytes >= inFlightBytesMax * share) return true;
    if (its.inFlightBytes > 0 && inFlightBytes >= inFlightBytesTotalMax * share) return true;
    const totalMax = halfFrameBytesTotalMax * share;
    if (halfFrameBytes < totalMax || its.largeBytes === 0) return false;
    const [first] = this.#halves;
    const { bytes, streams } = this.#ofAddress.get(stream.address) as OfAddress;
    const fair = totalMax / this.#ofAddress.size;
    return first !== stream && bytes >= fair && its.largeBytes >= fair / streams;
  }

  #countLarge(stream: Stream, its: Memory, bytes: number): void {
    const before = its.largeBytes;
    if (bytes === before) return;
    its.largeBytes = bytes;
    if (bytes === 0) this.#halves.delete(stream);
    else this.#halves.add(stream);
    const ofAddress = this.#ofAddress.get(stream.address) ?? { bytes: 0, streams: 0 };
    ofAddress.bytes += bytes - before;
    ofAddress.streams += Number(bytes > 0) - Number(before > 0);
    if (ofAddress.streams > 0) this.#ofAddress.set(stream.address, ofAddress);
    else this.#ofAddress.delete(stream.address);
  }

  #gone(stream: Stream): void {
    const its = this.#streams.get(stream);
    if (its === undefined) return;
    clearTimeout(its.unread);
    this.#streams.delete(stream);
    this.#held.delete(stream);
    this.#countLarge(stream, its, 0);
    this.#counters.halfFrameBytes -= its.halfFrameBytes;
    this.#relieve();
  }

  /** Those that wait for others; once per turn, however many commits settled in it. */
  #relieve(): void {
    if (this.#relieving || this.#held.size === 0) return;
    this.#relieving = true;
    setImmediate(() => {
      this.#relieving = false;
      for (const stream of this.#held) this.look(stream);
    });
  }
}
