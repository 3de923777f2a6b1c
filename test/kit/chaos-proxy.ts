/**
 * A TCP proxy that fails on command: latency, rate, cuts (FIN or RST, now or after k bytes), half-open
 * connections, a black hole, a peer that accepts and says nothing. It replaces toxiproxy and netem.
 *
 * Invariants: without a fault, bytes pass unchanged and in order, and FIN passes as FIN (half-close is kept);
 * a cut after k bytes passes exactly k bytes of that direction first; close() leaves no socket behind.
 * A peer built on libuv that gets data and RST at once reads the data and then sees an end, not ECONNRESET
 * (libuv takes the hang-up for EOF after a partial read): on the wire it is an RST all the same.
 * Not possible from a user's process: dropping SYN. A "black hole" accepts and swallows.
 */
import { once } from 'node:events';
import net from 'node:net';
import { Lane, Line } from './chaos-line.ts';

/** `up` goes from the client to the target, `down` comes back. */
export type Direction = 'up' | 'down';
export type Ending = 'fin' | 'rst';
/** What a new connection meets. */
export type Welcome = 'forward' | 'silent' | 'blackhole' | 'reset';

export interface ChaosTarget {
  readonly host?: string;
  readonly port: number;
}

interface Cut {
  readonly direction: Direction;
  readonly bytes: number;
  readonly how: Ending;
}

interface Link {
  readonly client: net.Socket;
  readonly target: net.Socket | undefined;
  readonly lanes: { readonly up: Lane; readonly down: Lane } | undefined;
  readonly passed: { up: number; down: number };
  swallows: boolean;
}

export class ChaosProxy {
  readonly up = new Line();
  readonly down = new Line();
  /** Applied to connections made from now on. */
  welcome: Welcome = 'forward';
  /** Connections accepted since the start: what a retry storm shows in. */
  accepted = 0;
  /** Bytes forwarded since the start. */
  readonly bytes = { up: 0, down: 0 };
  #target: ChaosTarget;
  #cut: Cut | undefined;
  readonly #server: net.Server;
  readonly #links = new Set<Link>();

  private constructor(target: ChaosTarget) {
    this.#target = target;
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  static async start(
    target: ChaosTarget,
    listen: { host?: string; port?: number } = {},
  ): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(target);
    proxy.#server.listen(listen.port ?? 0, listen.host ?? '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  get connections(): number {
    return this.#links.size;
  }

  /** New connections go there: a restarted daemon on another port. */
  retarget(target: ChaosTarget): void {
    this.#target = target;
  }

  /** A line of so many bytes a second and so many milliseconds each way. */
  shape({ rateBytes = 0, latencyMs = 0 }: { rateBytes?: number; latencyMs?: number }): void {
    for (const line of [this.up, this.down]) {
      line.rateBytes = rateBytes;
      line.latencyMs = latencyMs;
      // A router's queue, not an ocean: beyond it the sender feels the line.
      line.heldBytesMax = rateBytes > 0 ? 64 * 1024 : 8 * 1024 * 1024;
    }
  }

