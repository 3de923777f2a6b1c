/** The places of a listener: so many connections in all, and of one address. A place is taken before any handshake. */
import type { Socket } from 'node:net';
import type { MllpLimits } from './options.ts';

export class Places {
  readonly #limits: MllpLimits;
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();

  constructor(limits: MllpLimits) {
    this.#limits = limits;
  }

  /** Those that are open, also while their handshake lasts. */
  get sockets(): ReadonlySet<Socket> {
    return this.#sockets;
  }

  isFull(address: string): boolean {
    const { connectionsMax, connectionsPerAddressMax } = this.#limits;
    return (
      this.#sockets.size >= connectionsMax || (this.#perAddress.get(address) ?? 0) >= connectionsPerAddressMax
    );
  }

  /** Until the socket closes. */
  take(socket: Socket, address: string): void {
    this.#sockets.add(socket);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
  }
}
