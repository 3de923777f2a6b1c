/** What the broker told for a client that was gone is no reading of the device, and says so. */
import t from 'tap';
import { understand } from '../../gateway/meaning.ts';
import { compileMeaning } from '../../gateway/meaning-of-text.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';

const meaning = compileMeaning('{}', 1);
const mark = 'an MQTT will: told when its client was gone';

function made(payload: string, will: boolean) {
  const fields = { source: 'icu', protocol: 'mqtt', topic: 'devices/m1', client: 'm1', will };
  return understand(
    JournalRecord.fromPartial({ raw: Buffer.from(payload), capturedAtUs: 1_795_000_000_000_000n, ...fields }),
    meaning,
  );
}

t.test('wills - an event of a will has the remark, one of a reading has not', async (t) => {
  const reading = JSON.stringify({ device: 'm1', readings: [{ code: 'heartRate', value: 0, unit: '/min' }] });
  t.same(made(reading, true).events[0]?.provenance?.remarks, [mark]);
  t.same(made(reading, false).events[0]?.provenance?.remarks, []);
  const hl7 = 'MSH|^~\\&|M|S|H|C|20260301||ORU^R01|1|P|2.5.1\rPID|1||7\rOBR|1||1|a\rOBX|1|NM|a||1\r';
  t.equal(made(hl7, true).events[0]?.provenance?.remarks[0], mark, 'HL7 over MQTT too');
});

t.test('wills - a will that is not understood says that it was one', async (t) => {
  t.match(made('offline', true).reject, {
    code: 'unreadable',
    reason: /^An MQTT will, told when its client was gone: Not JSON text: .*\.$/,
  });
  t.match(made('', true).reject, {
    code: 'nothing-in-it',
    reason: /^An MQTT will, .*: The payload is empty\.$/,
  });
  t.match(made('offline', false).reject, { reason: /^Not JSON text/ });
});
