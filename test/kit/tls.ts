/**
 * A certificate authority for tests: good certificates and every kind of bad one (expired, not yet valid,
 * wrong name, weak key, self-signed), made in memory. Never a key that anything outside a test trusts.
 */
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as never);

export interface IssueOptions {
  readonly commonName: string;
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  readonly uris?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** RSA of that many bits in place of P-256. */
  readonly rsaBits?: number;
}

export interface TestIdentity {
  readonly certPem: string;
  readonly keyPem: string;
  readonly serial: string;
}

export interface TestCa {
  readonly certPem: string;
  issue(options: IssueOptions): Promise<TestIdentity>;
}

const hourMs = 3_600_000;

export async function createTestCa(commonName = 'Hilum test CA'): Promise<TestCa> {
  const keys = await keyPair();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=${commonName}`,
    ...validity({}),
    keys,
    signingAlgorithm: signing,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    certPem: cert.toString('pem'),
    issue: (options) => issue(options, cert.subject, keys.privateKey),
  };
}

/** A certificate that signs itself, under any name: what an impostor presents. */
export async function selfSigned(options: IssueOptions): Promise<TestIdentity> {
  return issue(options, undefined, undefined);
}

async function issue(
  options: IssueOptions,
  issuer: string | undefined,
  issuerKey: webcrypto.CryptoKey | undefined,
): Promise<TestIdentity> {
  const keys = await keyPair(options.rsaBits);
  const subject = `CN=${options.commonName}`;
  const algorithm = issuerKey || !options.rsaBits ? signing : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject,
    issuer: issuer ?? subject,
    ...validity(options),
    publicKey: keys.publicKey,
    signingKey: issuerKey ?? keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension(names(options)),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    certPem: cert.toString('pem'),
    keyPem: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    serial: cert.serialNumber,
  };
}

const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

async function keyPair(rsaBits?: number): Promise<webcrypto.CryptoKeyPair> {
  if (!rsaBits) return webcrypto.subtle.generateKey(signing, true, ['sign', 'verify']);
  const publicExponent = new Uint8Array([1, 0, 1]);
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent, modulusLength: rsaBits };
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

function names({ dns = ['localhost'], ips = ['127.0.0.1'], uris = [] }: IssueOptions): x509.JsonGeneralNames {
  return [
    ...dns.map((value) => ({ type: 'dns' as const, value })),
    ...ips.map((value) => ({ type: 'ip' as const, value })),
    ...uris.map((value) => ({ type: 'url' as const, value })),
  ];
}

// An hour of grace on both sides, so that a stepped clock does not spoil rows that are not about clocks.
function validity({ notBefore, notAfter }: { notBefore?: Date; notAfter?: Date }) {
  return {
    notBefore: notBefore ?? new Date(Date.now() - hourMs),
    notAfter: notAfter ?? new Date(Date.now() + 30 * 24 * hourMs),
  };
}

// Positive and without a leading zero byte.
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}
