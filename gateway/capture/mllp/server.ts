/** The TCP or TLS server of an MLLP listener: it hands over sockets that are ready for MLLP, and tells whom it refused. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { presentsWrongCertificate, refusalOf } from '../client-certificate.ts';
import { keepAddress, peerOf } from '../handshake.ts';
import type { MllpOptions } from './options.ts';

export interface ServerHooks {
  accept(socket: Socket): void;
  /** `spoke`: not only the port was tried. */
  onTlsRefused(
    code: 'mllp-tls-refused' | 'mllp-certificate-refused',
    peer: { address: string; spoke: boolean },
    reason: string,
  ): void;
}

export function createMllpServer(options: Pick<MllpOptions, 'tls' | 'limits'>, hooks: ServerHooks): Server {
  const { limits, tls } = options;
  if (tls === undefined) return createServer({ allowHalfOpen: true }, hooks.accept);
  const handshakeTimeout = limits.handshakeTimeoutMs;
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
  server.on('connection', keepAddress);
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const peer = peerOf(socket);
    // Node tells of a handshake that timed out and keeps the connection; the others it ends, with an alert.
    if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') socket.destroy();
    hooks.onTlsRefused('mllp-tls-refused', peer, refusalOf(socket) || (error.code ?? 'handshake'));
  });
  return server;
}
