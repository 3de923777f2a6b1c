/** The chaos proxy and the CONNECT proxy, between plain sockets. */
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import t from 'tap';
import { ChaosProxy } from './chaos-proxy.ts';
import { ConnectProxy } from './connect-proxy.ts';
import type { Owner } from './process.ts';
import { below, seededRandom, seedOfThisRun } from './random.ts';
import { createTestCa } from './tls.ts';
import { until } from './wait.ts';

const seed = seedOfThisRun();
t.comment(`seed ${seed}`);

interface Wire {
  readonly proxy: ChaosProxy;
  readonly received: () => Buffer;
  connect(): Promise<net.Socket>;
}

/** A server that keeps what it gets and sends it back. */
async function wire(test: Owner): Promise<Wire> {
  const chunks: Buffer[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      socket.write(chunk);
    });
    socket.on('end', () => socket.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await ChaosProxy.start({ port: (server.address() as net.AddressInfo).port });
  test.teardown(async () => {
    await proxy.close();
    server.close();
  });
  const connect = async () => {
    const socket = net.connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    await once(socket, 'connect');
    test.teardown(() => socket.destroy());
    return socket;
  };
  return { proxy, received: () => Buffer.concat(chunks), connect };
}

function collect(socket: net.Socket): () => Buffer {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}

/** How a socket ended: with FIN, or with an error code. */
function ending(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    socket.once('end', () => resolve('FIN'));
  });
}

const bytesOf = (length: number) => Buffer.from(Array.from({ length }, (_, index) => index % 251));

t.test('chaos proxy - without a fault bytes and FIN pass unchanged', async (t) => {
  const { proxy, received, connect } = await wire(t);
  const socket = await connect();
  const got = collect(socket);
  const sent = bytesOf(3_000_000);
  const end = ending(socket);
  socket.end(sent);
  t.equal(await end, 'FIN', 'half-close: the echo still comes after our FIN');
  t.ok(received().equals(sent) && got().equals(sent));
  await until(() => proxy.connections === 0, { what: 'no connection left' });
});

t.test('chaos proxy - a long conversation leaves nothing behind on its sockets', async (t) => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error) => warnings.push(name);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const { proxy, connect } = await wire(t);
  proxy.shape({ latencyMs: 1 });
  const socket = await connect();
  for (let n = 0; n < 20; n += 1) {
    socket.write(bytesOf(10));
    await once(socket, 'data');
  }
  const end = ending(socket);
  socket.end();
  t.equal(await end, 'FIN');
  await until(() => proxy.connections === 0, { what: 'no connection left' });
  t.same(warnings, []);
});

t.test('chaos proxy - a cut after k bytes passes exactly k', async (t) => {
  const random = seededRandom(seed);
  const { proxy, received, connect } = await wire(t);
  let before = 0;
  for (let round = 0; round < 30; round += 1) {
    const bytes = below(random, 5_000);
    proxy.cutAfter('up', bytes, round % 2 === 0 ? 'rst' : 'fin');
    const socket = await connect();
    const end = ending(socket);
    socket.write(bytesOf(5_000));
    const how = await end;
    await until(() => received().length === before + bytes, { what: `${bytes} bytes, then ${how}` });
    before += bytes;
    socket.destroy();
  }
  t.notOk(proxy.isCutArmed, 'each cut fired once');
});

t.test('chaos proxy - a cut on the way down', async (t) => {
  const { proxy, connect } = await wire(t);
  proxy.cutAfter('down', 10, 'rst');
  const socket = await connect();
  const got = collect(socket);
  const end = ending(socket);
  socket.write(bytesOf(100));
  // libuv shows data and RST that come at once as data and an end.
  t.match(await end, /ECONNRESET|FIN/);
  t.ok(got().length <= 10);
});

t.test('chaos proxy - half-open passes nothing and no FIN, new connections work', async (t) => {
  const { proxy, received, connect } = await wire(t);
  const old = await connect();
  const got = collect(old);
  old.write('one');
  await until(() => got().length === 3, { what: 'the echo' });
  proxy.halfOpen();
  old.write('two');
  const fresh = await connect();
  const echo = collect(fresh);
  fresh.write('new');
  await until(() => echo().length === 3, { what: 'the echo of a new connection' });
  t.equal(received().toString(), 'onenew');
  t.equal(got().toString(), 'one');
  t.notOk(old.readableEnded || old.destroyed);
  const end = ending(old);
  proxy.heal();
  t.equal(await end, 'ECONNRESET', 'a connection with a hole is not mended');
});

