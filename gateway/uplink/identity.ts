/**
 * Who this gateway is: its key, certificate and CA under DIR/identity, and what the
 * enrollment told. The key is made here and never leaves.
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { writePrivate } from '../process/keys.ts';
import { makeDirectory } from '../process/storage.ts';

export interface Identity {
  gateway: string;
  site: string;
  address: string;
  caPem: string;
  certificatePem: string;
  keyPem: string;
}

const folderName = 'identity';
const files = {
  facts: 'enrollment.json',
  key: 'key.pem',
  certificate: 'certificate.pem',
  ca: 'ca.pem',
} as const;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

x509.cryptoProvider.set(webcrypto as never);

export function loadIdentity(directory: string): Identity | undefined {
  const folder = join(directory, folderName);
  if (!existsSync(join(folder, files.facts))) return undefined;
  const facts = JSON.parse(readFileSync(join(folder, files.facts), 'utf8')) as {
    gateway: string;
    site: string;
    address: string;
  };
  return {
    ...facts,
    caPem: readFileSync(join(folder, files.ca), 'utf8'),
    certificatePem: readFileSync(join(folder, files.certificate), 'utf8'),
    keyPem: readFileSync(join(folder, files.key), 'utf8'),
  };
}

/** Before a token is spent: what it is exchanged for must have a place. */
export function makeIdentityFolder(directory: string): void {
  makeDirectory(join(directory, folderName), 'The folder');
}

/** The facts are written last: an interrupted enrollment is no enrollment. */
export function saveIdentity(directory: string, identity: Identity): void {
  const folder = join(directory, folderName);
  writePrivate(join(folder, files.key), identity.keyPem);
  writePrivate(join(folder, files.certificate), identity.certificatePem);
  writePrivate(join(folder, files.ca), identity.caPem);
  const { gateway, site, address } = identity;
  writePrivate(join(folder, files.facts), `${JSON.stringify({ gateway, site, address }, null, 2)}\n`);
}

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

export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
