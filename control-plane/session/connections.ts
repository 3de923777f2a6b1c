/**
 * Connections to the gRPC port, which anybody may open: so many in all and of one address, and none that outlives its
 * end. Node ends a connection with its own half and waits for the other for as long as its peer likes. grpc-js has no
 * limits for connections; its servers are its own fields, which the door of this library may know [grpc-js 1.14].
 */
import type { Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type * as grpc from '@grpc/grpc-js';
import { Places } from '../../gateway/process/places.ts';

/** Each has a gateway or a person behind it; many may come through one proxy. 45 KB each. */
const [connectionsMax, perAddressMax] = [4_096, 1_024] as const;
/** For what was said last to be read. */
const lingerMs = 5_000;

export function boundConnections(server: grpc.Server): void {
  const { http2Servers } = server as unknown as { http2Servers?: Map<Http2SecureServer, unknown> };
  if (!(http2Servers instanceof Map) || http2Servers.size === 0)
    throw new Error('grpc-js does not keep its servers where it did');
  const places = new Places<Socket>(connectionsMax, perAddressMax);
  for (const http2Server of http2Servers.keys()) {
    // Before the handshake, which is what costs most.
    http2Server.prependListener('connection', (socket: Socket) => {
      const address = socket.remoteAddress ?? '';
      if (places.isFull(address)) socket.destroy();
      else places.take(socket, address);
    });
    http2Server.on('secureConnection', destroyOnceEnded);
  }
}

function destroyOnceEnded(socket: TLSSocket): void {
  let hasEnded = false;
  // No event tells that our half is to end where the peer does not even read what comes before that.
  const looking = setInterval(() => {
    if (hasEnded) socket.destroy();
    hasEnded = socket.writableEnded;
  }, lingerMs).unref();
  socket.once('close', () => clearInterval(looking));
}