t.test('chaos proxy - a black hole, a silent peer and a reset on arrival', async (t) => {
  const { proxy, received, connect } = await wire(t);
  for (const welcome of ['blackhole', 'silent'] as const) {
    proxy.welcome = welcome;
    const socket = await connect();
    await new Promise<void>((resolve) => socket.write('x', () => resolve()));
    await until(() => proxy.connections === 1, { what: `the ${welcome} connection` });
    const end = ending(socket);
    proxy.cut('fin');
    t.equal(await end, 'FIN');
  }
  proxy.welcome = 'reset';
  const socket = net.connect(proxy.port, '127.0.0.1');
  t.equal(await ending(socket), 'ECONNRESET');
  t.equal(received().length, 0);
  t.equal(proxy.accepted, 3);
});

t.test('chaos proxy - latency delays both ways and keeps the order', async (t) => {
  const { proxy, connect } = await wire(t);
  proxy.shape({ latencyMs: 40 });
  const socket = await connect();
  const got = collect(socket);
  const startedAt = performance.now();
  const sent = bytesOf(200_000);
  socket.write(sent);
  await until(() => got().length === sent.length, { what: 'the echo', everyMs: 1 });
  const tookMs = performance.now() - startedAt;
  t.ok(got().equals(sent));
  t.ok(tookMs >= 79, `${tookMs.toFixed(0)} ms for a round trip of 80`);
});

t.test('chaos proxy - a rate is shared and holds the sender back', async (t) => {
  const { proxy, received, connect } = await wire(t);
  proxy.up.rateBytes = 200_000;
  const [a, b] = [await connect(), await connect()];
  const startedAt = performance.now();
  a.write(bytesOf(30_000));
  b.write(bytesOf(30_000));
  await until(() => received().length === 60_000, { what: '60 kB at 200 kB/s', everyMs: 2 });
  const tookMs = performance.now() - startedAt;
  t.ok(tookMs >= 285, `${tookMs.toFixed(0)} ms for 300`);
});

t.test('connect proxy - allow, refuse, password, intercept', async (t) => {
  const ca = await createTestCa();
  const { certPem, keyPem } = await ca.issue({ commonName: 'centre' });
  const target = tls.createServer({ cert: certPem, key: keyPem }, (socket) => {
    socket.on('error', () => {});
    socket.end('hello');
  });
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  t.teardown(() => target.close());
  const { port } = target.address() as net.AddressInfo;
  const proxy = await ConnectProxy.start('allow');
  t.teardown(() => proxy.close());

  const tunnel = (headers: Record<string, string> = {}) =>
    new Promise<{ status: number; socket: net.Socket }>((resolve, reject) => {
      const path = `127.0.0.1:${port}`;
      const request = http.request({ port: proxy.port, host: '127.0.0.1', method: 'CONNECT', path, headers });
      request.on('connect', ({ statusCode }, socket) =>
        resolve({ status: statusCode ?? 0, socket: socket as net.Socket }),
      );
      request.on('error', reject);
      request.end();
    });
  const hello = async (trusted: string) => {
    const { socket } = await tunnel();
    const inner = tls.connect({ socket, ca: trusted, host: '127.0.0.1' });
    const [data] = (await once(inner, 'data')) as [Buffer];
    inner.destroy();
    return data.toString();
  };

  t.equal(await hello(ca.certPem), 'hello', 'an allowed tunnel is end to end');
  proxy.mode = 'refuse';
  t.equal((await tunnel()).status, 403);
  proxy.mode = 'allow';
  proxy.credentials = 'site:secret';
  t.equal((await tunnel()).status, 407);
  const basic = `Basic ${Buffer.from('site:secret').toString('base64')}`;
  const allowed = await tunnel({ 'proxy-authorization': basic });
  t.equal(allowed.status, 200);
  allowed.socket.destroy();
  proxy.credentials = undefined;
  proxy.mode = 'intercept';
  await t.rejects(hello(ca.certPem), /certificate/, 'an inspecting proxy is not trusted');
  t.equal(await hello(proxy.ca.certPem), 'hello', 'unless its authority is');
  t.equal(proxy.asked.length, 6);
  t.equal(proxy.asked[0], `127.0.0.1:${port}`);
});
