/**
 * The MLLP listener: who may connect, and the counts. Each message of a connection (connection.ts) goes to the journal
 * as it comes, and is answered only after its record is on stable storage (message.ts). Everything is bounded: frame
 * bytes, times, connections in all and for one address, lines in the log (lines.ts), and what waits in memory (flow.ts).
 * A sender that is too fast is paused, not dropped.
 */
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { errorWord } from '../../process/log.ts';
import { Places } from '../../process/places.ts';
import type { Intake } from '../intake.ts';
import { type RefusalReason, Refusals, type Refused } from '../refusals.ts';
import { Connection } from './connection.ts';
import { Flow } from './flow.ts';
import { Lines } from './lines.ts';
import { emptyCounters, type MllpCounters, type MllpHooks, type MllpOptions } from './options.ts';
import type { MllpPart } from './part.ts';
import { createMllpServer, type MllpServer } from './server.ts';

export class MllpListener {
  readonly #part: MllpPart;
  readonly #places: Places<Socket>;
  readonly #connections = new Set<Connection>();
  #server: MllpServer | undefined;
  #stopping = false;

  constructor(options: MllpOptions, intake: Intake, hooks: MllpHooks) {
    const { limits, name } = options;
    const counters = emptyCounters();
    const flow = new Flow(limits, counters);
    const lines = new Lines(name, hooks);
    this.#part = { options, hooks, intake, counters, flow, lines, refused: new Refusals() };
    this.#places = new Places(limits.connectionsMax, limits.connectionsPerAddressMax);
  }

  start(): Promise<AddressInfo> {
    const { options, lines } = this.#part;
    this.#server = createMllpServer(options, {
      admit: (socket) => this.#admit(socket),
      accept: (socket) => this.#accept(socket),
      onTlsRefused: (code, { address, spoke }, reason) => {
        if (spoke) this.#refuse('tls', address, reason);
        lines.warn(code, address, { reason });
      },
    });
    const listening = this.#server.server;
    return new Promise((resolve, reject) => {
      listening.once('error', reject);
      listening.listen(options.port, options.host, () => {
        listening.off('error', reject);
        // No file for another connection: whoever wanted it comes again, and the others go on.
        listening.on('error', (error) => lines.warn('mllp-accept-failed', '', { reason: errorWord(error) }));
        resolve(listening.address() as AddressInfo);
      });
    });
  }

  /** Stops intake, finishes the commits in hand and sends their answers; safe unstarted and twice. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    const server = this.#server?.server;
    const closed = new Promise<void>((resolve) => {
      if (server?.listening === true) server.close(() => resolve());
      else resolve();
    });
    for (const connection of this.#connections) connection.closeAfterAnswers();
    for (const socket of this.#inHandshake()) socket.destroy();
    const timer = setTimeout(() => {
      for (const socket of this.#places.holders) socket.destroy();
    }, deadlineMs);
    await closed;
    clearTimeout(timer);
  }

  counters(): MllpCounters {
    return { ...this.#part.counters, connections: this.#places.holders.size };
  }

  /** Connections, by reason. */
  refused(): Refused[] {
    return this.#part.refused.all();
  }

  /** New certificates for new connections; throws where they cannot be used, and the old ones stay. */
  renew(tls: TlsOptions): void {
    this.#server?.renew(tls);
  }

  #admit(socket: Socket): boolean {
    const { options, counters, lines } = this.#part;
    const address = socket.remoteAddress ?? '';
    const reason = !options.allow(address) ? 'address' : this.#places.isFull(address) ? 'limit' : undefined;
    if (!this.#stopping && reason === undefined) {
      this.#places.take(socket, address);
      return true;
    }
    if (reason === undefined) counters.refused += 1;
    else this.#refuse(reason, address);
    lines.warn('mllp-connection-refused', address, { reason: reason ?? 'stopping' });
    return false;
  }

  #accept(socket: Socket): void {
    if (this.#stopping) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, this.#part);
    this.#connections.add(connection);
    this.#part.counters.connectionsTotal += 1;
    this.#part.flow.add(connection);
    socket.on('close', () => this.#connections.delete(connection));
    connection.serve();
  }

  /** Nothing came of these yet, and nothing is owed to them. */
  #inHandshake(): Socket[] {
    // With TLS two sockets stand for one connection, and have its peer in common.
    const peer = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
    const ready = new Set([...this.#connections].map(({ socket }) => peer(socket)));
    return [...this.#places.holders].filter((socket) => !ready.has(peer(socket)));
  }

  #refuse(reason: RefusalReason, address: string, detail = ''): void {
    const { counters, hooks, refused } = this.#part;
    counters.refused += 1;
    refused.note(reason, hooks.nowUs(), { address, detail });
  }
}
