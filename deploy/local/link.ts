/** A line between two sites that can be cut: a TCP relay. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Link {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #up = true;

  constructor(target: { host: string; port: number }) {
    this.#server = createServer((near) => {
      if (!this.#up) {
        near.destroy();
        return;
      }
      const far = connect(target);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => from.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => resolve());
    });
  }

  cut(): void {
    this.#up = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.#up = true;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

/**
 * Ports that were free a moment ago, from below the range that the system gives to outgoing connections: a daemon
 * that is started anew finds its own port still free.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  while (held.length < count) {
    const server = createServer();
    const port = portMin + Math.floor(Math.random() * (portMax - portMin));
    const listening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (listening) held.push(server);
  }
  const ports = held.map((server) => (server.address() as { port: number }).port);
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const portMin = 15_000;
const portMax = 32_000;
