/** The sender's own clock: MSH-7 of any message, the time of a device's payload; nothing that is not one instant. */
import t from 'tap';
import { normalize } from '../../gateway/normalize/normalize.ts';
import { senderTime } from '../../gateway/normalize/sender-time.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { testContext } from './context.ts';

function sent(text: string, protocol = 'mllp', zone = 'Europe/Berlin') {
  const context = testContext({ protocol, zone, topic: protocol === 'mqtt' ? 'devices/x' : '' });
  const { events } = normalize(JournalRecord.fromPartial({ raw: Buffer.from(text), protocol }), context);
  t.ok(events.length > 0, 'it is an event');
  return senderTime(events);
}

const hl7 = (time: string, profile = '') =>
  [
    `MSH|^~\\&|LAB|HOSP|EHR|HOSP|${time}||ORU^R01^ORU_R01|1|P|2.6||||||||${profile}`,
    'PID|1||4711',
    'OBR|1||F1|1-8^P^LN|||20200101',
    'OBX|1|NM|1-8^P^LN||1|mmol/L|||||F|||20200101120000',
    '',
  ].join('\r');

const at = (text: string) => Date.parse(text);

t.test('sender time - MSH-7 with its precision and its offset, given or assumed', async (t) => {
  t.same(sent(hl7('20261125081500+0200')), { ms: at('2026-11-25T06:15:00Z'), stepMs: 1_000, assumed: '' });
  t.same(sent(hl7('20261125081500.25+0200')), { ms: at('2026-11-25T06:15:00.250Z'), stepMs: 1, assumed: '' });
  t.same(sent(hl7('20261125081500')), {
    ms: at('2026-11-25T07:15:00Z'),
    stepMs: 1_000,
    assumed: 'Europe/Berlin',
  });
  t.same(sent(hl7('202611250815')), {
    ms: at('2026-11-25T07:15:00Z'),
    stepMs: 60_000,
    assumed: 'Europe/Berlin',
  });
});

t.test('sender time - a day, no time, and an hour that comes twice are no measure', async (t) => {
  for (const time of ['20261125', '2026112508', '', 'yesterday', '20261025023000', '20260329023000'])
    t.equal(sent(hl7(time)), undefined, time);
});

t.test('sender time - IHE PCD-01 by its MSH-7, JSON of a device by its own time', async (t) => {
  const pcd = 'IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO';
  t.match(sent(hl7('20261125081500+0200', pcd)), { ms: at('2026-11-25T06:15:00Z') });
  const vitals = (time: string) =>
    JSON.stringify({ device: 'm', time, readings: [{ code: 'heartRate', value: 1 }] });
  t.match(sent(`[${vitals('2026-11-25T08:15:00Z')},${vitals('2026-11-25T08:15:05Z')}]`, 'mqtt'), {
    ms: at('2026-11-25T08:15:05Z'),
  });
});
