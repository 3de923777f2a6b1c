/** A client of TLS 1.2 that shakes hands a second time on the same connection. */
import tls from 'node:tls';

/** `done`, or what came of it. Rejects where not even the first handshake does. */
export function renegotiate(options: tls.ConnectionOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    let first = false;
    const socket = tls.connect({ ...options, maxVersion: 'TLSv1.2' }, () => {
      first = true;
      socket.renegotiate({}, () => settle('done'));
    });
    // Not read, it would not see what the other end says to that.
    socket.resume();
    const settle = (what: string) => {
      socket.destroy();
      resolve(what);
    };
    socket.on('error', (error: NodeJS.ErrnoException) => (first ? settle(error.code ?? '') : reject(error)));
    socket.on('close', () => settle('closed'));
  });
}
