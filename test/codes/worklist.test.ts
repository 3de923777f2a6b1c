import t from 'tap';
import { Codes } from '../../control-plane/codes/codes.ts';
import { Configs } from '../../control-plane/config/configs.ts';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import { Telemetry, type UnmappedCode } from '../../proto/gen/hilum/v1/session.ts';

const glucose = {
  source: 'lab',
  field: 'observation',
  system: 'urn:hilum:lab:L',
  name: 'L',
  code: 'GLU',
  text: 'Glucose',
  unit: 'mg/dL',
  count: 3n,
  firstSeenAtUs: 10n,
  lastSeenAtUs: 20n,
};

async function open(directory: string) {
  const store = await openLmdbStore({ directory, key: Buffer.alloc(32, 2), onFault: () => undefined });
  const configs = new Configs(store, () => 5n);
  // What is desired runs.
  const codes = new Codes(store, configs, (site) => ({
    versions: [configs.desired(site) ?? []].flat(),
    other: false,
    unknown: false,
  }));
  await configs.open();
  await codes.open();
  return {
    store,
    configs,
    report: (gateway: string, site: string, startedAtUs: bigint, ...entries: Partial<UnmappedCode>[]) =>
      codes.report(
        gateway,
        site,
        Telemetry.fromPartial({ startedAtUs, unmapped: entries.map((one) => ({ ...glucose, ...one })) }),
      ),
    list: async (site = '', unmapped = false) => (await codes.list({ site, unmapped })).codes,
    push: (site: string, yaml: string) =>
      configs.add({ site, yaml, author: 'ann', reason: 'test' }, (row) => store.write([row])),
  };
}

t.test('worklist - counts are absolute within a life and add up over lives', async (t) => {
  const directory = t.testdir();
  let plane = await open(directory);
  await plane.report('g1', 'north', 100n, { count: 3n });
  await plane.report('g1', 'north', 100n, { count: 3n });
  await plane.report('g1', 'north', 100n, { count: 2n }, { code: 'NA', count: 1n });
  t.equal(
    (await plane.list()).find(({ code }) => code === 'GLU')?.count,
    3n,
    'the same report twice counts once',
  );
  await plane.report('g1', 'north', 200n, { count: 4n, firstSeenAtUs: 30n, lastSeenAtUs: 40n });
  await plane.report('g1', 'north', 100n, { count: 9n });
  await plane.store.close();
  plane = await open(directory);
  t.teardown(() => plane.store.close());
  await plane.report('g1', 'north', 200n, { count: 5n, firstSeenAtUs: 30n, lastSeenAtUs: 50n });
  t.match(
    (await plane.list()).find(({ code }) => code === 'GLU'),
    { count: 8n, firstSeenAtUs: 10n, lastSeenAtUs: 50n, text: 'Glucose', unit: 'mg/dL' },
    'also over a restart of the centre',
  );
});

t.test(
  'worklist - lives follow each other as they come, whatever the clock of the gateway says',
  async (t) => {
    const directory = t.testdir();
    let plane = await open(directory);
    const count = async () => (await plane.list())[0]?.count;
    await plane.report('g1', 'north', 900n, { count: 3n });
    await plane.report('g1', 'north', 100n, { count: 5n });
    await plane.report('g1', 'north', 100n, { count: 50n });
    t.equal(await count(), 53n, 'the clock of the first life was ahead');
    await plane.report('g1', 'north', 900n, { count: 4n });
    t.equal(await count(), 53n, 'what the first life said came late');
    await plane.store.close();
    plane = await open(directory);
    t.teardown(() => plane.store.close());
    await plane.report('g1', 'north', 900n, { count: 4n });
    await plane.report('g1', 'north', 100n, { count: 51n });
    t.equal(await count(), 54n, 'also over a restart of the centre');
    await plane.report('g1', 'north', 90n, { count: 1n });
    t.equal(await count(), 55n, 'and of one more life');
  },
);

