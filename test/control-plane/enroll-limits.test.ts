/** What a caller without a certificate may take of the centre. */
import { once } from 'node:events';
import http2 from 'node:http2';
import t, { type Test } from 'tap';
import { controlPlaneName } from '../../proto/limits.ts';
import { until } from '../kit/wait.ts';
import { openPlane } from './plane-kit.ts';

async function enrolling(t: Test) {
  const { plane, context, lines } = await openPlane(t);
  const { caPem } = context;
  const session = http2.connect(`https://${plane.address}`, { ca: caPem, servername: controlPlaneName });
  session.on('error', () => {});
  const told: Promise<http2.Settings[]> = once(session, 'remoteSettings');
  const call = (path: string) => {
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
    return { stream, status: () => status };
  };
  /** An Enroll whose message has a head that tells this length. */
  const enroll = (length: number) => {
    const made = call('/hilum.v1.Enrollment/Enroll');
    const head = Buffer.alloc(5);
    head.writeUInt32BE(length, 1);
    made.stream.write(head);
    return made;
  };
  t.teardown(async () => {
    session.destroy();
    await plane.stop(1_000);
  });
  return { plane, told, call, enroll, lines };
}

t.test('enroll - more than a request can have is refused by its length', async (t) => {
  const { enroll } = await enrolling(t);
  const { status } = enroll(1024 * 1024);
  t.equal(await until(status, { what: 'the answer', timeoutMs: 8_000 }), '8', 'RESOURCE_EXHAUSTED');
});

t.test('enroll - a request that does not come is not waited for', async (t) => {
  const { enroll } = await enrolling(t);
  const { stream, status } = enroll(1_000);
  stream.write(Buffer.alloc(10));
  t.equal(await until(status, { what: 'the answer', timeoutMs: 60_000 }), '4', 'DEADLINE_EXCEEDED');
});

t.test(
  'enroll - of one caller few are open at once, and none keeps its stream once it is answered',
  async (t) => {
    const { enroll } = await enrolling(t);
    const calls = Array.from({ length: 72 }, () => enroll(1_000));
    const answered = () => calls.filter(({ status }) => status() === '8');
    await until(() => answered().length === 8, {
      what: 'those over the limit being refused',
      timeoutMs: 8_000,
    });
    await until(() => answered().every(({ stream }) => stream.closed), {
      what: 'their streams being closed, though the caller ends none',
      timeoutMs: 8_000,
    });
  },
);

t.test('gRPC port - a call that is refused is over, whether or not its caller ends it', async (t) => {
  const { call } = await enrolling(t);
  const { stream, status } = call('/hilum.v1.Admin/ListGateways');
  t.equal(await until(status, { what: 'the answer', timeoutMs: 8_000 }), '16', 'UNAUTHENTICATED');
  await until(() => stream.closed, { what: 'the end of its stream', timeoutMs: 8_000 });
});

t.test('gRPC port - a connection has so many calls open', async (t) => {
  const { told } = await enrolling(t);
  t.equal((await told)[0]?.maxConcurrentStreams, 100);
});

t.test('enroll - of many that are refused the first is told, the others are counted', async (t) => {
  const { plane, lines } = await enrolling(t);
  const { refusals, audit } = plane.state;
  for (let port = 1; port <= 400; port += 1) await refusals.note(`10.0.0.1:${port}`, 'a test');
  await refusals.note('[::1]:7', 'a test');
  await refusals.stop();
  const told = (await audit.list(0n, 10_000)).filter(({ action }) => action === 'enroll');
  t.match(
    told.map(({ actor, outcome, detail }) => [actor, outcome, detail]),
    [
      ['10.0.0.1:1', 'refused', ''],
      ['[::1]:7', 'refused', ''],
      ['10.0.0.1', 'refused', '399 more within a minute'],
    ],
  );
  t.equal(lines.filter((code) => code === 'enrollment-refused').length, 3);
});
