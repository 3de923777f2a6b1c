/**
 * The certificate authority of this control plane: made on first start, kept under DIR/ca
 * with mode 0600. It signs three kinds of certificate, told apart by their URI name:
 *   spiffe://hilum/gateway/NAME   spiffe://hilum/admin/NAME   spiffe://hilum/control-plane
 */
import 'reflect-metadata';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import { writePrivate } from '../../gateway/process/keys.ts';
import { type OwnFile, readOwnFile, Unusable } from '../../gateway/process/own-file.ts';
import { storageError } from '../../gateway/process/storage.ts';

export type Role = 'gateway' | 'admin' | 'control-plane';

export interface Issued {
  certificatePem: string;
  serial: string;
  expiresAtUs: bigint;
}

export interface IssuedWithKey extends Issued {
  keyPem: string;
}

export interface Authority {
  caPem: string;
  /** SHA-256 of the CA certificate, hex: what a token pins. */
  pin: string;
  /** Rejects with `HilumError` `csr-bad` where `sign` would. */
  check(csr: Uint8Array): Promise<void>;
  /** Signs a CSR for a name; the CSR's own subject and names are ignored. Throws `HilumError` for a bad CSR. */
  sign(csr: Uint8Array, role: Role, name: string): Promise<Issued>;
  /** A certificate with a key of its own (server, admin). */
  issue(role: Role, name: string, hosts: string[]): Promise<IssuedWithKey>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;
const lifeDays: Record<Role | 'ca', number> = { ca: 3650, gateway: 30, admin: 365, 'control-plane': 397 };
/** A peer's clock may be behind ours. */
const backdateMs = 300_000;
/** The CA is made once, maybe by a clock that is ahead, and nobody could use it until then. */
const caBackdateMs = 365 * dayMs;

x509.cryptoProvider.set(webcrypto as never);

/** @param nowMs milliseconds since 1970 */
export async function openAuthority(directory: string, nowMs = Date.now): Promise<Authority> {
  const folder = join(directory, 'ca');
  const keyFile = join(folder, 'ca.key.pem');
  const certificateFile = join(folder, 'ca.pem');
  if (!existsSync(certificateFile))
    await create(keyFile, certificateFile, nowMs()).catch((cause: unknown) => {
      throw storageError(`The CA in ${folder} cannot be made`, cause);
    });
  const caPem = readOwnFile(ownFile('The CA in', certificateFile), (text) => {
    const { ca } = new X509Certificate(text);
    if (!ca) throw new Unusable('it is the certificate of no CA');
    return text;
  });
  const ca = new x509.X509Certificate(caPem);
  const keyPem = readOwnFile(ownFile('The key of the CA in', keyFile), (text) => {
    const ours = new X509Certificate(caPem).checkPrivateKey(createPrivateKey(text));
    if (!ours) throw new Unusable('key and certificate do not belong together');
    return text;
  });
  const signingKey = await importKey(keyPem);

  async function certify(
    publicKey: x509.PublicKey,
    role: Role,
    name: string,
    hosts: string[],
  ): Promise<Issued> {
    const uri = role === 'control-plane' ? 'spiffe://hilum/control-plane' : `spiffe://hilum/${role}/${name}`;
    const notAfter = new Date(nowMs() + lifeDays[role] * dayMs);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: positiveSerial(),
      subject: `CN=${name}`,
      issuer: ca.subject,
      notBefore: new Date(nowMs() - backdateMs),
      notAfter,
      publicKey,
      signingKey: signingKey as never,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([role === 'control-plane' ? serverAuth : clientAuth]),
        new x509.SubjectAlternativeNameExtension([
          { type: 'url', value: uri },
          ...hosts.map((host) => ({
            type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const),
            value: host,
          })),
        ]),
        await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
      ],
    });
    return {
      certificatePem: `${certificate.toString('pem')}\n`,
      serial: certificate.serialNumber.toLowerCase(),
      expiresAtUs: BigInt(notAfter.getTime()) * 1000n,
    };
  }

  return {
    caPem,
    pin: createHash('sha256').update(Buffer.from(ca.rawData)).digest('hex'),
    async check(csr) {
      await keyOf(csr);
    },
    async sign(csr, role, name) {
      return certify(await keyOf(csr), role, name, []);
    },
    async issue(role, name, hosts) {
      const keys = await makeKeys();
      const publicKey = new x509.PublicKey(await webcrypto.subtle.exportKey('spki', keys.publicKey));
      return { ...(await certify(publicKey, role, name, hosts)), keyPem: await exportKey(keys.privateKey) };
    },
  };
}

/** All gateways and administrators trust this CA alone, so no other one can stand in for it. */
function ownFile(what: string, file: string): OwnFile {
  return { file, what, code: 'ca', hint: 'Put the folder of the CA back from your backup, as a whole.' };
}

/** The key of a CSR that is signed with it. */
async function keyOf(csr: Uint8Array): Promise<x509.PublicKey> {
  let weakness: string;
  let key: x509.PublicKey;
  try {
    const request = new x509.Pkcs10CertificateRequest(csr as Uint8Array<ArrayBuffer>);
    key = request.publicKey;
    weakness = weaknessOf(key, request.signatureAlgorithm.hash);
    if (weakness === '' && !(await request.verify())) throw new Error('the signature does not verify');
  } catch (cause) {
    throw new HilumError('csr-bad', 'The certificate request cannot be used.', {
      exit: exitCode.refused,
      cause,
    });
  }
  if (weakness === '') return key;
  throw new HilumError('csr-bad', `The certificate request cannot be used: ${weakness}.`, {
    exit: exitCode.refused,
  });
}

/** Why a key or the hash of a signature is not taken [RFC 9325, 4.5]; '' where they are. Looked at before the signature is. */
function weaknessOf(key: x509.PublicKey, { name: hash }: { name: string }): string {
  if (!/^SHA-(256|384|512)$/.test(hash)) return 'it is signed with a weak hash';
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey({
    key: Buffer.from(key.rawData),
    format: 'der',
    type: 'spki',
  });
  if (type === 'ec') {
    const curves = ['prime256v1', 'secp384r1', 'secp521r1'];
    return curves.includes(details?.namedCurve ?? '') ? '' : 'its curve is none of P-256, P-384 and P-521';
  }
  if (type !== 'rsa') return 'its key is neither ECDSA nor RSA';
  const { modulusLength = 0, publicExponent = 0n } = details ?? {};
  const [bitsMin, bitsMax] = rsaBits;
  return modulusLength >= bitsMin && modulusLength <= bitsMax && publicExponent === 65_537n
    ? ''
    : `its RSA key does not have ${bitsMin} to ${bitsMax} bits and the exponent 65537`;
}

const rsaBits = [2048, 4096] as const;

const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';

async function create(keyFile: string, certificateFile: string, nowMs: number): Promise<void> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: positiveSerial(),
    name: 'CN=Hilum CA',
    notBefore: new Date(nowMs - caBackdateMs),
    notAfter: new Date(nowMs + lifeDays.ca * dayMs),
    keys: keys as never,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as never),
    ],
  });
  writePrivate(keyFile, await exportKey(keys.privateKey));
  // The certificate is written last: without it the CA is made anew, never half.
  writePrivate(certificateFile, `${certificate.toString('pem')}\n`);
}

async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.match(/.{1,64}/g)?.join('\n') ?? ''}\n-----END PRIVATE KEY-----\n`;
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}

/** 127 random bits, positive in DER. */
function positiveSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
