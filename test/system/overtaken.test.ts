/** An urgent correction leaves its gateway before the report that it corrects: whoever reads the log is told. */
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Read {
  readonly superseded?: boolean;
  readonly status: string;
  readonly class: string;
  readonly provenance: {
    readonly messageControlId: string;
    readonly rules: readonly string[];
    readonly replay?: { readonly supersedes: readonly string[] };
    readonly record: { readonly sequence: string };
  };
  readonly observations: readonly { readonly superseded?: boolean; readonly value: string }[];
  readonly supersessions?: readonly {
    readonly what: string;
    readonly thisIsSuperseded?: boolean;
    readonly decidedBy: string;
    readonly status: string;
    readonly toStatus: string;
    readonly record: { readonly sequence: string };
  }[];
}

/** @param status of the report, @param issued its OBR-22, @param priority its OBR-27.6 */
function oru(id: string, status: string, issued: string, values: readonly string[], priority = 'R'): Buffer {
  const obr = Object.assign(new Array<string>(28).fill(''), {
    ...{ 0: 'OBR', 1: '1', 3: 'F77^LAB', 4: 'BMP^Panel^99LAB', 7: '20261126080000' },
    ...{ 22: issued, 25: status, 27: `^^^^^${priority}` },
  });
  const rows = values.map((value, at) => {
    const [code, number] = value.split(' ');
    return `OBX|${at + 1}|NM|${code}^Test^99LAB||${number}|mmol/L|||||${status}`;
  });
  const head = `MSH|^~\\&|LAB|HOSP|EHR|HOSP|${issued}||ORU^R01|${id}|P|2.5.1`;
  return Buffer.from([head, 'PID|1||4711^^^HOSP^MR||Doe^Jane', obr.join('|'), ...rows, ''].join('\r'));
}

const site = await Site.start(t);
const client = await MllpClient.connect({ port: await site.port('lab') });
const send = async (...messages: Buffer[]) => {
  for (const message of messages) t.equal((await client.send(message)).code, 'AA');
};
const read = () => site.ask<Read[]>('events', '--from-start');
const whole = (count: number) =>
  until(async () => (await read()).length >= count && read(), {
    what: `${count} events`,
    timeoutMs: 30_000,
    everyMs: 100,
  });
const queued = async () => (await site.status()).journal.lanes.reduce((sum, { queued: one }) => sum + one, 0);

t.test('overtaken - a report that arrives behind its correction is told as superseded', async (t) => {
  await site.plane?.stop();
  await send(
    oru('P1', 'P', '20261126090000', ['K 7.1', 'NA 140']),
    oru('F1', 'F', '20261126100000', ['K 7.2', 'NA 140']),
  );
  // Else the correction may be normalized before it, too.
  await until(async () => (await queued()) === 2, { what: 'both in their lane', timeoutMs: 30_000 });
  await send(oru('C1', 'C', '20261126110000', ['K 4.1'], 'S'));
  await until(async () => (await queued()) === 3, { what: 'all in their lanes', timeoutMs: 30_000 });
  await site.startPlane();
  const events = await whole(3);
  const of = (id: string) => events.find(({ provenance }) => provenance.messageControlId === id);
  const sequence = (id: string) => of(id)?.provenance.record.sequence ?? '';
  t.same(
    events.map(({ provenance }) => provenance.messageControlId),
    ['C1', 'P1', 'F1'],
    'STAT first',
  );
  t.match(of('C1'), {
    class: 'stat',
    supersessions: [
      { what: 'order', record: { sequence: sequence('F1') } },
      { what: 'order', record: { sequence: sequence('P1') } },
      { what: 'observations[0]', record: { sequence: sequence('F1') } },
    ],
  });
  const by = { thisIsSuperseded: true, decidedBy: 'issued', status: 'corrected' };
  const record = { sequence: sequence('C1') };
  t.match(of('F1'), {
    status: 'final',
    observations: [{ value: '7.2', superseded: true }, { value: '140' }],
    provenance: { rules: /centre\/status/ },
  });
  t.match(
    of('F1')?.supersessions?.filter((one) => one.thisIsSuperseded),
    [
      { ...by, record, what: 'order', toStatus: 'final' },
      { ...by, record, what: 'observations[0]', toStatus: 'final' },
    ],
  );
  t.match(of('P1')?.supersessions, [
    { ...by, record, what: 'order', toStatus: 'preliminary' },
    { ...by, record, what: 'observations[0]', toStatus: 'preliminary' },
    { ...by, record, what: 'observations[1]', toStatus: 'preliminary', decidedBy: 'order' },
  ]);
  t.equal(of('P1')?.superseded, true);
  t.notOk(of('F1')?.observations[1]?.superseded, 'a final result that the correction does not name stays');
  t.notOk(of('F1')?.superseded, 'so the event has something that is current');
  t.match((await site.ctl('trace', 'P1')).stdout, /\n {2}superseded: something newer stands in its place\n/);
  t.notMatch((await site.ctl('trace', 'F1')).stdout, /superseded/);
  const { stdout } = await site.ctl('events', '--from-start', '-o', 'fhir');
  const bundle = stdout.split('\n').find((line) => line.includes('7.2')) ?? '';
  t.match(bundle, /urn:hilum:extension:superseded/, 'and so does the Bundle');
});

t.test('overtaken - mapping again a report that was replaced does not make it the newest', async (t) => {
  await send(oru('P2', 'P', '20261126120000', ['GLU7 1.0']), oru('F2', 'F', '20261126130000', ['GLU7 9.9']));
  await whole(5);
  const unmapped = () => site.ask<{ code: string }[]>('codes', 'list', '--unmapped');
  await until(async () => (await unmapped()).some(({ code }) => code === 'GLU7'), {
    what: 'the code at the centre',
    timeoutMs: 30_000,
    everyMs: 100,
  });
  const file = site.write('site.yaml', 'site: { zone: Europe/Berlin }\n');
  const entry = ['--site', 'north', '--to', '2345-7', '--display', 'Glucose', '--config', file];
  const replayed = await site.ctl('codes', 'approve', 'GLU7', ...entry, '--replay', '--reason', 'test');
  t.equal(replayed.code, 0, replayed.stderr);
  const events = (await read()).filter(({ provenance }) => provenance.replay !== undefined);
  t.match(events, [
    { status: 'preliminary', superseded: true, observations: [{ value: '1.0', superseded: true }] },
    { status: 'final', observations: [{ value: '9.9' }] },
  ]);
  t.notOk(events[1]?.superseded, 'the newest stays so');
  const [before] = events[1]?.provenance.replay?.supersedes ?? [];
  const { stdout } = await site.ctl('trace', 'F2');
  t.ok(before && stdout.includes(`  mapped again: it stands in place of ${before}\n`), 'its trace says so');
});
t.teardown(() => client.close());
