/**
 * The connections that are open: each from its socket to its close, and why it closed. A reason is set once, by
 * whoever closes; a connection without one was closed by its client.
 */
import type { Socket } from 'node:net';
import { Answers } from './answers.ts';
import { attachGuard, type GuardFault, type Oversize } from './guard.ts';
import { Halves } from './halves.ts';
import type { Client, Link, Told } from './link.ts';
import type { MqttPart } from './part.ts';

export class Connections {
  readonly #part: MqttPart;
  readonly #onClosed: (link: Link) => void;
  readonly #halves: Halves;
  readonly #links = new Set<Link>();
  /** By aedes client: the way from a hook to its connection. */
  readonly #byClient = new WeakMap<object, Link>();

  constructor(part: MqttPart, onClosed: (link: Link) => void) {
    this.#part = part;
    this.#halves = new Halves(part);
    this.#onClosed = onClosed;
  }

  of(client: object): Link | undefined {
    return this.#byClient.get(client);
  }

  /** `handle` gives the socket to aedes; it reads nothing before this returns. */
  open(socket: Socket, handle: (socket: Socket) => Client): void {
    const link: Link = {
      client: undefined as unknown as Client, // set below, before any byte can come
      socket,
      guard: attachGuard(socket, this.#part.limits, {
        onFault: (fault, oversize) => {
          link.told ??= oversize && toldOf(oversize);
          closeAtFault(link, fault);
        },
        onHalf: (bytes) => this.#halves.note(link, bytes),
      }),
      address: socket.remoteAddress ?? '',
      answers: new Answers(),
      principal: '',
      user: '',
      clientId: '',
      connect: undefined,
      access: undefined,
      session: undefined,
      resumed: false,
      subscriptions: new Map(),
      reason: undefined,
      told: undefined,
    };
    const { stats } = this.#part.counters;
    this.#links.add(link);
    stats.connectionsTotal++;
    socket.once('close', () => this.#closed(link));
    link.client = handle(socket);
    this.#byClient.set(link.client, link);
  }

  startSweep(): void {
    this.#halves.startSweep();
  }

  /** Nothing more is read, and the sweep ends. */
  holdAll(): void {
    this.#halves.stopSweep();
    for (const link of this.#links) link.guard.hold();
  }

  /** Ends every connection; resolves when what was written has left the process, or its peer is gone. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#links].map((link) => flushed(link.socket)));
  }

  #closed(link: Link): void {
    const { counters } = this.#part;
    this.#links.delete(link);
    this.#halves.forget(link);
    if (link.reason && !this.#part.stopping()) {
      const { address, user, told } = link;
      if (link.session) counters.closed(link.reason, { address, user, told });
      else counters.refused(link.reason, { address, user, told });
    }
    this.#onClosed(link);
  }
}

/** CONNACK, no session, return code 1: unacceptable protocol version. */
const CONNACK_VERSION = Buffer.from([0x20, 0x02, 0x00, 0x01]);

function toldOf({ publish, bytes, bytesMax }: Oversize): Told {
  const advice = publish
    ? 'raise packetBytesMax of the listener, or let the device send less at once'
    : 'CONNECT and SUBSCRIBE have a fixed bound: a shorter will, fewer filters at once';
  return { bytes, bytesMax, advice };
}

function closeAtFault(link: Link, fault: GuardFault): void {
  link.reason ??= fault;
  if (fault !== 'version') {
    link.socket.destroy();
    return;
  }
  link.socket.write(CONNACK_VERSION); // [MQTT-3.1.2-2]: answer 1, then disconnect
  link.socket.destroySoon();
}

function flushed(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.end(() => resolve());
  });
}
