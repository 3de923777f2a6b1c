/** What is spoken on our TLS connections. */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/**
 * At either end: of TLS 1.2 what has forward secrecy and authenticated encryption; suites of 1.3 stand by their names
 * [RFC 9325, 4.2]. Level 2 of OpenSSL takes no certificate whose key is below RSA 2048 or that is signed with SHA-1
 * [RFC 9325, 4.5]; Node leaves it at 1, which takes RSA 1024.
 */
export const tlsSuites = {
  minVersion: 'TLSv1.2',
  ciphers:
    'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2',
} as const satisfies SecureContextOptions;

/** On every port of ours. */
export const serverTls = {
  ...tlsSuites,
  honorCipherOrder: true,
  // A client could make the server shake hands again and again, each time at the server's cost.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies SecureContextOptions;
