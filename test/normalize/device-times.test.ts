/** Times of device JSON: RFC 3339 and its relatives, and what counts since 1970. */
import t from 'tap';
import { normalizeDevice } from '../../gateway/normalize/device/index.ts';
import { testContext } from './context.ts';

const context = testContext({ source: 'icu', protocol: 'mqtt', topic: 'devices/d', zone: 'Europe/Zurich' });

/** The time of an event, and the first remark. */
function time(lexeme: string): [string | undefined, string | undefined] {
  const [event] = normalizeDevice(Buffer.from(`{"device":"d","hr":1,"time":${lexeme}}`), context).events;
  return [event?.times?.observed?.value, event?.provenance?.remarks[0]];
}
const text = (sent: string) => time(JSON.stringify(sent));

t.test('device times - seconds, milli-, micro- and nanoseconds are told apart by their size', async (t) => {
  for (const [count, expected] of [
    ['1795685400', '2026-11-26T09:30:00+00:00'],
    ['1795685400123', '2026-11-26T09:30:00.123+00:00'],
    ['1795685400123456', '2026-11-26T09:30:00.123456+00:00'],
    ['1795685400123456789', '2026-11-26T09:30:00.123456789+00:00'],
    ['1795685400.125', '2026-11-26T09:30:00.125+00:00'],
    ['1795685400123.5', '2026-11-26T09:30:00.1235+00:00'],
    ['1795685400123456.789', '2026-11-26T09:30:00.123456789+00:00'],
    ['946684800', '2000-01-01T00:00:00+00:00'],
    ['946684800000', '2000-01-01T00:00:00+00:00'],
    ['4102444799', '2099-12-31T23:59:59+00:00'],
    ['4102444799000000000', '2099-12-31T23:59:59+00:00'],
  ] as const) {
    t.same(time(count), [expected, undefined], count);
    t.same(text(count), [expected, undefined], `"${count}"`);
  }
  // Outside of 2000 to 2100, and between the units.
  for (const count of [
    '946684799',
    '4102444800000000000',
    '5000000000000000',
    '17956854001',
    '0',
    '-5',
    '1e9',
  ])
    t.same(time(count), ['', 'time: not a time'], count);
});

t.test('device times - digits that are a date stay one', async (t) => {
  t.same(text('20261126093000'), ['2026-11-26T09:30:00+01:00', undefined]);
  t.same(text('202611260930'), ['2026-11-26T09:30:00+01:00', undefined]);
});

t.test('device times - RFC 3339 in its other spellings', async (t) => {
  for (const sent of [
    '2026-11-26t09:30:00z',
    '2026-11-26T09:30:00z',
    ' 2026-11-26T09:30:00Z ',
    '2026-11-26T09:30:00+00:00[Europe/London]',
  ])
    t.same(text(sent), ['2026-11-26T09:30:00+00:00', undefined], sent);
  t.same(text('2026-11-26T09:30:00,125Z'), ['2026-11-26T09:30:00.125+00:00', undefined]);
});

t.test('device times - the zone of a time is its own [RFC 9557]', async (t) => {
  const of = (sent: string) => {
    const raw = Buffer.from(JSON.stringify({ device: 'd', hr: 1, time: sent }));
    const [event] = normalizeDevice(raw, context).events;
    return { ...event?.times?.observed, remarks: event?.provenance?.remarks };
  };
  t.match(of('2026-07-01T09:30:00[America/New_York]'), {
    value: '2026-07-01T09:30:00-04:00',
    assumed: '',
    original: '2026-07-01T09:30:00[America/New_York]',
    remarks: [],
  });
  t.match(of('2026-07-01T09:30:00+02:00[America/New_York]'), {
    value: '2026-07-01T09:30:00+02:00',
    assumed: '',
  });
  t.match(of('2026-07-01T09:30:00[Mars/Olympus]'), {
    value: '2026-07-01T09:30:00+02:00',
    assumed: 'Europe/Zurich',
    remarks: ['time: a zone that is not known'],
  });
});
