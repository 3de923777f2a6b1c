/** Callers whose identity is not taken leave a trace; keys and suites that are too weak are not taken. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import http2 from 'node:http2';
import tls from 'node:tls';
import * as x509 from '@peculiar/x509';
import t, { type Test } from 'tap';
import { nowUs64 } from '../../gateway/process/clock.ts';
import { controlPlaneName } from '../../proto/limits.ts';
import { until } from '../kit/wait.ts';
import { openPlane } from './plane-kit.ts';

async function callers(t: Test) {
  const { plane, context, lines } = await openPlane(t);
  t.teardown(() => plane.stop(1_000));
  /** Calls as who has this certificate; the status. */
  const call = async (path: string, who?: { certificatePem: string; keyPem: string }) => {
    const session = http2.connect(`https://${plane.address}`, {
      ca: context.caPem,
      servername: controlPlaneName,
      ...(who && { cert: who.certificatePem, key: who.keyPem }),
    });
    session.on('error', () => {});
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: string | undefined;
    const take = (headers: http2.IncomingHttpHeaders) => {
      status ??= headers['grpc-status'] as string | undefined;
    };
    stream.on('error', () => {});
    stream.on('response', take);
    stream.on('trailers', take);
    stream.resume();
    stream.end(Buffer.alloc(5));
    const answered = await until(() => status, { what: 'the answer', timeoutMs: 30_000 });
    session.destroy();
    return answered;
  };
  return { plane, context, lines, call };
}

const listGateways = '/hilum.v1.Admin/ListGateways';

t.test(
  'refused identity - it is told at once, once for an address and reason, with whose it is',
  async (t) => {
    const { plane, context, lines, call } = await callers(t);
    const { authority, peers, registry, audit, store, refusedCallers } = plane.state;
    await registry.update('north', { site: 'north', enrolledAtUs: nowUs64() });
    const north = await authority.issue('gateway', 'north', []);
    await store.write([peers.issued(north, 'gateway', 'north')]);
    for (let n = 0; n < 3; n += 1) t.equal(await call(listGateways), '16');
    t.equal(await call(listGateways, north), '7', 'a gateway is no admin');
    await store.write(peers.revoked('gateway', 'north'));
    for (let n = 0; n < 2; n += 1) t.equal(await call(listGateways, north), '16');
    const admin = { certificatePem: context.certPem, keyPem: context.keyPem };
    t.equal(await call('/hilum.v1.Uplink/Renew', admin), '7', 'an admin is no gateway');
    await refusedCallers.stop();
    const told = (await audit.list(0n, 1_000)).filter(({ action }) => action === 'call');
    t.same(
      told.map(({ actor, outcome, reason, detail }) => [actor.replace(/:\d+$/, ''), outcome, reason, detail]),
      [
        ['127.0.0.1', 'refused', 'no client certificate was presented', ''],
        ['127.0.0.1', 'refused', 'this call is for the role admin', 'gateway north'],
        ['127.0.0.1', 'refused', 'the client certificate was revoked', 'gateway north'],
        ['127.0.0.1', 'refused', 'this call is for the role gateway', 'admin admin'],
        ['127.0.0.1', 'refused', 'no client certificate was presented', '2 more within an hour'],
        [
          '127.0.0.1',
          'refused',
          'the client certificate was revoked',
          'gateway north: 1 more within an hour',
        ],
      ],
    );
    t.equal(lines.filter((code) => code === 'identity-refused').length, told.length);
  },
);

t.test('certificate request - weak keys and SHA-1 are refused, and the token stays good', async (t) => {
  const { plane } = await callers(t);
  const { authority, tokens } = plane.state;
  x509.cryptoProvider.set(webcrypto as never);
  const request = async (algorithm: object, signing: object) => {
    const keys = await webcrypto.subtle.generateKey(algorithm as never, true, ['sign', 'verify']);
    const csr = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=odd',
      keys: keys as never,
      signingAlgorithm: signing as never,
    });
    return new Uint8Array(csr.rawData);
  };
  const rsa = (modulusLength: number, hash: string, exponent = [1, 0, 1]) => {
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash, modulusLength };
    return request({ ...algorithm, publicExponent: new Uint8Array(exponent) }, algorithm);
  };
  const ec = (namedCurve: string, hash: string) =>
    request({ name: 'ECDSA', namedCurve }, { name: 'ECDSA', namedCurve, hash });
  const weak = [
    await rsa(1024, 'SHA-256'),
    await rsa(2048, 'SHA-256', [3]),
    await rsa(2048, 'SHA-1'),
    await ec('P-256', 'SHA-1'),
  ];
  for (const csr of weak) await t.rejects(authority.sign(csr, 'gateway', 'x'), { code: 'csr-bad' });
  for (const csr of [await rsa(3072, 'SHA-256'), await ec('P-256', 'SHA-256'), await ec('P-384', 'SHA-384')])
    t.match(await authority.sign(csr, 'gateway', 'x'), { serial: /./ });
  const made = tokens.made({ gateway: '', site: 'north', expiresAtUs: nowUs64() + 60_000_000n });
  await plane.state.store.write([made.row]);
  const secret = Buffer.from(made.secret, 'hex');
  const { enroll } = await import('../../control-plane/identity/enrollment.ts');
  const streams = { online: () => false, drop: () => {} };
  const ask = (csr: Uint8Array) =>
    enroll(plane.state, { secret, csr, version: 'v' }, '127.0.0.1:1', undefined, streams, () => {});
  await t.rejects(ask(weak[0] as Uint8Array), { code: 'csr-bad' });
  t.match(await ask(await ec('P-256', 'SHA-256')), { gateway: 'north' }, 'the token was not used up');
});

t.test('gRPC port - it takes suites with forward secrecy and authenticated encryption alone', async (t) => {
  const { plane, context } = await callers(t);
  const [host, port] = plane.address.split(':');
  const shake = (ciphers: string) =>
    new Promise<string>((resolve) => {
      const socket = tls.connect(
        {
          host,
          port: Number(port),
          ca: context.caPem,
          servername: controlPlaneName,
          maxVersion: 'TLSv1.2',
          ciphers,
          ALPNProtocols: ['h2'],
        },
        () => {
          resolve(socket.getCipher().name);
          socket.destroy();
        },
      );
      socket.on('error', ({ message }) => resolve(/handshake failure/.test(message) ? 'refused' : message));
    });
  t.equal(await shake('ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0'), 'refused');
  t.equal(await shake('ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0'), 'refused');
  t.equal(await shake('ECDHE-ECDSA-AES128-GCM-SHA256'), 'ECDHE-ECDSA-AES128-GCM-SHA256');
});
