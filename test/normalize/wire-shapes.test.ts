/** Shapes of a message that a sender's habit or its transport makes. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { er7, testContext } from './context.ts';

const msh = (id: string, type = 'ORU^R01', more = '') =>
  `MSH|^~\\&|LAB|S|H|C|20261123081500+0100||${type}|${id}|P|2.5.1${more}`;
const one = (...lines: string[]) => {
  const { events, reject } = normalizeHl7v2(er7(...lines), testContext());
  if (reject !== undefined) throw new Error(reject.reason);
  return events;
};

t.test('shapes - every message of a batch is its own events, under its own control id', async (t) => {
  const events = one(
    'FHS|^~\\&|LAB',
    'BHS|^~\\&|LAB',
    msh('B1'),
    'PID|1||7^^^S^MR',
    'OBR|1|||K^K^L',
    msh('B2'),
    'PID|1||8^^^S^MR',
    'OBR|1|||K^K^L',
    'BTS|2',
    'FTS|1',
  );
  t.same(
    events.map(({ provenance, patient }) => [provenance?.messageControlId, patient?.identifiers[0]?.value]),
    [
      ['B1', '7'],
      ['B2', '8'],
    ],
  );
});

t.test('shapes - FS inside a text is content, at the end of a message it is framing', async (t) => {
  const lines = [msh('F1'), 'PID|1||7^^^S^MR', 'OBR|1|||K^K^L', 'OBX|1|NM|K^K^L||4.1', 'NTE|1||a\x1cb'];
  const [event] = one(...lines);
  t.equal(event?.observations[0]?.notes[0]?.text, 'a\x1cb');
  const framed = normalizeHl7v2(Buffer.from(`\x0b${lines.join('\r')}\r\x1c\r`), testContext());
  t.same(framed.events, [event]);
  t.equal(framed.reject, undefined);
});

t.test('shapes - the message control id is the whole field as it was sent', async (t) => {
  for (const id of ['A~B^C', 'A&B', 'A\\T\\B', 'PLAIN'])
    t.equal(one(msh(id), 'PID|1||7^^^S^MR', 'OBR|1|||K^K^L')[0]?.provenance?.messageControlId, id);
});
