/** A page that cannot be made is a fault of that page: what captures goes on. */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { StatusServer } from '../../gateway/process/status-server.ts';
import { until } from '../kit/wait.ts';

const place = { named: '127.0.0.1:0', usual: '127.0.0.1:0', key: 'status.listen' };

t.test('status - a page that fails is 500 and a line in the log, and the others are there', async (t) => {
  const logged: unknown[] = [];
  const server = new StatusServer({
    status: () => {
      throw new URIError('told by a test');
    },
    notReady: () => '',
    metrics: () => [],
  });
  const address = await server.listen(place, (level, code, fields) =>
    logged.push([level, code, fields?.reason]),
  );
  t.teardown(() => server.stop());
  const failed = await fetch(`http://${address}/status`);
  t.equal(failed.status, 500);
  t.match(await failed.text(), /status-failed/);
  t.same(logged, [['error', 'status-failed', 'URIError']]);
  t.equal((await fetch(`http://${address}/livez`)).status, 200);
});

t.test('status - under a name that is not this host’s, it is told to nobody', async (t) => {
  const server = new StatusServer({ status: () => ({}), notReady: () => '', metrics: () => [] });
  const address = await server.listen(place, () => {});
  t.teardown(() => server.stop());
  const port = Number(address.split(':')[1]);
  const asked = (host: string, path = '/status') =>
    new Promise<number | undefined>((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port, path, headers: { host } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      call.on('error', reject);
      call.end();
    });
  // A browser at this host believes in whatever address a name has by now.
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    'localhost.evil.example',
    '127.0.0.1.evil.example',
  ])
    for (const path of ['/status', '/metrics', '/livez'])
      t.equal(await asked(host, path), 421, `${host} ${path}`);
  for (const host of [address, '127.0.0.1', 'localhost', `LOCALHOST:${port}`, 'localhost.', `[::1]:${port}`])
    t.equal(await asked(host), 200, host);
});

t.test('status - it has so many connections, so that senders have theirs', async (t) => {
  const server = new StatusServer({ status: () => ({}), notReady: () => '', metrics: () => [] });
  const port = Number((await server.listen(place, () => {})).split(':')[1]);
  t.teardown(() => server.stop());
  const open = new Set<Socket>();
  t.teardown(() => {
    for (const socket of open) socket.destroy();
  });
  for (let made = 0; made < 80; made += 1) {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    open.add(socket);
    await once(socket, 'connect');
  }
  await until(() => open.size <= 64, { what: 'those over the limit being closed', timeoutMs: 4_000 });
  for (const socket of open) socket.destroy();
  const answered = () =>
    fetch(`http://127.0.0.1:${port}/livez`).then(
      ({ status }) => status === 200,
      () => false,
    );
  await until(answered, { what: 'an answer once there are places again', timeoutMs: 4_000 });
});
