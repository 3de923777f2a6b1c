/**
 * Ends a TCP connection with RST alone. Node's resetAndDestroy() ends the writable side first, so the peer
 * sees FIN and then RST: a polite end, which is not what a dying machine or a firewall sends. (Read in
 * Node 20's lib/net.js; the test holds the fact.)
 */
import type net from 'node:net';

export function reset(socket: net.Socket): void {
  if (socket.destroyed) return;
  if (!socket.connecting) (socket as net.Socket & { resetAndClosing?: boolean }).resetAndClosing = true;
  socket.destroy();
}
