/**
 * The TCP or TLS server of an MLLP listener: it hands over sockets that are ready for MLLP, and tells whom it refused.
 * Who may come is asked at the accept, before any handshake: whoever comes and says nothing holds the place of nobody else.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { presentsWrongCertificate, refusalOf } from '../client-certificate.ts';
import { peerOf } from '../handshake.ts';
import type { MllpOptions } from './options.ts';

export interface ServerHooks {
  /** Of a connection that was just made; false: it is closed. */
  admit(socket: Socket): boolean;
  /** One that was admitted, after its handshake where it has one. */
  accept(socket: Socket): void;
  /** `spoke`: not only the port was tried. */
  onTlsRefused(
    code: 'mllp-tls-refused' | 'mllp-certificate-refused',
    peer: { address: string; spoke: boolean },
    reason: string,
  ): void;
}

export interface MllpServer {
  server: Server;
  renew(tls: NonNullable<MllpOptions['tls']>): void;
}

export function createMllpServer(
  options: Pick<MllpOptions, 'tls' | 'limits'>,
  hooks: ServerHooks,
): MllpServer {
  const { limits, tls } = options;
  const secured = tls === undefined ? undefined : createSecured(tls, limits.handshakeTimeoutMs, hooks);
  // A peer that leaves in a handshake is gone; without one its half may be closed once it has sent.
  const server = createServer({ allowHalfOpen: secured === undefined }, (socket) => {
    // Whoever uses it hears of it too; in a handshake nobody does.
    socket.on('error', () => {});
    if (!hooks.admit(socket)) socket.destroy();
    else if (secured === undefined) hooks.accept(socket);
    else secured.emit('connection', socket);
  });
  return { server, renew: (renewed) => secured?.setSecureContext(renewed) };
}

/** It listens nowhere: connections are given to it. */
function createSecured(
  tls: NonNullable<MllpOptions['tls']>,
  handshakeTimeout: number,
  hooks: ServerHooks,
): TlsServer {
  const server = createTlsServer({ ...tls, handshakeTimeout }, (socket: TLSSocket) => {
    if (presentsWrongCertificate(socket)) {
      hooks.onTlsRefused('mllp-certificate-refused', peerOf(socket), refusalOf(socket));
      socket.destroy();
      return;
    }
    // Its close_notify ends one half [RFC 8446 6.1]. Not before: a peer that leaves in the handshake is gone.
    socket.allowHalfOpen = true;
    hooks.accept(socket);
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const peer = peerOf(socket);
    // Node tells of a handshake that timed out and keeps the connection; the others it ends, with an alert.
    if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') socket.destroy();
    hooks.onTlsRefused('mllp-tls-refused', peer, refusalOf(socket) || (error.code ?? 'handshake'));
  });
  return server;
}
