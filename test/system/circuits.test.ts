/** A mapping that loops, and one that grows without bound, cost their own records; a circuit opens, is seen, and closes. */
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { Site, usualListeners } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const result = (id: string, results: number) =>
  Buffer.from(
    [
      `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|${id}|P|2.5.1`,
      'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE',
      'OBR|1||F1|2823-3^Potassium^LN',
      ...Array.from({ length: results }, (_, n) => `OBX|${n + 1}|NM|2823-3^Potassium^LN||${n}|mmol/L|||||F`),
      '',
    ].join('\r'),
  );

/** Every predicate is within its own bounds; all of them together take many seconds for a report of 400 results. */
const looping = `classes:
${Array.from(
  { length: 1_500 },
  (_, n) =>
    `  - { name: r${n}, class: bulk, when: 'event.observations.exists(a, event.observations.exists(b, a.value == "x${n}"))' }`,
).join('\n')}
`;

interface Entry {
  source: string;
  code: string;
  messageControlId: string;
  id: string;
}

t.test(
  'circuits - a mapping that loops costs its own records, then its source, and nobody else',
  async (t) => {
    const site = await Site.start(t);
    const push = (name: string, text: string) =>
      site.ctl('config', 'push', site.write(name, text), '--site', 'north', '--reason', name);
    const [lab, adt] = [
      await MllpClient.connect({ port: await site.port('lab') }),
      await MllpClient.connect({ port: await site.port('adt') }),
    ];
    t.teardown(async () => Promise.all([lab.close(), adt.close()]));
    const ids = async () => (await site.events()).map(({ provenance }) => provenance.messageControlId);
    const entries = () => site.ask<Entry[]>('quarantine', 'list');
    const state = async () =>
      ((await site.status()) as unknown as { circuits: { source: string; state: string }[] }).circuits;

    t.equal((await push('loops.yaml', looping)).code, 0);
    for (const n of [1, 2, 3]) t.equal((await lab.send(result(`LOOP${n}`, 400))).code, 'AA');
    t.equal((await adt.send(result('OTHER1', 1))).code, 'AA');
    await until(async () => (await state()).length > 0, {
      what: 'the circuit of lab',
      timeoutMs: 60_000,
      everyMs: 100,
    });
    t.match(await state(), [{ source: 'lab', state: 'open' }]);
    // Untried, although it would have worked: it is kept, and one is tried later.
    t.equal((await lab.send(result('UNTRIED', 1))).code, 'AA', 'it is answered all the same');
    t.equal((await adt.send(result('OTHER2', 1))).code, 'AA');
    await site.drained();
    t.same((await ids()).sort(), ['OTHER1', 'OTHER2'], 'another source goes on');
    await until(async () => (await entries()).length === 4, {
      what: 'the quarantine at the centre',
      timeoutMs: 30_000,
      everyMs: 100,
    });
    t.match((await entries()).map(({ messageControlId, code }) => `${messageControlId} ${code}`).sort(), [
      'LOOP1 mapping-failed',
      'LOOP2 mapping-failed',
      'LOOP3 mapping-failed',
      'UNTRIED mapping-circuit',
    ]);
    t.match(await site.http('/metrics'), /hilum_mapping_circuit\{source="lab"\} 2/);
    const centre = await until(
      async () => {
        const { stdout } = await site.ctl('sources', '--wrong');
        return stdout.includes('untried') && stdout;
      },
      { what: 'the circuit at the centre', timeoutMs: 30_000, everyMs: 100 },
    );
    t.match(centre, /north +lab .*open, 3 failed in a row, 1 untried/);
    t.match(site.printed(), /"code":"mapping-circuit-open".*"source":"lab"/);

    // One at a time is tried by itself; the first that works closes the circuit.
    let sent = 0;
    await until(
      async () => {
        sent += 1;
        await lab.send(result(`PROBE${sent}`, 1));
        return (await state()).length === 0;
      },
      { what: 'one that is tried and works', timeoutMs: 60_000, everyMs: 500 },
    );
    t.equal((await lab.send(result('AFTER', 1))).code, 'AA');
    await site.drained();
    t.ok((await ids()).includes('AFTER'));

    // Another config closes it, and what was put aside is replayed under it.
    for (const n of [4, 5, 6]) await lab.send(result(`LOOP${n}`, 400));
    await until(async () => (await state()).length > 0, {
      what: 'the circuit again',
      timeoutMs: 60_000,
      everyMs: 100,
    });
    t.equal((await push('works.yaml', 'site: { zone: Europe/Berlin }\n')).code, 0);
    t.same(await state(), []);
    const waiting = await until(
      async () => {
        const found = await entries();
        return found.some(({ messageControlId }) => messageControlId === 'LOOP6') && found;
      },
      { what: 'the last of them at the centre', timeoutMs: 30_000, everyMs: 100 },
    );
    const replayed = await site.ctl(
      'quarantine',
      'replay',
      ...waiting.map(({ id }) => id),
      '--reason',
      'mended',
    );
    t.equal(replayed.code, 0, replayed.stderr);
    await site.drained();
    const all = await ids();
    const wanted = ['UNTRIED', 'LOOP1', 'LOOP2', 'LOOP3', 'LOOP4', 'LOOP5', 'LOOP6', 'AFTER'];
    t.same(
      wanted.filter((id) => all.filter((one) => one === id).length !== 1),
      [],
      'every one came, once',
    );
    const trail = await site.ask<{ action: string; subject: string }[]>('audit', 'list');
    t.same(
      trail.filter(({ action }) => action.startsWith('mapping-circuit')).map(({ action }) => action),
      ['opened', 'closed', 'opened', 'closed'].map((word) => `mapping-circuit-${word}`),
    );
    t.notMatch(site.printed(), /CANARY/);
  },
);

t.test(
  'circuits - a message that grows over the memory, or the time, of the normalizer costs itself alone',
  async (t) => {
    const listeners = usualListeners.replace('type: mllp,', 'type: mllp, frameBytesMax: 31MiB,');
    const site = await Site.start(t, { settings: listeners });
    const client = await MllpClient.connect({ port: await site.port('lab') });
    t.teardown(() => client.close());
    // 15 MiB of codes in one field are 375 MB as objects.
    const field = 'a^b^L~'.repeat(2_600_000);
    const lines = result('GROWS', 0).toString().trimEnd();
    const rows = [1, 2].map((n) => `OBX|${n}|CWE|2823-3^Potassium^LN||${field}||||||F`);
    t.equal((await client.send(Buffer.from([lines, ...rows, ''].join('\r')))).code, 'AA');
    for (const id of ['GOOD1', 'GOOD2']) t.equal((await client.send(result(id, 1))).code, 'AA');
    await site.drained();
    t.same(
      (await site.events()).map(({ provenance }) => provenance.messageControlId),
      ['GOOD1', 'GOOD2'],
    );
    const [one] = await until(
      async () => {
        const found = await site.ask<Entry[]>('quarantine', 'list');
        return found.length > 0 && found;
      },
      { what: 'the message in quarantine at the centre', timeoutMs: 30_000, everyMs: 100 },
    );
    t.match(one, { messageControlId: 'GROWS', code: 'mapping-failed' });
    t.match(site.printed(), /"code":"normalizer-(died|timeout)"/);
    t.equal(site.gateway?.exit, undefined, 'the gateway is the same process');
  },
);
