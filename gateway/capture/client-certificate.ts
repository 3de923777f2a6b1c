/** What a listener asks of the client certificate in a TLS handshake, beyond what Node answers by itself. */
import type { TLSSocket } from 'node:tls';
import { codeOf } from '../process/errors.ts';

/** Why a client certificate was not taken, as OpenSSL calls it; Node ends such a handshake as if the peer had reset it. */
export function refusalOf(socket: TLSSocket): string {
  // An error in spite of its declared type, or its bare code.
  const error = socket.authorizationError as Error | string | null | undefined;
  return typeof error === 'object' ? codeOf(error) : (error ?? '');
}

/** Where a client certificate is optional, a wrong one is still refused. */
export function presentsWrongCertificate(socket: TLSSocket): boolean {
  return !socket.authorized && Object.keys(socket.getPeerCertificate() ?? {}).length > 0;
}
