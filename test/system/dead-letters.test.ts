/** What a local destination refused for good is seen, kept apart and sent again, and the counts hold all the way. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { controlIdOf } from '../kit/hl7-peek.ts';
import { messageMaker, type TestMessage } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { acknowledge, MllpServer } from '../kit/mllp-server.ts';
import { runProgram, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Letter {
  readonly id: string;
  readonly destination: string;
  readonly messageControlId: string;
  readonly source: string;
  readonly bytes: number;
}

t.test('dead letters - listed, exported, sent again at their old place', async (t) => {
  const site = await Site.start(t);
  const make = messageMaker({ seed: 9, kind: 'oru' });
  const messages: TestMessage[] = Array.from({ length: 6 }, (_, n) => make(n));
  const refused = new Set([messages[1], messages[4]].map((message) => message?.controlId ?? ''));
  const ehr = await MllpServer.start((message) => [
    acknowledge(message, refused.has(controlIdOf(message)) ? 'AR' : 'AA'),
  ]);
  t.teardown(() => ehr.close());
  const config = site.write(
    'route.yaml',
    `destinations: { ehr: { type: mllp, address: "127.0.0.1:${ehr.port}", timeout: 5s } }
routes: { all: { to: ehr } }
`,
  );
  const pushed = await site.ctl('config', 'push', config, '--site', site.site, '--reason', 'test');
  t.equal(pushed.code, 0, pushed.stderr);
  const lab = await MllpClient.connect({ port: await site.port('lab') });
  for (const { bytes } of messages) t.equal((await lab.send(bytes)).code, 'AA');
  await lab.close();

  const route = async () => {
    const [one] = (await site.status()).destinations;
    return one === undefined ? '' : `${one.accepted} = ${one.pending} + ${one.delivered} + ${one.dead}`;
  };
  const becomes = (wanted: string) =>
    until(async () => (await route()) === wanted, { what: `the route being ${wanted}`, timeoutMs: 60_000 });
  const letters = (verb: string, ...args: string[]) =>
    runProgram('gateway', [
      'journal',
      'dead-letters',
      verb,
      '--data',
      site.gatewayData,
      '-o',
      'json',
      ...args,
    ]);
  const list = async () => JSON.parse((await letters('list')).stdout) as Letter[];
  const verified = async () => {
    const { code, stdout } = await runProgram('gateway', [
      'journal',
      'verify',
      '--data',
      site.gatewayData,
      '-o',
      'json',
    ]);
    const { destinations } = JSON.parse(stdout) as { destinations: Record<string, unknown>[] };
    return { code, ...destinations[0] };
  };

  await becomes('6 = 0 + 4 + 2');
  const metrics = await site.http('/metrics');
  for (const line of ['term="pending"} 0', 'term="delivered"} 4', 'term="dead"} 2'])
    t.match(metrics, `hilum_destination_messages{destination="ehr",${line}\n`);
  t.equal((await letters('list')).code, 3, 'a running gateway owns its journal');
  await site.gateway?.stop();

  const found = await list();
  t.match(found, [
    { destination: 'ehr', source: 'lab', messageControlId: messages[1]?.controlId },
    { destination: 'ehr', source: 'lab', messageControlId: messages[4]?.controlId },
  ]);
  t.match(await verified(), {
    code: 0,
    accepted: 6,
    pending: 0,
    delivered: 4,
    dead: 2,
    deadRows: 2,
    missing: 0,
  });
  const to = join(site.folder, 'export');
  t.equal((await letters('export', '--all', '--to', to)).code, 0);
  t.same(
    readdirSync(to)
      .sort()
      .map((name) => readFileSync(join(to, name)).toString('latin1')),
    [1, 4].map((n) => messages[n]?.bytes.toString('latin1')),
    'the original bytes',
  );
  t.equal((await letters('requeue')).code, 2, 'which ones has to be said');
  t.equal((await letters('requeue', 'ehr/9999.0')).code, 1, 'one that is not there');

  // Both go back; one is refused again, the other is taken now.
  t.match(JSON.parse((await letters('requeue', found[1]?.id ?? '')).stdout), { requeued: 1 });
  t.match(await verified(), {
    code: 0,
    accepted: 6,
    pending: 1,
    delivered: 4,
    dead: 1,
    deadRows: 1,
    missing: 0,
  });
  t.match(JSON.parse((await letters('requeue', '--destination', 'ehr')).stdout), { requeued: 1 });
  t.match(await verified(), {
    code: 0,
    accepted: 6,
    pending: 2,
    delivered: 4,
    dead: 0,
    deadRows: 0,
    missing: 0,
  });
  t.same(await list(), []);
  refused.delete(messages[4]?.controlId ?? '');
  const before = ehr.received.length;
  await site.startGateway();
  await becomes('6 = 0 + 5 + 1');
  const again = ehr.received.slice(before).map((message) => controlIdOf(message));
  t.same(again, [messages[1]?.controlId, messages[4]?.controlId], 'in the order of the source');
  await site.gateway?.stop();
  t.match(await list(), [{ messageControlId: messages[1]?.controlId }]);
  t.match(await verified(), {
    code: 0,
    accepted: 6,
    pending: 0,
    delivered: 5,
    dead: 1,
    deadRows: 1,
    missing: 0,
  });
});

t.test('dead letters - a journal that never had one lists none', async (t) => {
  const site = new Site(t);
  await site.startGateway();
  await site.gateway?.stop();
  const args = ['journal', 'dead-letters', 'list', '--data', site.gatewayData, '-o', 'json'];
  const { code, stdout } = await runProgram('gateway', args);
  t.equal(code, 0);
  t.same(JSON.parse(stdout), []);
  const none = await runProgram('gateway', [
    'journal',
    'dead-letters',
    'requeue',
    '--all',
    '--data',
    site.gatewayData,
  ]);
  t.equal(none.code, 0, none.stderr);
});