  /** Ends every connection now. */
  cut(how: Ending = 'rst'): void {
    for (const link of [...this.#links]) this.#end(link, how);
  }

  /** The next connection to pass `bytes` bytes that way (from its own start) ends there. Fires once. */
  cutAfter(direction: Direction, bytes: number, how: Ending = 'rst'): void {
    this.#cut = { direction, bytes, how };
  }

  get isCutArmed(): boolean {
    return this.#cut !== undefined;
  }

  /** Connections that exist stay open and pass nothing more, no FIN either; new ones are served. */
  halfOpen(): void {
    for (const link of this.#links) link.swallows = true;
  }

  /** Everything is accepted and swallowed, old connections and new. */
  blackhole(): void {
    this.halfOpen();
    this.welcome = 'blackhole';
  }

  /** New connections are served again. Those that swallowed bytes have a hole in them and are reset. */
  heal(): void {
    this.welcome = 'forward';
    this.#cut = undefined;
    for (const link of [...this.#links]) if (link.swallows || !link.target) this.#end(link, 'rst');
  }

  async close(): Promise<void> {
    this.cut('rst');
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: net.Socket): void {
    this.accepted += 1;
    client.on('error', () => {});
    if (this.welcome === 'reset') {
      client.resetAndDestroy();
      return;
    }
    if (this.welcome === 'forward') this.#forward(client);
    else this.#keep(client);
  }

  // Accepts and says nothing. `silent` reads nothing either (the peer's window fills); `blackhole` swallows.
  #keep(client: net.Socket): void {
    const passed = { up: 0, down: 0 };
    const link: Link = { client, target: undefined, lanes: undefined, passed, swallows: true };
    this.#links.add(link);
    client.once('close', () => this.#links.delete(link));
    if (this.welcome === 'blackhole') client.resume();
  }

  #forward(client: net.Socket): void {
    const { host = '127.0.0.1', port } = this.#target;
    const target = net.connect({ host, port, allowHalfOpen: true, noDelay: true });
    const link: Link = {
      client,
      target,
      lanes: {
        up: new Lane(
          this.up,
          (bytes) => this.#pass(link, 'up', bytes),
          () => this.#settle(link, 'up'),
        ),
        down: new Lane(
          this.down,
          (bytes) => this.#pass(link, 'down', bytes),
          () => this.#settle(link, 'down'),
        ),
      },
      passed: { up: 0, down: 0 },
      swallows: false,
    };
    this.#links.add(link);
    this.#wire(link, 'up', client, target);
    this.#wire(link, 'down', target, client);
  }

  #wire(link: Link, direction: Direction, from: net.Socket, to: net.Socket): void {
    const lane = link.lanes![direction];
    from.on('error', () => {});
    from.on('data', (chunk: Buffer) => {
      if (link.swallows) return;
      lane.push(chunk);
      if (lane.isFull || to.writableNeedDrain) from.pause();
    });
    to.on('drain', () => {
      if (!lane.isFull) from.resume();
    });
    from.on('end', () => this.#settle(link, direction));
    from.once('close', () => {
      if (link.swallows) {
        // Nothing of this end is passed on: the other side must find out for itself.
        if (direction === 'up') this.#links.delete(link);
        return;
      }
      if (!from.readableEnded) this.#end(link, 'rst');
      else if (to.closed) this.#links.delete(link);
      else this.#settle(link, direction);
    });
  }

  // When all that was sent has arrived: let more in, or pass the FIN on.
  #settle(link: Link, direction: Direction): void {
    const [from, to] = endsOf(link, direction);
    if (!from || !to || link.swallows || link.lanes![direction].heldBytes > 0) return;
    if (from.readableEnded) to.end();
    else if (!to.writableNeedDrain) from.resume();
    if (from.closed && to.closed) this.#links.delete(link);
  }

  #pass(link: Link, direction: Direction, bytes: Buffer): void {
    if (link.swallows) return;
    const to = endsOf(link, direction)[1]!;
    const left =
      this.#cut?.direction === direction ? this.#cut.bytes - link.passed[direction] : bytes.length + 1;
    const part = bytes.length >= left ? bytes.subarray(0, Math.max(0, left)) : bytes;
    link.passed[direction] += part.length;
    this.bytes[direction] += part.length;
    if (bytes.length < left) {
      to.write(part);
      return;
    }
    const { how } = this.#cut!;
    this.#cut = undefined;
    link.swallows = true;
    // The k bytes must have left before the connection ends.
    to.write(part, () => this.#end(link, how));
  }

  #end(link: Link, how: Ending): void {
    this.#links.delete(link);
    link.lanes?.up.drop();
    link.lanes?.down.drop();
    for (const socket of [link.client, link.target]) {
      if (!socket || socket.destroyed) continue;
      // Before the handshake there is nothing to reset.
      if (how === 'rst' && !socket.connecting) socket.resetAndDestroy();
      else if (socket.connecting) socket.destroy();
      else socket.end(() => socket.destroy());
    }
  }
}

function endsOf(link: Link, direction: Direction): [net.Socket | undefined, net.Socket | undefined] {
  return direction === 'up' ? [link.client, link.target] : [link.target, link.client];
}
