/** Synthetic messages: distinct, deterministic, of the promised size, all under the canary's name. */
import t from 'tap';
import { controlIdOf } from './hl7-peek.ts';
import { canary, type MessageKind, messageMaker, mixedMaker, readingMaker } from './messages.ts';
import { frame } from './mllp-frame.ts';
import { seedOfThisRun } from './random.ts';

const seed = seedOfThisRun();
t.comment(`seed ${seed}`);
const kinds: MessageKind[] = [
  'oru',
  'oruStat',
  'oru10k',
  'correction',
  'adt',
  'orm',
  'ormStat',
  'oruCritical',
];

for (const kind of kinds) {
  t.test(`messages - ${kind} is whole, distinct and the same again`, async (t) => {
    const make = messageMaker({ seed, kind });
    const again = messageMaker({ seed, kind });
    const seen = new Set<string>();
    for (let n = 0; n < 500; n += 1) {
      const message = make(n);
      seen.add(message.bytes.toString('latin1'));
      if (!message.bytes.equals(again(n).bytes)) t.fail(`message ${n} differs on the second run`);
      if (controlIdOf(message.bytes) !== message.controlId) t.fail(`message ${n} has another MSH-10`);
    }
    t.equal(seen.size, 500);
    const { bytes, framed, patientId } = make(42);
    const text = bytes.toString('latin1');
    t.ok(framed.equals(frame(bytes)), 'the block is the message with its framing');
    t.match(text, new RegExp(`\\rPID\\|1\\|\\|${patientId}\\^\\^\\^KITMRN\\^MR\\|\\|${canary.family}\\^`));
    t.notMatch(text, /~[NPVS]\d/, 'no placeholder is left');
    t.ok(text.split('\r').every((segment) => segment === '' || /^[A-Z][A-Z0-9]{2}\|/.test(segment)));
  });
}

t.test('messages - sizes are those of the goals', async (t) => {
  const size = (kind: MessageKind) => messageMaker({ seed, kind })(1).bytes.length;
  t.ok(size('oru') > 900 && size('oru') < 1_150, `ORU ${size('oru')}`);
  t.ok(size('oru10k') > 9_500 && size('oru10k') < 11_000, `long ORU ${size('oru10k')}`);
});

t.test('messages - urgent and corrected ones say so where the standard says', async (t) => {
  const field = (kind: MessageKind, segment: string, index: number) => {
    const lines = messageMaker({ seed, kind })(7).bytes.toString('latin1').split('\r');
    return lines.find((line) => line.startsWith(segment))!.split('|')[index];
  };
  t.equal(field('oruStat', 'OBR', 27), '^^^^^S');
  t.equal(field('oru', 'OBR', 27), '^^^^^R');
  t.equal(field('ormStat', 'OBR', 27), '^^^^^S');
  t.equal(field('ormStat', 'ORC', 7), '^^^20260301101500^^S');
  t.equal(field('oruCritical', 'OBX', 8), 'HH');
  t.equal(field('correction', 'OBR', 25), 'C');
  t.equal(field('correction', 'OBX', 11), 'C');
  t.equal(field('correction', 'OBR', 3), field('oru', 'OBR', 3), 'a correction names the order it corrects');
  t.not(field('correction', 'OBX', 5), field('oru', 'OBX', 5), 'and another value');
});

t.test('messages - a source, a facility and acknowledgment modes are settings', async (t) => {
  const options = { seed, kind: 'adt' as const, sendingApplication: 'ADTSYS', sendingFacility: 'NORTH' };
  const header = messageMaker({ ...options, acceptAck: 'AL', applicationAck: 'NE' })(1).bytes.toString();
  t.match(
    header,
    /^MSH\|\^~\\&\|ADTSYS\|NORTH\|HILUM\|CENTRE\|\d{14}\|\|ADT\^A01\^ADT_A01\|[^|]+\|P\|2\.5\.1\|\|\|AL\|NE\r/,
  );
});

t.test('messages - a mixture has every kind and no control ID twice', async (t) => {
  const make = mixedMaker({ seed });
  const messages = Array.from({ length: 2_000 }, (_, n) => make(n));
  t.equal(new Set(messages.map((message) => message.kind)).size, kinds.length);
  t.equal(new Set(messages.map((message) => message.controlId)).size, messages.length);
});

t.test('messages - readings are JSON, distinct, about 200 bytes', async (t) => {
  const make = readingMaker(seed);
  const texts = Array.from({ length: 500 }, (_, n) => make(n).toString());
  t.equal(new Set(texts).size, 500);
  const sequences = texts.map((text) => (JSON.parse(text) as { sequence: number }).sequence);
  t.strictSame([sequences[0], sequences[499]], [10_000_000_000, 10_000_000_499]);
  t.ok(texts[0]!.length > 180 && texts[0]!.length < 260, `${texts[0]!.length} bytes`);
});

t.test('messages - making them costs little', async (t) => {
  const make = messageMaker({ seed, kind: 'oru' });
  for (let n = 0; n < 20_000; n += 1) make(n);
  const startedAt = performance.now();
  for (let n = 0; n < 100_000; n += 1) make(n);
  const rate = 100_000 / ((performance.now() - startedAt) / 1000);
  t.comment(`${Math.round(rate)} messages of 1 KB made a second`);
  t.ok(rate > 20_000, 'a tenth of the aim: only a gross mistake fails here');
});
