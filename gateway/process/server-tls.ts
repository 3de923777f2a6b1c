/** What every TLS port of ours takes from its clients. */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

export const serverTls = {
  minVersion: 'TLSv1.2',
  // Forward secrecy and authenticated encryption; those of TLS 1.3 stand by their names [RFC 9325, 4.2].
  ciphers:
    'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20',
  honorCipherOrder: true,
  // A client could make the server shake hands again and again, each time at the server's cost.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies SecureContextOptions;
