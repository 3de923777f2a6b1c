import t from 'tap';
import type { Sighting } from '../../gateway/normalize/outcome.ts';
import { type Parts, SelfReport } from '../../gateway/self-report.ts';
import { Tallies } from '../../gateway/tallies.ts';
import { Unmapped } from '../../gateway/unmapped.ts';

/** A gateway that has nothing but what it counted. */
const nothing = {
  journal: {
    room: () => ({ liveBytes: 0 }),
    oldestPendingS: () => undefined,
    custodyTotals: () => [],
    local: { counts: () => [] },
    stats: () => ({ refusals: 0 }),
  },
  journalBytesMax: 0,
  alarms: new Map(),
} as unknown as Parts;

const secondUs = 1_000_000;
const start = 1_795_000_000 * secondUs;

function sent(capturedAtUs: number, unmapped?: Sighting[]) {
  return unmapped === undefined ? { capturedAtUs } : { capturedAtUs, unmapped };
}

function sighting(code: string, count = 1): Sighting {
  return { field: 'observation', system: 'urn:hilum:lab:L', name: 'L', code, text: '', unit: 'mg/dL', count };
}

t.test(
  'unmapped list - counts add up, the first and the last time are kept whatever the order',
  async (t) => {
    const list = new Unmapped();
    list.count('lab', sent(start + 5, [sighting('GLU', 2)]));
    list.count('lab', sent(start, [sighting('GLU')]));
    list.count('lab', sent(start + 9, undefined));
    list.count('gas', sent(start + 7, [sighting('GLU')]));
    t.match(list.report(start + 10).unmapped, [
      {
        source: 'lab',
        code: 'GLU',
        count: 3n,
        firstSeenAtUs: BigInt(start),
        lastSeenAtUs: BigInt(start + 5),
      },
      { source: 'gas', code: 'GLU', count: 1n },
    ]);
  },
);

t.test('unmapped list - a report is short, and each entry has its turn', async (t) => {
  const list = new Unmapped();
  const codes = Array.from({ length: 40 }, (_, n) => `C${n}`);
  for (const code of codes) list.count('lab', sent(start, [sighting(code)]));
  const told = [0, 1, 2, 3].map((n) =>
    list.report(start + n * 2 * secondUs).unmapped.map(({ code }) => code),
  );
  t.same(
    told.map(({ length }) => length),
    [16, 16, 8, 0],
  );
  t.same(told.flat().sort(), [...codes].sort());
});

t.test(
  'unmapped list - what changed is told once a minute, what did not every quarter of an hour',
  async (t) => {
    const list = new Unmapped();
    list.count('lab', sent(start, [sighting('A'), sighting('B')]));
    const told = (afterS: number) => list.report(start + afterS * secondUs).unmapped.map(({ code }) => code);
    t.same(told(0), ['A', 'B']);
    list.count('lab', sent(start, [sighting('A')]));
    t.same(told(59), []);
    t.same(told(60), ['A']);
    t.same(told(61), []);
    t.same(told(900), ['B'], 'its first report may have been lost');
    t.same(told(960), ['A']);
  },
);

t.test('unmapped list - a clock that is set back does not keep it from being told', async (t) => {
  const real = { wallMs: Date.now, elapsedMs: performance.now };
  t.teardown(() => {
    Date.now = real.wallMs;
    performance.now = real.elapsedMs;
  });
  const tallies = new Tallies({ clockSkewMs: () => 60_000, onAlarm() {}, log() {}, audit() {} });
  const report = new SelfReport({ ...nothing, tallies });
  const told = () => report.telemetry().unmapped.map(({ code, count }) => `${code} ${count}`);
  tallies.unmapped.count('lab', sent(start, [sighting('A')]));
  t.same(told(), ['A 1']);
  tallies.unmapped.count('lab', sent(start, [sighting('A', 500)]));
  Date.now = () => real.wallMs() - 3_600_000;
  t.same(told(), []);
  performance.now = () => real.elapsedMs.call(performance) + 60_000;
  t.same(told(), ['A 501'], 'a minute later');
});

t.test('unmapped list - it is bounded, and says what it could not keep', async (t) => {
  const list = new Unmapped();
  for (let n = 0; n < 600; n++) list.count('lab', sent(start, [sighting(`C${n}`, 3)]));
  list.count('lab', sent(start, [sighting('C0')]));
  let told = 0;
  for (let n = 0; n < 100; n++) told += list.report(start + n * secondUs).unmapped.length;
  t.ok(told >= 500 && told < 600, `${told} entries told`);
  t.equal(list.report(start).unmappedUncounted, 300n);
});

t.test('unmapped list - the status page counts, and shows nothing that a sender wrote', async (t) => {
  const list = new Unmapped();
  for (const code of ['ZZCANARY1', 'ZZCANARY2', 'ZZCANARY1'])
    list.count('lab', sent(start, [{ ...sighting(code, 2), text: `${code} text`, unit: `${code} unit` }]));
  t.same(list.counts(), [{ source: 'lab', field: 'observation', codes: 2, count: 6 }]);
  t.notMatch(JSON.stringify(list.counts()), /ZZCANARY/);
});
