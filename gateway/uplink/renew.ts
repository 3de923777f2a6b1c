/** Renewal of the gateway's certificate: a new key and CSR, signed for the identity of the old certificate. */
import { X509Certificate } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import type { RenewResponse } from '../../proto/gen/hilum/v1/session.ts';
import { type ConnectProxy, uplinkClient } from './channel.ts';
import type { Identity } from './identity.ts';

const timeoutMs = 10_000;

/** The renewed identity once two thirds of the certificate's life are over, else undefined. Rejects when it cannot be had. */
export async function renewWhenDue(
  identity: Identity,
  way: { address: string; proxy: ConnectProxy | undefined },
  nowMs: number,
): Promise<Identity | undefined> {
  const certificate = new X509Certificate(identity.certificatePem);
  const fromMs = Date.parse(certificate.validFrom);
  const toMs = Date.parse(certificate.validTo);
  if (nowMs < fromMs + ((toMs - fromMs) * 2) / 3) return undefined;
  const { makeRequest } = await import('./request.ts');
  const { keyPem, csr } = await makeRequest();
  const client = uplinkClient({ ...way, ...identity, address: way.address });
  try {
    const response = await new Promise<RenewResponse>((resolve, reject) => {
      client.renew({ csr }, new Metadata(), { deadline: Date.now() + timeoutMs }, (error, reply) =>
        error === null ? resolve(reply) : reject(error),
      );
    });
    return { ...identity, keyPem, certificatePem: response.certificatePem, caPem: response.caPem };
  } finally {
    client.close();
  }
}
