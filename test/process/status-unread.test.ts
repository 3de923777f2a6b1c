/** In a file of its own: it counts the sockets of its process. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { StatusServer } from '../../gateway/process/status-server.ts';
import { until } from '../kit/wait.ts';

const place = { named: '127.0.0.1:0', usual: '127.0.0.1:0', key: 'status.listen' };

t.test('status - who does not read what he asked for is not kept', async (t) => {
  const metric = { name: 'kit', help: 'x'.repeat(1024 * 1024), type: 'gauge', value: 1 } as const;
  const server = new StatusServer({ status: () => ({}), notReady: () => '', metrics: () => [metric] });
  const port = Number((await server.listen(place, () => {})).split(':')[1]);
  t.teardown(() => server.stop());
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const before = sockets();
  const deaf = connect({ host: '127.0.0.1', port });
  t.teardown(() => deaf.destroy());
  await once(deaf, 'connect');
  deaf.write('GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(20));
  await until(() => sockets() === before + 2, { what: 'both ends in this process', timeoutMs: 4_000 });
  await until(() => sockets() === before + 1, {
    what: 'the server’s end being gone',
    timeoutMs: 60_000,
    everyMs: 100,
  });
});
