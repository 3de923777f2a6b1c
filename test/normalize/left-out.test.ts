/** What of a message is in no event is told with the event, by the name of the segment and never by its content. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { er7, testContext } from './context.ts';
import { events, remarksOf } from './told.ts';

const lost = (name: string) => `${name}: not read in such a message, left out`;

t.test('segments - one of the standard that the kind of message has no rule for is told', (t) => {
  const ordered = ['ORC|NW|P1^E', 'OBR|1|P1^E||MRI^MRI^L'];
  const row = 'OBX|1|NM|GLU^Glu^L||5|mmol/L|||||F';
  for (const [type, said, names] of [
    ['SIU^S12', ['SCH|AP1', 'GT1|1||DOE^JOHN', 'IN1|1|PPO', ...ordered], ['GT1', 'IN1', 'ORC', 'OBR']],
    ['MDM^T02', ['DG1|1||I10^HTN^I10', 'TXA|1|DS|TX', 'OBX|1|TX|X||t'], ['DG1']],
    ['ORM^O01', [...ordered, 'CTI|NCT001^TRIAL'], ['CTI']],
    ['ORU^R01', ['OBR|1|P1|F1|GLU^Glu^L', row, 'CTI|NCT001'], ['CTI']],
    ['OML^O39', [...ordered, 'SPM|1|S1&E||STL', 'SHP|SH1^E', 'PAC|1|P1^E'], ['SHP', 'PAC']],
    ['BAR^P10', ['PV1|1|I', 'GP1|131|450', 'PR1|1||45378^Colonoscopy^CPT4', 'GP2|450'], ['GP1', 'GP2']],
    ['BAR^P01', ['PV1|1|I', 'UB1|1', 'UB2|1||||||11^20261101'], ['UB1', 'UB2']],
    ['ADT^A01', ['GSP|1|S||F', 'GSR|1|S||F', 'PV1|1|I', 'GSC|1|S||F'], ['GSP', 'GSR', 'GSC']],
  ] as const)
    t.same(remarksOf(events(type, ...said)), names.map(lost), type);
  t.end();
});

t.test('segments - of several orders the one that has it is told of it, and only that one', (t) => {
  const made = events('ORM^O01', 'ORC|NW|1', 'OBR|1|1||A^A^L', 'ORC|NW|2', 'OBR|1|2||B^B^L', 'CTI|NCT001');
  t.same(
    made.map(({ provenance }) => provenance?.remarks),
    [[], [lost('CTI')]],
  );
  t.end();
});

t.test('segments - what a site made itself, what is empty and what is of the sender is not told', (t) => {
  const said = ['SFT|Vendor|1|App|2', 'UAC|KERB^1', 'PV1|1|I', 'ZPV|x', 'UB2', 'DSC|'];
  t.same(remarksOf(events('ADT^A08', ...said)), []);
  t.end();
});

t.test('charges - a DFT without any says so; a BAR is about the account', (t) => {
  t.same(remarksOf(events('DFT^P03', 'PV1|1|I')), [
    'FT1: none of these is there, so the message says nothing of what it is about',
  ]);
  t.same(remarksOf(events('DFT^P03', 'PV1|1|I', 'FT1|1|||20261126||CG|A^A^L')), []);
  t.same(remarksOf(events('BAR^P01', 'PV1|1|I')), []);
  t.end();
});

t.test(
  'values - what its sender cut off is told by its field, and stays as it was sent [HL7 2.5.5.2]',
  (t) => {
    const told = (separators: string, ...segments: string[]) =>
      normalizeHl7v2(er7(`MSH|${separators}|A|B|C|D|20261123||ORU^R01|1|P|2.7`, ...segments), testContext())
        .events;
    const said = [
      'PID|1||7||Wolfeschlegelstein#^Hub#ert||||||Long Street#&x^^Town',
      'OBR|1|P1|F1|A^A^L',
      'OBX|4|ST|A^A^L||the text#~more||||||F',
      'OBX|5|ST|B^B^L||#||||||F',
      'OBX|6|ST|C^C^L||C\\P\\||||||F',
    ];
    const [event] = told('^~\\&#', ...said);
    const cut = (place: string) => `${place}: cut off by its sender, kept as it was sent`;
    t.same(remarksOf([event as NonNullable<typeof event>]), [cut('PID-5'), cut('PID-11'), cut('OBX[4]-5')]);
    t.equal(event?.patient?.names[0]?.family, 'Wolfeschlegelstein#');
    t.same(remarksOf(told('^~\\&', ...said)), [], 'nothing declares it');
    t.end();
  },
);

t.test('text - an escape sequence that switches the character set is told, and stays [HL7 2.7.3]', (t) => {
  for (const sequence of ['\\C2D42\\', '\\M2D41\\', '\\M242842\\']) {
    const [event] = events('ADT^A01', `PV1|1|I|||||9^A${sequence}B`);
    t.equal(event?.encounter?.participants[0]?.person?.name?.family, `A${sequence}B`);
    t.match(event?.provenance?.remarks, [/^an escape sequence to another character set/]);
  }
  t.same(remarksOf(events('ADT^A01', 'PV1|1|I|||||9^A\\C2D\\B')), []);
  t.end();
});
