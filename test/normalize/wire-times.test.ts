/** Which offset a time has that was sent without one. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { er7, testContext } from './context.ts';

function observed(sentAt: string, observedAt: string, zone = 'Europe/Berlin') {
  const raw = er7(
    `MSH|^~\\&|LAB|S|H|C|${sentAt}||ORU^R01|T1|P|2.5.1`,
    'PID|1||7^^^S^MR',
    `OBR|1|||K^K^L|||${observedAt}`,
    'OBX|1|NM|K^K^L||4.1|mmol/L|||||F',
  );
  return normalizeHl7v2(raw, testContext({ zone })).events[0]?.times;
}

t.test('times - the offset of MSH-7 is the default of the whole message', async (t) => {
  const times = observed('20261123081500-0600', '20261123070000');
  t.match(times?.observed, { value: '2026-11-23T07:00:00-06:00', offset: '-06:00', assumed: 'MSH-7' });
  t.match(times?.message, { value: '2026-11-23T08:15:00-06:00', assumed: '' }, 'its own offset is given');
});

t.test('times - a zone that is told for the source goes before the offset of MSH-7', async (t) => {
  const raw = er7(
    'MSH|^~\\&|LAB|S|H|C|20261123081500-0600||ORU^R01|T1|P|2.5.1',
    'OBR|1|||K^K^L|||20260723070000',
    'OBX|1|NM|K^K^L||4.1|mmol/L|||||F',
  );
  const context = testContext({ zone: 'America/Chicago', zoneOfSource: true });
  t.match(normalizeHl7v2(raw, context).events[0]?.times?.observed, {
    value: '2026-07-23T07:00:00-05:00',
    assumed: 'America/Chicago',
  });
});

t.test('times - the offset of a field goes before that of MSH-7', async (t) => {
  t.match(observed('20261123081500-0600', '20261123070000+0900')?.observed, {
    value: '2026-11-23T07:00:00+09:00',
    assumed: '',
  });
});

t.test('times - without an offset in MSH-7 the zone decides, and is named', async (t) => {
  for (const sentAt of ['20261123081500', '', 'yesterday'])
    t.match(
      observed(sentAt, '202607230700')?.observed,
      { value: '2026-07-23T07:00:00+02:00', assumed: 'Europe/Berlin' },
      sentAt,
    );
});

t.test('times - with the offset of MSH-7 no hour of a clock change is in doubt', async (t) => {
  t.match(observed('20261025040000+0100', '20261025023000')?.observed, {
    value: '2026-10-25T02:30:00+01:00',
    ambiguity: '',
    assumed: 'MSH-7',
  });
});

t.test('times - a date has no offset, whatever MSH-7 says', async (t) => {
  t.match(observed('20261123081500-0600', '20261123')?.observed, {
    value: '2026-11-23',
    offset: '',
    assumed: '',
  });
});
