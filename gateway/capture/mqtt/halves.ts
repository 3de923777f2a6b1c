/**
 * Packets that began and are not complete: aedes's parser keeps what came of each until its last byte. What they hold
 * is bounded over all connections of the listener, and each has a time.
 *
 * Invariant: above the bound the connection is closed that holds most of the address that holds most, so that nobody
 * who sends little is closed for those who begin much. Closed and not held: a held client's PINGREQ is not read either.
 */
import type { Link, Told } from './link.ts';
import type { MqttPart } from './part.ts';

interface Half {
  bytes: number;
  /** The packet that it was in at the last look, and how many looks found it there. */
  packet: number;
  looks: number;
}

export class Halves {
  readonly #part: MqttPart;
  readonly #halves = new Map<Link, Half>();
  #sweep: NodeJS.Timeout | undefined;

  constructor(part: MqttPart) {
    this.#part = part;
  }

  /** So many bytes of a packet without its end stand in memory now. */
  note(link: Link, bytes: number): void {
    if (bytes === 0 || link.socket.destroyed) {
      this.forget(link);
      return;
    }
    const { stats } = this.#part.counters;
    const half = this.#halves.get(link);
    stats.halfPacketBytes += bytes - (half?.bytes ?? 0);
    if (half) half.bytes = bytes;
    else this.#halves.set(link, { bytes, packet: link.guard.packets, looks: -1 });
    while (stats.halfPacketBytes > this.#part.limits.halfPacketBytesTotalMax) this.#closeLargest();
  }

  /** It has none, or is gone. */
  forget(link: Link): void {
    const half = this.#halves.get(link);
    if (half === undefined) return;
    this.#halves.delete(link);
    this.#part.counters.stats.halfPacketBytes -= half.bytes;
  }

  startSweep(): void {
    this.#sweep = setInterval(() => this.#closeLate(), this.#part.limits.packetTimeoutMs / looksInTime);
    this.#sweep.unref();
  }

  stopSweep(): void {
    clearInterval(this.#sweep);
  }

  #closeLargest(): void {
    const ofAddress = new Map<string, number>();
    for (const [{ address }, { bytes }] of this.#halves) {
      ofAddress.set(address, (ofAddress.get(address) ?? 0) + bytes);
    }
    const held = (link: Link) => ofAddress.get(link.address) as number;
    const own = (link: Link) => (this.#halves.get(link) as Half).bytes;
    const largest = [...this.#halves.keys()].reduce((most, link) =>
      held(link) > held(most) || (held(link) === held(most) && own(link) > own(most)) ? link : most,
    );
    largest.told ??= toldOf(held(largest), this.#part.limits.halfPacketBytesTotalMax);
    this.#close(largest, 'half-packets');
  }

  /** Keep-alive may be hours away, and a byte now and then keeps it off for ever. */
  #closeLate(): void {
    for (const [link, half] of this.#halves) {
      const { packets, held } = link.guard;
      // While it is not read it cannot go on.
      if (held || packets !== half.packet) half.looks = -1;
      half.packet = packets;
      half.looks++;
      if (half.looks >= looksInTime) this.#close(link, 'packet-timeout');
    }
  }

  #close(link: Link, reason: string): void {
    link.reason ??= reason;
    this.forget(link);
    link.socket.destroy();
  }
}

/** A packet is closed when it has its time, and half of it more at the latest. */
const looksInTime = 2;

function toldOf(bytes: number, bytesMax: number): Told {
  const advice = 'let this address send fewer large messages at once, or smaller ones';
  return { bytes, bytesMax, advice };
}
