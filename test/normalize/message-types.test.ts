/** MSH-9 in the forms that are sent, and what contradicts it. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { er7, testContext } from './context.ts';
import { events, remarksOf } from './told.ts';

const obr = ['ORC|RE|P1|F1', 'OBR|1|P1|F1|K^K^L', 'OBX|1|NM|K^K^L||4||||||F'];
const txa = ['TXA|1|CN|TX|||||||||D1', 'OBX|1|TX|A^B^L||x||||||F'];
const sch = ['SCH|P1|F1|||||C^Check'];
const pv1 = ['PV1|1|I|5N'];
const rxa = ['ORC|RE|P1|F1', 'RXA|0|1|20261123||08^HepB^CVX|1'];

const refusedOf = (type: string, ...segments: string[]) => {
  const head = `MSH|^~\\&|A|B|C|D|20261123||${type}|1|P|2.5.1`;
  return normalizeHl7v2(er7(head, 'PID|1||7', ...segments), testContext()).reject;
};

t.test('message types - a trigger that belongs to one type says it [HL7 2.14.9.9]', async (t) => {
  const wanted: [sent: string[], kind: string, trigger: string, segments: string[]][] = [
    [['^R01', 'R01', 'ORU R01', 'ORU&R01', 'ORU-R01', 'ORU_R01', 'oru^r01'], 'observation', '', obr],
    [['^O01', 'O01', 'ORM O01', '^O21', '^O19'], 'order', '', obr],
    [['^A08', 'A08', 'ADT A08', 'ADT&A08', 'ADT-A08'], 'admission', 'A08', pv1],
    [['A01', 'ADT-A01'], 'admission', 'A01', pv1],
    [['^T02', 'T02', 'MDM-T02'], 'document', '', txa],
    [['^S12', 'S12', 'SIU-S12', 'S26'], 'schedule', '', sch],
    [['^V04', 'V04'], 'immunization', '', rxa],
    [['^R22', 'OUL R22'], 'observation', '', obr],
  ];
  for (const [forms, kind, trigger, segments] of wanted)
    for (const sent of forms) {
      const [event] = events(sent, ...segments);
      t.equal(event?.kind, kind, sent);
      t.equal(event?.movement?.trigger ?? '', trigger, sent);
    }
});

t.test('message types - a trigger of several types, or of an answer, says none', async (t) => {
  for (const sent of ['^S01', 'S01', 'Q01', 'R02', 'Z01', 'X'])
    t.equal(refusedOf(sent, ...obr)?.code, 'not-understood', sent);
  t.equal(refusedOf('R01', 'MSA|AA|1', ...obr)?.code, 'not-understood');
});

t.test('message types - an EVN-1 that contradicts MSH-9 is told', async (t) => {
  const remark = 'EVN-1: another trigger than that of MSH-9, which stands';
  const told = events('ADT^A08', 'EVN|A03|20261123', 'PV1|1|I|5N');
  t.match(told, [{ movement: { trigger: 'A08' } }]);
  t.same(remarksOf(told), [remark]);
  t.same(remarksOf(events('ADT_A08', 'EVN|A03|20261123', 'PV1|1|I|5N')), [remark]);
  for (const [type, evn] of [
    ['ADT^A08', 'a08'],
    ['ADT^A08', ''],
    ['ADT^A08', 'UPDATE'],
    ['ADT', 'A08'],
    ['ADT^^ADT_A01', 'A08'],
  ] as const)
    t.same(remarksOf(events(type, `EVN|${evn}|20261123`, 'PV1|1|I|5N')), [], `${type} ${evn}`);
});

t.test('message types - a message without what its type is about says so', async (t) => {
  const absent = (type: string, ...segments: string[]) =>
    remarksOf(events(type, ...segments)).filter((one) => one.includes('none of these is there'));
  for (const [type, first] of [
    ['ORM^O01', 'ORC'],
    ['ORU^R01', 'OBR'],
    ['RDE^O11', 'ORC'],
    ['MDM^T02', 'TXA'],
    ['SIU^S12', 'SCH'],
    ['VXU^V04', 'RXA'],
    ['REF^I12', 'RF1'],
    ['PPR^PC1', 'PRB'],
  ] as const) {
    const [remark = ''] = absent(type, ...pv1);
    t.ok(remark.startsWith(`${first}, `) || remark.startsWith(`${first}: `), `${type}: ${remark}`);
  }
  t.same(absent('ORU^R01', ...obr), []);
  t.same(absent('SIU^S12', ...sch), []);
  t.same(absent('ADT^A08', ...pv1), [], 'a message about the patient');
  t.same(absent('ORR^O02', 'MSA|AA|1', ...pv1), [], 'a reply may say nothing but how it answers');
});

t.test(
  'message types - each refused one is named by its control ID, however long its header is',
  async (t) => {
    const lines = (id: string) => [
      `MSH|^~\\&|LAB|S|H|C|20260301|${'k'.repeat(4_200)}|ZZZ^Z99|${id}|P|2.5.1`,
      'PID|1||5^^^S^MR||D^J',
    ];
    const { reject } = normalizeHl7v2(er7(...lines('M1'), ...lines('M2')), testContext());
    t.same(reject?.controlIds, ['M1', 'M2']);
  },
);
