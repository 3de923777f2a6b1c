/** What of a message is in no event is told with the event, by the name of the segment and never by its content. */
import t from 'tap';
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
