/** A page that cannot be made is a fault of that page: what captures goes on. */
import t from 'tap';
import { StatusServer } from '../../gateway/process/status-server.ts';

t.test('status - a page that fails is 500 and a line in the log, and the others are there', async (t) => {
  const logged: unknown[] = [];
  const server = new StatusServer({
    status: () => {
      throw new URIError('told by a test');
    },
    notReady: () => '',
    metrics: () => [],
  });
  const address = await server.listen('127.0.0.1:0', '127.0.0.1:0', (level, code, fields) =>
    logged.push([level, code, fields?.reason]),
  );
  t.teardown(() => server.stop());
  const failed = await fetch(`http://${address}/status`);
  t.equal(failed.status, 500);
  t.match(await failed.text(), /status-failed/);
  t.same(logged, [['error', 'status-failed', 'URIError']]);
  t.equal((await fetch(`http://${address}/livez`)).status, 200);
});
