/** What a gateway whose certificate is good may still not take of the centre. */
import http2 from 'node:http2';
import t, { type Test } from 'tap';
import { renew } from '../../control-plane/identity/enrollment.ts';
import type { Peer } from '../../control-plane/identity/peers.ts';
import { makeRequest } from '../../gateway/uplink/request.ts';
import { GatewayFrame, Hello } from '../../proto/gen/hilum/v1/session.ts';
import { controlPlaneName } from '../../proto/limits.ts';
import { until } from '../kit/wait.ts';
import { openPlane } from './plane-kit.ts';

/** A control plane, and a gateway that it knows. */
async function withGateway(t: Test) {
  const { plane, context, lines } = await openPlane(t);
  const { authority, peers, registry } = plane.state;
  const { keyPem, csr } = await makeRequest();
  const issued = await authority.sign(csr, 'gateway', 'north-1');
  await registry.update('north-1', { site: 'north' });
  await plane.state.store.write([peers.issued(issued, 'gateway', 'north-1')]);
  const peer: Peer = {
    role: 'gateway',
    name: 'north-1',
    serial: issued.serial,
    expiresAtUs: issued.expiresAtUs,
  };
  return {
    plane,
    lines,
    peer,
    channel: { address: plane.address, caPem: context.caPem, certificatePem: issued.certificatePem, keyPem },
  };
}

t.test('session - who asks and does not read is let go', async (t) => {
  const { plane, channel, lines } = await withGateway(t);
  t.teardown(() => plane.stop(1_000));
  const { address, caPem: ca, certificatePem: cert, keyPem } = channel;
  const client = http2.connect(`https://${address}`, { ca, cert, key: keyPem, servername: controlPlaneName });
  t.teardown(() => client.destroy());
  client.on('error', () => {});
  const stream = client.request({
    ':method': 'POST',
    ':path': '/hilum.v1.Uplink/Session',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  stream.write(message({ $case: 'hello', value: Hello.fromPartial({ gateway: 'north-1', epoch: 1n }) }));
  await until(() => lines.includes('gateway-connected'), { what: 'the session' });
  // Nothing is read; some thousand answers fit into the windows of the connection.
  const ping = message({ $case: 'ping', value: { nonce: 1n, sentAtUs: 1n } });
  const isOver = (): boolean => lines.includes('gateway-disconnected');
  for (let round = 0; round < 40 && !isOver(); round += 1) {
    stream.write(Buffer.concat(Array.from({ length: 1_000 }, () => ping)));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await until(isOver, { what: 'the end of the session', timeoutMs: 30_000 });
  t.equal(lines.filter((code) => code === 'gateway-disconnected').length, 1);
  t.equal(lines.filter((code) => code === 'session-unread').length, 1, 'and the log says why');
});

/** As it stands on a stream: its length in five bytes before it. */
function message(frame: GatewayFrame['frame']): Buffer {
  const bytes = GatewayFrame.encode({ frame }).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

t.test('renew - a gateway that asks again and again is refused, and another is not', async (t) => {
  const { plane, peer } = await withGateway(t);
  t.teardown(() => plane.stop(1_000));
  const { csr } = await makeRequest();
  const asked = async (who: Peer): Promise<string> => {
    try {
      await renew(plane.state, csr, who);
      return '';
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  };
  const answers = await Promise.all(Array.from({ length: 12 }, () => asked(peer)));
  t.same(new Set(answers.slice(0, 9)), new Set(['']));
  t.same(
    answers.slice(9),
    ['renewed-too-often', 'renewed-too-often', 'renewed-too-often'],
    'with its first one ten, also where all are asked for at once',
  );
  t.equal(await asked({ ...peer, name: 'north-2' }), '');
});
