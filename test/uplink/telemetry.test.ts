/** What a gateway tells of itself, and what that costs the line. */
import t from 'tap';
import { indexKey } from '../../control-plane/eventlog/keys.ts';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import { TelemetryStore } from '../../control-plane/telemetry/telemetry.ts';
import { Latency } from '../../gateway/latency.ts';
import { type Detail, Details } from '../../gateway/uplink/details.ts';
import { CustodyCount, LatencyHistogram, Telemetry, Welcome } from '../../proto/gen/hilum/v1/session.ts';
import { ChaosProxy } from '../kit/chaos-proxy.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';
import { quietUplink, speakingPlane } from './speaking-plane.ts';

t.test('telemetry - nothing is told while the socket is full, and at once when it takes more', async (t) => {
  const { sessions, identity } = await speakingPlane(t);
  const proxy = await ChaosProxy.start({ port: Number(identity.address.split(':')[1]) });
  t.teardown(() => proxy.close());
  let [told, beats] = [0, 0];
  const uplink = quietUplink(
    { ...identity, address: `127.0.0.1:${proxy.port}` },
    {
      // More than all buffers on the way take.
      telemetry: () => {
        told += 1;
        const alarms = Array.from({ length: 16_000 }, (_, n) => String(n).padStart(1_000, '0'));
        return Telemetry.fromPartial({ status: { alarms } });
      },
      nowUs: () => {
        beats += 1;
        return Date.now() * 1_000;
      },
    },
  );
  t.teardown(() => uplink.stop(0));
  uplink.start();
  const session = await until(() => sessions[0]?.heard.includes('hello') && sessions[0], {
    what: 'the session',
  });
  session.say({ $case: 'welcome', value: Welcome.create() });
  await until(() => session.heard.includes('ping'), { what: 'it being used' });
  proxy.up.heldBytesMax = 16_384;
  proxy.up.rateBytes = 20_000;
  await until(() => told > 0, { what: 'the first report', timeoutMs: 20_000 });
  const before = beats;
  // The next beat comes some reports later.
  await until(() => beats > before, { what: 'the next beat', timeoutMs: 60_000, everyMs: 100 });
  t.equal(told, 1);
  proxy.up.rateBytes = 0;
  await until(() => told > 1, { what: 'the next report', timeoutMs: 20_000 });
});

const detail = (name: string, stamp: string, bytes: number, restMs = 10_000): Detail => ({
  name,
  stamp,
  restMs,
  put(report) {
    report.latency.push(LatencyHistogram.fromPartial({ class: name, hop: stamp }));
    return bytes;
  },
});

const names = ({ latency }: Telemetry) => latency.map((one) => `${one.class}${one.hop}`);

t.test('telemetry - what is large is told when it changed, seldom, and some at a time', async (t) => {
  const details = new Details();
  const tell = (nowMs: number, all: boolean, ...some: Detail[]) => {
    const report = Telemetry.create();
    details.add(report, some, nowMs, all);
    return names(report);
  };
  const large = (stamp: string) => ['a', 'b', 'c', 'd'].map((name) => detail(name, stamp, 7_000));
  t.same(tell(0, false, ...large('1')), ['a1', 'b1', 'c1'], 'as much as a STAT event may wait for');
  t.same(tell(2_000, false, ...large('2')), ['d2'], 'the rest of it next, the others rest');
  t.same(tell(4_000, false, ...large('2')), []);
  t.same(tell(10_000, false, ...large('2')), ['a2', 'b2', 'c2']);
  t.same(tell(40_000, false, ...large('2')), [], 'not again, as long as it says the same');
  t.same(tell(40_001, false, detail('hour', '1', 40, 0)), ['hour1']);
  t.same(tell(40_002, false, detail('hour', '2', 40, 0)), ['hour2'], 'what is small does not rest');
  t.same(tell(40_003, true, ...large('3')), ['d3', 'a3', 'b3', 'c3'], 'all of it at the end');
  details.forget();
  t.same(tell(40_004, false, ...large('3')), ['a3', 'b3', 'c3'], 'a new session knows nothing');
});

