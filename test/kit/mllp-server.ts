/**
 * A receiver double for MLLP: answers as the test says, late, never, doubled, out of order or forged.
 * Invariant: it keeps every message that it received, in order, before it answers.
 */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { controlIdOf } from './hl7-peek.ts';
import { Deframer, frame } from './mllp-frame.ts';

/** Says what is sent back for a message, each block as it shall go out. */
export type Answering = (message: Buffer, socket: net.Socket) => Iterable<Buffer> | Promise<Iterable<Buffer>>;

export class MllpServer {
  readonly received: Buffer[] = [];
  answering: Answering;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(answering: Answering, secured: tls.TlsOptions | undefined) {
    this.answering = answering;
    const serve = (socket: net.Socket) => this.#serve(socket);
    this.#server = secured
      ? tls.createServer({ ...secured, noDelay: true }, serve)
      : net.createServer({ noDelay: true }, serve);
  }

  static async start(
    answering: Answering = (message) => [acknowledge(message)],
    port = 0,
    secured?: tls.TlsOptions,
  ): Promise<MllpServer> {
    const server = new MllpServer(answering, secured);
    server.#server.listen(port, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    const deframer = new Deframer((message) => {
      const kept = Buffer.from(message);
      this.received.push(kept);
      Promise.resolve(this.answering(kept, socket)).then(
        (blocks) => {
          for (const block of blocks) if (!socket.destroyed) socket.write(block);
        },
        () => socket.destroy(),
      );
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        deframer.push(chunk);
      } catch {
        socket.destroy();
      }
    });
  }
}

/** A block that acknowledges a message: original mode unless told otherwise. */
export function acknowledge(message: Buffer, code = 'AA', controlId = controlIdOf(message)): Buffer {
  const header = `MSH|^~\\&|KIT|KIT|SENDER|SENDER|20260301100000||ACK|K${controlId}|P|2.5.1`;
  return frame(Buffer.from(`${header}\rMSA|${code}|${controlId}\r`, 'latin1'));
}
