/**
 * Enrollment: reach the control plane, take its CA only if it matches the token's pin,
 * send a CSR, keep the certificate. The secret leaves this host only inside that pinned TLS.
 */
import { createHash } from 'node:crypto';
import { connect as connectTls, type DetailedPeerCertificate } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { addressOf, serverNameOf } from '../../proto/address.ts';
import type { EnrollResponse } from '../../proto/gen/hilum/v1/session.ts';
import { readToken, type Token } from '../../proto/token.ts';
import { exitCode, HilumError, messageOf } from '../process/errors.ts';
import { plainReason, reasonHint } from '../process/line-reason.ts';
import { type ConnectProxy, enrollmentClient } from './channel.ts';
import { type Identity, toPem } from './identity.ts';
import { makeRequest } from './request.ts';
import { openTunnel, ProxyUnreachable } from './tunnel.ts';

const timeoutMs = 10_000;

export interface EnrollOptions {
  token: string;
  /** Where the settings say that the control plane is; default: what the token says. */
  address?: string | undefined;
  proxy?: ConnectProxy | undefined;
  version: string;
  /** The identity that the new one replaces: shown with the request, so that the control plane retires it. */
  replaces?: Identity | undefined;
}

/** Throws `HilumError`: 2 not a token, 69 unreachable, 3 refused (used, expired, unknown). */
export async function enroll(options: EnrollOptions): Promise<Identity> {
  const token = parseToken(options.token);
  const address = options.address ?? token.address;
  const caPem = await fetchPinnedCa(address, token.caPin, options.proxy);
  const { keyPem, csr } = await makeRequest();
  const client = enrollmentClient({
    address,
    proxy: options.proxy,
    caPem,
    ...(options.replaces === undefined
      ? {}
      : { certificatePem: options.replaces.certificatePem, keyPem: options.replaces.keyPem }),
  });
  try {
    const response = await new Promise<EnrollResponse>((resolve, reject) => {
      client.enroll(
        { secret: Buffer.from(token.secret, 'hex'), csr, version: options.version },
        new grpc.Metadata(),
        { deadline: Date.now() + timeoutMs },
        (error, reply) => (error === null ? resolve(reply) : reject(refusal(error, address))),
      );
    });
    return {
      gateway: response.gateway,
      site: response.site,
      address: token.address,
      caPem,
      certificatePem: response.certificatePem,
      keyPem,
    };
  } finally {
    client.close();
  }
}

/** Throws a usage error (exit 2) where the text is no token. */
export function parseToken(text: string): Token {
  const token = readToken(text);
  if (token !== undefined) return token;
  throw new HilumError('token-unreadable', 'This is not an enrollment token.', {
    hint: 'Paste the whole word that "hilumctl token create" printed; it begins with hilum1.',
    exit: exitCode.usage,
  });
}

function refusal(error: grpc.ServiceError, address: string): HilumError {
  if (error.code === grpc.status.PERMISSION_DENIED || error.code === grpc.status.INVALID_ARGUMENT) {
    return new HilumError('enrollment-refused', `The control plane refused the token: ${error.details}`, {
      hint: 'Ask for a new one: hilumctl token create --site NAME. A token is good once, for 15 minutes.',
      exit: exitCode.refused,
    });
  }
  return unreachable(address, plainReason(error.details), error);
}

function unreachable(address: string, why: string, cause: unknown): HilumError {
  if (cause instanceof ProxyUnreachable) {
    const text = `The proxy ${cause.proxy} cannot be reached: ${messageOf(cause.cause)}`;
    return new HilumError('proxy-unreachable', text, {
      hint: `Check uplink.proxy in the settings, and that the proxy runs; the control plane behind it is ${address}.`,
      exit: exitCode.unreachable,
      cause,
    });
  }
  return new HilumError(
    'control-plane-unreachable',
    `The control plane at ${address} cannot be reached: ${why}`,
    {
      hint:
        reasonHint(why, Date.now()) ??
        'Run "hilum-gateway doctor" to see whether the way is blocked, intercepted or not resolved.',
      exit: exitCode.unreachable,
      cause,
    },
  );
}

/** The CA certificate that the server presents, if and only if it is the pinned one. */
async function fetchPinnedCa(address: string, pin: string, proxy: ConnectProxy | undefined): Promise<string> {
  const chain = await presentedChain(address, proxy).catch((error: unknown) => {
    throw unreachable(address, plainReason(messageOf(error)), error);
  });
  const ca = chain.find((der) => createHash('sha256').update(der).digest('hex') === pin);
  if (ca === undefined) {
    throw new HilumError(
      'ca-mismatch',
      `What answers at ${address} does not have the CA that the token names.`,
      {
        hint: 'Something between may intercept TLS, or the token is of another control plane. Run "hilum-gateway doctor".',
        exit: exitCode.refused,
      },
    );
  }
  return toPem('CERTIFICATE', ca);
}

/** DER certificates as presented; nothing is trusted yet. */
export async function presentedChain(address: string, proxy: ConnectProxy | undefined): Promise<Buffer[]> {
  const { host, port } = addressOf(address);
  const socket = await openTunnel(address, proxy);
  return new Promise((resolve, reject) => {
    const tls = connectTls({
      socket,
      servername: serverNameOf(host),
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    tls.setTimeout(timeoutMs, () =>
      tls.destroy(new Error(`no TLS answer from port ${port} in ${timeoutMs / 1000} s`)),
    );
    tls.once('error', reject);
    // After what settled it first this says nothing.
    tls.once('close', () => reject(new Error('the connection was closed before TLS began')));
    tls.once('secureConnect', () => {
      const chain: Buffer[] = [];
      let certificate: DetailedPeerCertificate | undefined = tls.getPeerCertificate(true);
      while (certificate?.raw !== undefined && chain.length < 8) {
        chain.push(certificate.raw);
        if (certificate.issuerCertificate === certificate) break;
        certificate = certificate.issuerCertificate;
      }
      tls.destroy();
      resolve(chain);
    });
  });
}
