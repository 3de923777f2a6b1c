/** What a report says beside its rows, and of them: where they go on, whose they are, what they are not. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { er7, testContext } from './context.ts';
import { events, remarksOf } from './told.ts';

const obr = 'OBR|1|A1|F1|X^Y^L|||||||||||||||||||||F';

t.test('reports - ADD continues the segment before it [HL7 2.10.2.1]', async (t) => {
  const message = [
    obr,
    'OBX|1|FT|11502-2^Report^LN|1|Lesion is not',
    'ADD| malignant.||||||F|||20261123090000',
    'NTE|1||seen',
    'OBX|2|ED|PDF^R^L||^AP^PDF^Base64^JVBERi0x',
    '',
    'ADD|LjQg',
    'ADD|dGVzdA==||||||P',
  ];
  const told = events('ORU^R01', ...message);
  t.match(told[0]?.observations, [
    {
      value: 'Lesion is not malignant.',
      status: 'final',
      effective: { value: '2026-11-23T09:00:00+01:00' },
      notes: [{ text: 'seen' }],
    },
    { attachment: { data: Buffer.from('%PDF-1.4 test'), size: 13n }, status: 'preliminary' },
  ]);
  t.same(remarksOf(told), []);
});

t.test('reports - lines of a text may be broken in what continues it, and its limits hold', async (t) => {
  const broken = events(
    'ORU^R01',
    obr,
    'OBX|1|TX|A^B^L||one ',
    'ADD|two\nthree|||N|||F',
    'OBX|2|ST|C^D^L||x||||||F',
  );
  t.match(broken[0]?.observations, [
    { value: 'one two\nthree', interpretation: 'N', status: 'final' },
    { value: 'x' },
  ]);
  t.same(remarksOf(broken), ['line 4: its text goes on after a line break']);
  const context = testContext();
  const half = 'x'.repeat(context.limits.fieldBytesMax / 2 + 1);
  const head = 'MSH|^~\\&|A|B|C|D|20261123||ORU^R01|1|P|2.4';
  const { reject } = normalizeHl7v2(er7(head, `OBR|1|${half}`, `ADD|${half}`), context);
  t.match(reject, { code: 'too-large', reason: /^OBR-2 \(line 2\) has/ });
});
