/**
 * Who was at the other end of a TLS handshake that did not come about. Node has closed the TLS socket before it tells of
 * it, and a closed socket knows no address: the connection below it is asked, which keeps what it was asked for in time,
 * at its accept.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** `spoke` is false for whoever came and said nothing, as a probe of the port does. */
export function peerOf(socket: TLSSocket): { address: string; spoke: boolean } {
  // Node has no public name for it; without it the address of one who is gone is lost, and nothing else.
  const below = (socket as unknown as { _parent?: Socket })._parent;
  return {
    address: socket.remoteAddress ?? below?.remoteAddress ?? '',
    spoke: below === undefined || below.bytesRead > 0,
  };
}
