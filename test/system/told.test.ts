/** What an operator does wrong, or what stands in the way, is told with its exit code and what to do. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { folderOf, runProgram, Site, usualListeners } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

t.test('operator - exits and reasons are those of what stands in the way', async (t) => {
  // Gateways outside see it under another address than the one that stands in the settings here.
  const site = new Site(t, { planeSettings: 'advertise: "127.0.0.1:1"\n' });
  await site.startPlane();
  site.useSettings(`${usualListeners}uplink: { address: "${site.planeAddress}" }\n`);
  await site.enroll();
  await site.startGateway();
  await site.connected();

  const client = await MllpClient.connect({ port: await site.port('lab') });
  for (const id of ['A1', 'A2'])
    await client.send(Buffer.from(`MSH|^~\\&|L|H|E|H|20261123||ADT^A01|${id}|P|2.5\rPID|1||${id}\r`));
  await client.send(Buffer.from('MSH|^~\\&|L|H|E|H|20261123||QBP^Q11|Q1|P|2.5\rQPD|Q11\r'));
  await client.close();
  await site.drained();

  const events = await until(
    async () => {
      const found = (await site.events()) as unknown as { id: string; index: string }[];
      return found.length === 2 && found;
    },
    { what: 'the events', timeoutMs: 30_000, everyMs: 100 },
  );
  const [first, second] = events;
  const behind = await site.events('--after', first?.index ?? '');
  t.same(
    behind.map(({ id }) => id),
    [second?.id],
    'an event says its place in the log, where --after goes on',
  );
  const never = await site.ctl('events', '--after', '4711', '-o', 'jsonl');
  t.match(never.stderr, /The log ends at place 2/);

  const [entry] = await until(
    async () => {
      const found = await site.ask<{ id: string }[]>('quarantine', 'list');
      return found.length === 1 && found;
    },
    { what: 'the entry', timeoutMs: 30_000, everyMs: 100 },
  );
  await site.gateway?.stop();
  await until(async () => (await site.ctl('gateways')).stdout.includes('offline'), {
    what: 'the gateway being offline',
    timeoutMs: 30_000,
    everyMs: 100,
  });
  const shown = await site.ctl('quarantine', 'show', entry?.id ?? '', '--payload', '--reason', 'x');
  t.match(shown, { code: 69, stderr: /gateway north is not connected/ });

  for (const ttl of ['0s', '999999d']) {
    const made = await site.ctl('token', 'create', '--site', 'north', '--ttl', ttl);
    t.match(made, { code: 2, stdout: '', stderr: /a token is good for 1s to 365d/ }, ttl);
  }
  const folder = folderOf(t);
  t.match(await runProgram('ctl', ['explain', folder]), { code: 2, stderr: /is a folder; name a file/ });
  t.match(await runProgram('plane', ['run', '--data', folder, '--grpc', 'localhost']), {
    code: 2,
    stderr: /--grpc localhost: write host:port/,
  });
  const context = JSON.parse(readFileSync(site.context, 'utf8')) as object;
  const plain = site.write('plain.json', JSON.stringify({ ...context, address: site.planeHttp }));
  t.match(await runProgram('ctl', ['--context', plain, 'gateways']), {
    code: 69,
    stderr: /cannot be reached: what answers there does not speak TLS/,
  });
});
