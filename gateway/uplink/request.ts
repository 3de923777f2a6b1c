/** A new key and the request for its certificate: apart, for it is needed once in some weeks and takes long to load. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { toPem } from './identity.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

x509.cryptoProvider.set(webcrypto as never);

export interface Request {
  keyPem: string;
  /** PKCS#10, DER. */
  csr: Uint8Array;
}

/** A new P-256 key and the request for its certificate. */
export async function makeRequest(): Promise<Request> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=hilum-gateway',
    keys: keys as never,
    signingAlgorithm: algorithm,
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { keyPem: toPem('PRIVATE KEY', pkcs8), csr: new Uint8Array(csr.rawData) };
}
