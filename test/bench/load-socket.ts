/**
 * A load generator's socket, plain or TLS. Invariant: what one turn sends leaves in one write.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

export interface LoadTarget {
  readonly host: string;
  readonly port: number;
  /** Paths of PEM files; `ca` alone makes it TLS. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export async function openLoadSocket(target: LoadTarget): Promise<net.Socket> {
  const { host, port, ca, cert, key } = target;
  const pem = (path: string | undefined) => (path === undefined ? {} : readFileSync(path));
  if (ca === undefined) {
    const socket = net.connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    return socket;
  }
  const identity =
    cert === undefined || key === undefined ? {} : { cert: pem(cert) as Buffer, key: pem(key) as Buffer };
  const socket = tls.connect({ host, port, ca: readFileSync(ca), ...identity });
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  return socket;
}

/** Gathers the writes of one turn. */
export function turnWriter(socket: net.Socket): (bytes: Buffer) => void {
  let waiting: Buffer[] = [];
  return (bytes) => {
    if (waiting.length === 0) {
      queueMicrotask(() => {
        if (!socket.destroyed) socket.write(waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting));
        waiting = [];
      });
    }
    waiting.push(bytes);
  };
}
