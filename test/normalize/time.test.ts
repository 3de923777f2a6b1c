import t from 'tap';
import { readTime } from '../../gateway/normalize/time.ts';

const berlin = 'Europe/Berlin';

t.test('time - precision is what was sent', (t) => {
  const wanted: [string, string, string][] = [
    ['2026', '2026', 'year'],
    ['202611', '2026-11', 'month'],
    ['20261123', '2026-11-23', 'day'],
    ['2026112308', '2026-11-23T08:00:00+01:00', 'hour'],
    ['202611230815', '2026-11-23T08:15:00+01:00', 'minute'],
    ['20261123081530', '2026-11-23T08:15:30+01:00', 'second'],
    ['20261123081530.1234', '2026-11-23T08:15:30.1234+01:00', 'fraction'],
  ];
  for (const [sent, value, precision] of wanted) {
    const { time, remark } = readTime(sent, berlin);
    t.match(time, { value, precision, original: '', ambiguity: '' }, sent);
    t.equal(time.assumed, value.includes('T') ? berlin : '');
    t.equal(remark, '');
  }
  t.end();
});

t.test('time - an offset that was sent is kept and nothing is assumed', (t) => {
  t.match(readTime('20260723081500-0430', berlin).time, {
    value: '2026-07-23T08:15:00-04:30',
    offset: '-04:30',
    assumed: '',
  });
  t.match(readTime('20260723+0200', berlin).time, { value: '2026-07-23', offset: '' });
  t.end();
});

t.test('time - summer and winter have their own offset', (t) => {
  t.equal(readTime('202607230815', berlin).time.offset, '+02:00');
  t.equal(readTime('202601230815', berlin).time.offset, '+01:00');
  t.equal(readTime('202601230815', 'Asia/Kathmandu').time.offset, '+05:45');
  t.end();
});

t.test('time - the hour that a clock change skips is a gap', (t) => {
  t.match(readTime('202603290230', berlin).time, {
    value: '2026-03-29T02:30:00+01:00',
    ambiguity: 'gap',
    assumed: berlin,
  });
  t.equal(readTime('202603290159', berlin).time.ambiguity, '');
  t.equal(readTime('202603290300', berlin).time.offset, '+02:00');
  t.end();
});

t.test('time - the hour that comes twice is a fold and the first one is taken', (t) => {
  t.match(readTime('202610250230', berlin).time, {
    value: '2026-10-25T02:30:00+02:00',
    ambiguity: 'fold',
  });
  t.equal(readTime('202610250300', berlin).time.ambiguity, '');
  t.equal(readTime('20261025023000+0100', berlin).time.ambiguity, '', 'an offset settles it');
  t.end();
});

t.test('time - a change of half an hour is seen inside the hour', (t) => {
  // Lord Howe moves by thirty minutes at two o'clock.
  t.equal(readTime('202610040215', 'Australia/Lord_Howe').time.ambiguity, 'gap');
  t.equal(readTime('202610040245', 'Australia/Lord_Howe').time.ambiguity, '');
  t.end();
});

t.test('time - the degree of precision of old senders cuts', (t) => {
  t.match(readTime('20261123000000', berlin, 'D').time, { value: '2026-11-23', precision: 'day' });
  t.end();
});

t.test('time - what is not an HL7 time is kept as sent, with a remark', (t) => {
  for (const text of [
    '20261323',
    '20260230',
    '2026112324',
    '202',
    '20261',
    'soon',
    '00000000',
    '20260101+99',
    '1764072000123456',
  ]) {
    const { time, remark } = readTime(text, berlin);
    t.match(time, { value: '', original: text }, text);
    t.equal(remark, 'not a time');
  }
  t.end();
});

t.test('time - ISO 8601 is understood, and remarked', (t) => {
  const { time, remark } = readTime('2026-01-15T14:30:00', berlin);
  t.match(time, { value: '2026-01-15T14:30:00+01:00', original: '2026-01-15T14:30:00' });
  t.equal(remark, 'a time in another form');
  t.equal(readTime('2026-01-15T14:30:00Z', berlin).time.offset, '+00:00');
  t.end();
});

t.test('time - other notations of one instant are understood, and remarked', (t) => {
  const wanted: [sent: string, value: string][] = [
    ['20260115143000123', '2026-01-15T14:30:00.123+01:00'],
    ['2026011514300012+0200', '2026-01-15T14:30:00.12+02:00'],
    ['20260115T143000Z', '2026-01-15T14:30:00+00:00'],
    ['20260115 1430', '2026-01-15T14:30:00+01:00'],
    ['20260115143000+02:00', '2026-01-15T14:30:00+02:00'],
    ['202601151430-05', '2026-01-15T14:30:00-05:00'],
    ['2026-01-15 14:30:00.5-05', '2026-01-15T14:30:00.5-05:00'],
  ];
  for (const [sent, value] of wanted) {
    const { time, remark } = readTime(sent, berlin);
    t.match(time, { value, original: sent }, sent);
    t.equal(remark, 'a time in another form', sent);
  }
  t.end();
});

t.test('time - 24:00 is 00:00 of the next day, and remarked [ISO 8601]', (t) => {
  const wanted: [sent: string, value: string, precision: string][] = [
    ['202611262400', '2026-11-27T00:00:00+01:00', 'minute'],
    ['20261126240000', '2026-11-27T00:00:00+01:00', 'second'],
    ['20261126240000.000+0100', '2026-11-27T00:00:00.000+01:00', 'fraction'],
    ['202612312400', '2027-01-01T00:00:00+01:00', 'minute'],
    ['202402282400', '2024-02-29T00:00:00+01:00', 'minute'],
    ['202602282400', '2026-03-01T00:00:00+01:00', 'minute'],
    ['202603282400-0500', '2026-03-29T00:00:00-05:00', 'minute'],
    ['2026-11-26T24:00:00', '2026-11-27T00:00:00+01:00', 'second'],
  ];
  for (const [sent, value, precision] of wanted) {
    const { time, remark } = readTime(sent, berlin);
    t.match(time, { value, precision, original: sent }, sent);
    t.equal(remark, '24:00, which is 00:00 of the next day', sent);
  }
  for (const sent of ['202611262401', '20261126240001', '202611312400', '2026112624', '202611262500']) {
    t.match(readTime(sent, berlin), { time: { value: '' }, remark: 'not a time' }, sent);
  }
  t.end();
});

t.test('time - a day or month that nobody knows is left out', (t) => {
  const wanted: [sent: string, value: string, precision: string][] = [
    ['19410000', '1941', 'year'],
    ['19410700', '1941-07', 'month'],
    ['19410000000000', '1941', 'year'],
    ['1941-07-00', '1941-07', 'month'],
  ];
  for (const [sent, value, precision] of wanted) {
    const { time, remark } = readTime(sent, berlin);
    t.match(time, { value, precision, offset: '', original: sent }, sent);
    t.equal(remark, 'a time in another form', sent);
  }
  t.match(readTime('19410015', berlin), { time: { value: '' }, remark: 'not a time' });
  t.end();
});

t.test('time - an unknown zone gives no offset and does not throw', (t) => {
  t.match(readTime('202611230815', 'Mars/Olympus').time, {
    value: '2026-11-23T08:15:00',
    offset: '',
    assumed: '',
  });
  t.end();
});
