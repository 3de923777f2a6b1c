/** A time that is well formed and hardly meant stays as it was sent, and is told of. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';

interface Sent {
  message?: string;
  birth?: string;
  observed?: string;
  expires?: string;
}

function event({ message = '20261126101500', birth = '', observed = '', expires = '' }: Sent): ClinicalEvent {
  const { events } = normalizeHl7v2(
    er7(
      `MSH|^~\\&|LAB|S|H|C|${message}||ORU^R01|T1|P|2.5.1`,
      `PID|1||7^^^S^MR||A^B||${birth}`,
      `OBR|1|A|B|X|||${observed}`,
      'OBX|1|NM|K^K^L||4.1|mmol/L|||||F',
      `SPM|1|||BLD|||||||||||||20261126100000||${expires}`,
    ),
    testContext(),
  );
  if (events[0] === undefined) throw new Error('no event');
  return events[0];
}

const told = (sent: Sent): string[] => event(sent).provenance?.remarks ?? [];

t.test('odd years - those of other calendars and of empty dates are told, and kept', async (t) => {
  const before = 'a year before 1850, kept as it was sent';
  const century = 'a year of another century, kept as it was sent';
  for (const birth of ['14000605', '00690101', '00010101']) {
    t.match(
      event({ birth }).patient,
      { birthDate: '', birthDateOriginal: birth },
      'no birth date of anybody',
    );
    t.same(told({ birth }), [`PID-7: ${before}`], birth);
  }
  t.same(told({ birth: '25230101' }), [`PID-7: ${century}`]);
  for (const message of ['20261126101500', ''])
    t.match(event({ message, birth: '650312' }).patient, { birthDate: '', birthDateOriginal: '650312' });
  t.same(told({ observed: '8805100815' }), [`OBR-7: ${century}`]);
  t.match(event({ observed: '8805100815' }).times?.observed?.value, /^8805-10-08T15/);
  t.same(told({ observed: '14480605081500' }), [`OBR-7: ${before}`]);
  t.same(
    told({ birth: '8805100815', observed: '8805100815' }),
    [`PID-7: ${century}`, `OBR-7: ${century}`],
    'each field, where both say the same',
  );
});

t.test('odd years - a birth date that is to come is told', async (t) => {
  t.same(told({ birth: '20261201' }), ['PID-7: a birth date that is to come, kept as it was sent']);
  t.same(told({ birth: '2027' }), ['PID-7: a birth date that is to come, kept as it was sent']);
  for (const birth of ['20261126', '20261127', '202611', '2026', '19001231', '18991231'])
    t.same(told({ birth }), [], birth);
});

t.test('odd years - what has happened years after the message, or generations before, is told', async (t) => {
  t.same(told({ observed: '20620101080000' }), ['OBR-7: years after the message, kept as it was sent']);
  t.same(told({ observed: '19010101' }), ['OBR-7: years before the message, kept as it was sent']);
  t.same(told({ observed: '19991231' }), [], 'history is sent late');
  t.same(told({ observed: '20270105' }), [], 'what is planned');
  t.same(told({ message: '20050101080000', observed: '20050101070000' }), [], 'an old message has old times');
  for (const expires of ['99991231', '20450101'])
    t.same(told({ expires }), [], 'what ends some day or never');
});

t.test('odd years - a message of another calendar is held against the capture', async (t) => {
  t.same(told({ message: '25691126101500', observed: '25691126081500', birth: '19800101' }), [
    'OBR-7: a year of another century, kept as it was sent',
    'MSH-7: a year of another century, kept as it was sent',
  ]);
  t.same(told({ message: '', observed: '20261126081500', birth: '20241126' }), []);
});
