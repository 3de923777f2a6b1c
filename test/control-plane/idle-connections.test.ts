/** Connections to the gRPC port that nothing comes of: they cost whoever opens them nothing, and the centre a place each. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { Plane } from '../../control-plane/plane.ts';
import { loadSettings } from '../../control-plane/settings.ts';
import { controlPlaneName } from '../../proto/limits.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

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
