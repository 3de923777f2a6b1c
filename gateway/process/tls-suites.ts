/**
 * What is spoken on every TLS connection of ours, at either end: TLS 1.3, and of 1.2 what has forward secrecy and
 * authenticated encryption [RFC 9325, 4.2]. Suites of TLS 1.3 stand by their names. Level 2 of OpenSSL takes no certificate
 * whose key is below RSA 2048 or that is signed with SHA-1 [RFC 9325, 4.5]; Node leaves it at 1, which takes RSA 1024.
 */
export const tlsSuites = {
  minVersion: 'TLSv1.2',
  ciphers:
    'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2',
} as const;