t.test('telemetry - the centre keeps what a partial report leaves out, over a restart too', async (t) => {
  const directory = folderOf(t);
  const open = async () => {
    const store = await openLmdbStore({ directory, key: Buffer.alloc(32, 2), onFault: () => undefined });
    const telemetry = new TelemetryStore(store);
    await telemetry.open();
    return { store, telemetry };
  };
  const latency = new Latency();
  latency.record('stat', 'acked', 1_000);
  const [acked] = [...latency.all()].map((one) => one.encode());
  latency.record('stat', 'sent', 10);
  const sent = [...latency.all()].find(({ name }) => name === 'stat|sent')?.encode();
  const hour = (of: bigint, accepted: bigint) =>
    CustodyCount.fromPartial({ source: 'lab', hour: of, accepted });
  const report = (atHour: bigint, custody: CustodyCount[], histograms: (LatencyHistogram | undefined)[]) =>
    Telemetry.fromPartial({
      atUs: atHour * 3_600_000_000n,
      startedAtUs: 1n,
      partial: true,
      custody,
      latency: histograms.filter((one) => one !== undefined),
    });
  let { store, telemetry } = await open();
  await telemetry.report('g', report(1_000n, [hour(0n, 5n), hour(998n, 3n), hour(999n, 2n)], [acked]));
  await telemetry.report('g', report(1_000n, [hour(0n, 6n), hour(999n, 3n)], [sent]));
  const seen = () => telemetry.newest('g')?.custody.map((one) => `${one.hour}: ${one.accepted}`);
  const hops = () =>
    telemetry.latency(() => true).map(({ hop, histogram }) => `${hop} ${histogram.totalCount}`);
  t.same(seen(), ['0: 6', '998: 3', '999: 3']);
  t.same(hops(), ['acked 1', 'sent 1']);
  await store.close();
  ({ store, telemetry } = await open());
  t.same(seen(), ['0: 6', '998: 3', '999: 3']);
  await telemetry.report('g', report(1_071n, [hour(0n, 7n), hour(1_071n, 1n)], []));
  t.same(seen(), ['0: 7', '1071: 1'], 'of three days');
  t.same(hops(), ['acked 1', 'sent 1']);
  await store.close();
});

t.test(
  'telemetry - what was told last is what is shown, whatever the clock of the gateway says',
  async (t) => {
    const directory = folderOf(t);
    const store = await openLmdbStore({ directory, key: Buffer.alloc(32, 2), onFault: () => undefined });
    t.teardown(() => store.close());
    const open = async () => {
      const telemetry = new TelemetryStore(store);
      await telemetry.open();
      return telemetry;
    };
    const report = (startedAtUs: bigint, atUs: bigint, pending: bigint) =>
      Telemetry.fromPartial({
        startedAtUs,
        atUs,
        custody: [CustodyCount.fromPartial({ source: 'lab', pending })],
      });
    const pending = (one: TelemetryStore) => one.newest('g')?.custody[0]?.pending;
    const day = 86_400_000_000n;
    // As builds before wrote it: the order of these is the one that their clock gives.
    for (const start of [3n * day, 2n * day]) {
      const key = Buffer.concat([Buffer.from('g\0'), indexKey(start)]);
      const value = Telemetry.encode(report(start, start + 1n, start)).finish();
      await store.write([{ table: 'telemetry', key, value }]);
    }
    let telemetry = await open();
    t.equal(pending(telemetry), 3n * day, 'rows of an earlier build');
    await telemetry.report('g', report(2n * day, 2n * day + 2n, 90n));
    t.equal(pending(telemetry), 90n, 'a life whose clock is right, after one that was ahead');
    await telemetry.report('g', report(2n * day, day, 4n));
    t.equal(pending(telemetry), 4n, 'its clock was set back while it ran');
    telemetry = await open();
    t.equal(pending(telemetry), 4n, 'after a restart');
    await telemetry.report('g', report(day, day + 5n, 1n));
    t.equal(pending(telemetry), 1n, 'the next life');
    telemetry = await open();
    t.equal(pending(telemetry), 1n, 'after another restart');
  },
);

t.test('telemetry - the lives of a gateway that starts again and again are summed up', async (t) => {
  const directory = folderOf(t);
  const store = await openLmdbStore({ directory, key: Buffer.alloc(32, 2), onFault: () => undefined });
  const open = async () => {
    const telemetry = new TelemetryStore(store);
    await telemetry.open();
    return telemetry;
  };
  let telemetry = await open();
  const life = (start: number, records: number) => {
    const latency = new Latency();
    for (let n = 0; n < records; n += 1) latency.record('stat', 'acked', 1_000);
    const histograms = [...latency.all()].map((one) => one.encode());
    const custody = [CustodyCount.fromPartial({ source: 'lab', accepted: BigInt(start) })];
    const atUs = BigInt(start) * 10n;
    return Telemetry.fromPartial({ startedAtUs: BigInt(start), atUs, latency: histograms, custody });
  };
  const lives = 50;
  for (let start = 1; start <= lives; start += 1) {
    await telemetry.report('g', life(start, 1));
    // What a life tells again is not counted again.
    await telemetry.report('g', life(start, 2));
  }
  await telemetry.report('h', life(1, 1));
  const seen = (one: TelemetryStore) =>
    one.latency((gateway) => gateway === 'g').map(({ hop, histogram }) => `${hop} ${histogram.totalCount}`);
  const check = async (one: TelemetryStore) => {
    t.same(seen(one), [`acked ${2 * lives}`]);
    t.equal(one.newest('g')?.custody[0]?.accepted, BigInt(lives));
    const rows = await store.range('telemetry', { limit: 1_000 });
    t.ok(rows.length <= 10, `${rows.length} rows`);
  };
  await check(telemetry);
  telemetry = await open();
  await check(telemetry);
  await telemetry.report('g', life(lives, 3));
  t.same(seen(telemetry), [`acked ${2 * lives + 1}`]);
  await store.close();
});