t.test('worklist - gateways of a site are one row, sites are not; the most frequent is first', async (t) => {
  const plane = await open(t.testdir());
  t.teardown(() => plane.store.close());
  await plane.report('g1', 'north', 1n, { count: 3n, lastSeenAtUs: 20n, unit: 'mg/dL' });
  await plane.report('g2', 'north', 1n, { count: 4n, firstSeenAtUs: 5n, lastSeenAtUs: 90n, unit: 'mmol/L' });
  await plane.report('g3', 'south', 1n, { count: 100n });
  t.match(await plane.list(), [
    { site: 'south', count: 100n },
    { site: 'north', count: 7n, firstSeenAtUs: 5n, lastSeenAtUs: 90n, unit: 'mmol/L' },
  ]);
  t.equal((await plane.list('north')).length, 1);
});

t.test('worklist - a row is mapped when the desired config of its site maps it', async (t) => {
  const plane = await open(t.testdir());
  t.teardown(() => plane.store.close());
  const unit = { field: 'unit', system: 'urn:hilum:lab', name: '', code: 'G/L', text: '' };
  await plane.report('g1', 'north', 1n, {}, unit);
  await plane.report('g3', 'south', 1n, {});
  t.same(
    (await plane.list()).map(({ state }) => state),
    ['unmapped', 'unmapped', 'unmapped'],
  );
  await plane.push(
    'north',
    `codes: { tests: { from: L, to: 'http://loinc.org', map: { GLU: 2345-7 } } }
units: { map: { G/L: '10*9/L' } }`,
  );
  const north = await plane.list('north');
  t.match(
    north.find(({ field }) => field === 'observation'),
    {
      state: 'mapped',
      toCode: '2345-7',
      table: 'tests',
      tableFrom: 'L',
      tableTo: 'http://loinc.org',
      because: '',
    },
  );
  t.match(
    north.find(({ field }) => field === 'unit'),
    { state: 'mapped', toCode: '10*9/L' },
  );
  t.same(await plane.list('north', true), []);
  t.equal((await plane.list('south'))[0]?.state, 'unmapped', 'another site’s config is another’s');
});

t.test('suggestions - the same code or text in any site’s tables, where all of them agree', async (t) => {
  const plane = await open(t.testdir());
  t.teardown(() => plane.store.close());
  const table = (rows: string) => `codes: { t: { from: 99X, to: 'http://loinc.org', map: { ${rows} } } }`;
  await plane.push('north', table('GLU: 2345-7, NA: 2951-2, "Serum Iron": 2498-4'));
  await plane.push('west', table('NA: 2947-0, K: { code: 2823-3, display: Potassium }'));
  const suggestion = async (entry: Partial<UnmappedCode>) => {
    await plane.report('g3', 'south', 1n, entry);
    const row = (await plane.list('south')).find(({ code }) => code === (entry.code ?? 'GLU'));
    t.equal(row?.state, 'unmapped', 'it is never applied');
    return [row?.toCode, row?.because];
  };
  t.same(await suggestion({}), ['2345-7', 'code of the table t of north']);
  t.same(await suggestion({ code: 'NA', text: '' }), ['', ''], 'two tables that differ suggest nothing');
  t.same(await suggestion({ code: 'X1', text: 'POTASSIUM ' }), ['2823-3', 'text of the table t of west']);
  t.same(await suggestion({ code: 'X2', text: 'serum iron' }), ['2498-4', 'code of the table t of north']);
  t.same(await suggestion({ code: 'X3', text: '' }), ['', '']);
  const unit = { field: 'unit', system: 'urn:hilum:lab', name: '', text: '' };
  t.same(await suggestion({ ...unit, code: 'KOhm' }), ['', '']);
  t.same(await suggestion({ ...unit, code: 'IU/kg' }), ['[IU]/kg', 'UCUM synonym']);
});

t.test('worklist - it is bounded for each gateway, and what reaches a terminal is clean', async (t) => {
  const plane = await open(t.testdir());
  t.teardown(() => plane.store.close());
  const many = Array.from({ length: 1_200 }, (_, n) => ({ code: `C${n}` }));
  await plane.report('g1', 'north', 1n, ...many);
  t.equal((await plane.list()).length, 1_000);
  await plane.report('g2', 'north', 1n, { code: `\u001b[31m${'x'.repeat(100)}` });
  const found = (await plane.list()).find(({ code }) => code.includes('x'))?.code ?? '';
  t.equal(found.length, 64);
  t.notMatch(found, /\u001b/);
});
