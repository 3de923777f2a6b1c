/** Connections to the gRPC port that nothing comes of: they cost whoever opens them nothing, and the centre a place each. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import t from 'tap';
import { Plane } from '../../control-plane/plane.ts';
import { loadSettings } from '../../control-plane/settings.ts';
import { controlPlaneName } from '../../proto/limits.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';
import { openPlane } from './plane-kit.ts';

t.test('gRPC port - a handshake that does not come, and a session without a call, are ended', async (t) => {
  const directory = folderOf(t);
  const { settings } = loadSettings(directory, undefined);
  const plane = await Plane.open({
    directory,
    settings: { ...settings, grpc: '127.0.0.1:0', http: '127.0.0.1:0' },
    settingsFile: '',
    log: () => {},
  });
  await plane.start();
  t.teardown(() => plane.stop(1_000));
  const { caPem } = JSON.parse(readFileSync(join(directory, 'admin.json'), 'utf8')) as { caPem: string };
  const ended = new Set<string>();
  const silent = net.connect({ host: '127.0.0.1', port: Number(plane.address.split(':')[1]) });
  silent.on('error', () => {});
  silent.on('close', () => ended.add('handshake'));
  silent.resume();
  const session = http2.connect(`https://${plane.address}`, { ca: caPem, servername: controlPlaneName });
  session.on('error', () => {});
  session.on('close', () => ended.add('session'));
  t.teardown(() => {
    silent.destroy();
    session.destroy();
  });
  await once(session, 'connect');
  await until(() => ended.has('handshake'), { what: 'the handshake’s end', timeoutMs: 60_000, everyMs: 100 });
  await until(() => ended.has('session'), { what: 'the session’s end', timeoutMs: 60_000, everyMs: 100 });
  t.same([...ended].sort(), ['handshake', 'session']);
});

t.test('gRPC port - a connection whose peer never ends its own half is ended all the same', async (t) => {
  const { plane } = await openPlane(t);
  t.teardown(() => plane.stop(1_000));
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const before = sockets();
  // It speaks no HTTP/2, reads nothing, and never closes.
  const port = Number(plane.address.split(':')[1]);
  const silent = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  t.teardown(() => silent.destroy());
  await once(silent, 'secureConnect');
  t.equal(sockets(), before + 2, 'both ends are in this process');
  await until(() => sockets() === before + 1, {
    what: 'the end at the control plane being gone',
    timeoutMs: 60_000,
    everyMs: 100,
  });
  t.notOk(silent.destroyed, 'the other one is still there');
});

t.test('gRPC port - one address has so many connections, and what ends gives its place back', async (t) => {
  const { plane } = await openPlane(t);
  t.teardown(() => plane.stop(1_000));
  const port = Number(plane.address.split(':')[1]);
  const open = new Set<net.Socket>();
  t.teardown(() => {
    for (const socket of open) socket.destroy();
  });
  const connect = () => {
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    open.add(socket);
    return once(socket, 'connect');
  };
  const most = 1_024;
  for (let made = 0; made < most + 20; made += 20) {
    await Promise.all(Array.from({ length: 20 }, connect));
  }
  await until(() => open.size === most, { what: 'those over the limit being closed', timeoutMs: 5_000 });
  for (const socket of [...open].slice(0, 10)) socket.destroy();
  const session = await until(
    () =>
      new Promise<http2.ClientHttp2Session | undefined>((resolve) => {
        const tried = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
        tried.once('connect', () => resolve(tried));
        tried.once('error', () => resolve(undefined));
      }),
    { what: 'a place that was given back', timeoutMs: 5_000 },
  );
  session.destroy();
});
