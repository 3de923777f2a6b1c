/**
 * One direction of a wide-area line for the chaos proxy: a rate shared by every connection, then a delay.
 *
 *   chunk -> [ packets wait for the line: rate ] -> [ travel: latency ] -> deliver
 *
 * Invariants: bytes of one connection are delivered in order, also when latency or rate change midway; what a
 * connection has on the line is bounded (it is paused at `heldBytesMax`). Below the pause the kernel's socket
 * buffers hold more, as a real sender's do.
 */
import { clearTimeout, setTimeout } from 'node:timers';

const packetBytes = 1448;

/** The line itself: settings and the moment at which it is free again. */
export class Line {
  latencyMs = 0;
  /** Bytes a second; 0 is without limit. */
  rateBytes = 0;
  heldBytesMax = 1024 * 1024;
  #freeAt = 0;

  /** When a packet that enters now arrives at the other end. */
  arrivalOf(bytes: number): number {
    const now = performance.now();
    if (this.rateBytes === 0) return now + this.latencyMs;
    this.#freeAt = Math.max(this.#freeAt, now) + (bytes / this.rateBytes) * 1000;
    return this.#freeAt + this.latencyMs;
  }

  /** True where bytes can pass in the same turn. */
  get isFree(): boolean {
    return this.rateBytes === 0 && this.latencyMs === 0;
  }
}

interface Packet {
  readonly bytes: Buffer;
  readonly at: number;
}

/** What one connection has on the line. */
export class Lane {
  readonly #line: Line;
  readonly #deliver: (bytes: Buffer) => void;
  readonly #onEmpty: () => void;
  #packets: Packet[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastAt = 0;
  heldBytes = 0;

  constructor(line: Line, deliver: (bytes: Buffer) => void, onEmpty: () => void) {
    this.#line = line;
    this.#deliver = deliver;
    this.#onEmpty = onEmpty;
  }

  push(chunk: Buffer): void {
    if (this.#line.isFree && this.#packets.length === 0) {
      this.#deliver(chunk);
      return;
    }
    this.heldBytes += chunk.length;
    const step = this.#line.rateBytes === 0 ? chunk.length : packetBytes;
    for (let from = 0; from < chunk.length; from += step) {
      const bytes = chunk.subarray(from, from + step);
      this.#lastAt = Math.max(this.#lastAt, this.#line.arrivalOf(bytes.length));
      this.#packets.push({ bytes, at: this.#lastAt });
    }
    this.#arm();
  }

  get isFull(): boolean {
    return this.heldBytes >= this.#line.heldBytesMax;
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#packets = [];
    this.heldBytes = 0;
  }

  #arm(): void {
    const first = this.#packets[0];
    if (this.#timer || !first) return;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, first.at - performance.now()));
  }

  #run(): void {
    this.#timer = undefined;
    const now = performance.now();
    let due = 0;
    while (due < this.#packets.length && this.#packets[due]!.at <= now) due += 1;
    const batch = this.#packets.splice(0, due);
    for (const { bytes } of batch) {
      this.heldBytes -= bytes.length;
      this.#deliver(bytes);
    }
    this.#arm();
    if (this.#packets.length === 0) this.#onEmpty();
  }
}
