/**
 * Corners of framing, header and answers beside mllp-framer.test.ts and mllp-answers.test.ts: the rest of the
 * table of answers, senders that are a little off, and every chunking of the same bytes.
 */
import t from 'tap';
import { answersTo, hl7Time, type Verdict } from '../../gateway/capture/mllp/answers.ts';
import { createFramer } from '../../gateway/capture/mllp/framer.ts';
import { type Header, readHeader } from '../../gateway/capture/mllp/header.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';

const context = () => {
  let number = 0;
  const nextControlId = () => {
    number += 1;
    return `OWN${number}`;
  };
  return { time: '20260301100000.000+0000', nextControlId };
};

function header(text: string): Header {
  const found = readHeader(Buffer.from(text, 'latin1'));
  if (found === undefined) throw new Error('this test needs a readable MSH');
  return found;
}

/** MSA-1 and MSA-2 of each answer. */
function codes(text: string, verdict: Verdict = 'durable'): string[] {
  return answersTo(header(text), verdict, context()).map((answer) => {
    const [, code, controlId] = /\rMSA\|([^|]*)\|([^|\r]*)/.exec(answer) ?? [];
    return `${code} ${controlId}`;
  });
}

const rows: [accept: string, application: string, verdict: Verdict, expected: string[]][] = [
  ['NE', '', 'durable', []],
  ['', 'NE', 'durable', []],
  ['NE', 'NE', 'refused', []],
  ['NE', 'NE', 'too-large', []],
  ['SU', 'SU', 'durable', ['CA', 'AA']],
  ['SU', 'SU', 'refused', []],
  ['SU', 'NE', 'too-large', []],
  ['ER', 'NE', 'too-large', ['CE']],
  ['NE', 'ER', 'refused', ['AR']],
  ['NE', 'ER', 'durable', []],
  ['NE', 'AL', 'too-large', ['AE']],
  ['AL', 'AL', 'too-large', ['CE']],
  ['Y', 'N', 'durable', ['CA', 'AA']],
  ['NE', 'QQ', 'durable', ['AA']],
  ['al', 'ne', 'durable', ['CA']],
  [' AL ', ' NE', 'durable', ['CA']],
];

t.test('mllp answers - the rest of the table of answers', async (t) => {
  for (const [accept, application, verdict, expected] of rows) {
    const text = `MSH|^~\\&|LAB|S|H|C|20260301||ORU^R01|M42|P|2.5.1|||${accept}|${application}\rPID|1\r`;
    const wanted = expected.map((code) => `${code} M42`);
    t.same(codes(text, verdict), wanted, `MSH-15 "${accept}" MSH-16 "${application}" ${verdict}`);
  }
});

t.test('mllp answers - a type without a trigger event, MSH-11 and MSH-12 left out', async (t) => {
  const [answer = ''] = answersTo(header('MSH|^~\\&|LAB|S|H|C|20260301||ORU|M1\r'), 'durable', context());
  const fields = answer.split('\r')[0]?.split('|') ?? [];
  t.equal(fields[8], 'ACK', 'ACK alone');
  t.equal(fields[10], 'P');
  t.equal(fields.length, 11, 'nothing is invented behind it');
});

t.test('mllp answers - MSH-10 is echoed byte for byte', async (t) => {
  const id = '\xc4\xff ~x\\F\\';
  const [answer = ''] = answersTo(
    header(`MSH|^~\\&|LAB|S|H|C|20260301||ORU^R01|${id}|P|2.5\r`),
    'durable',
    context(),
  );
  t.ok(Buffer.from(answer, 'latin1').includes(Buffer.from(`MSA|AA|${id}\r`, 'latin1')));
});

t.test('mllp answers - an inbound acknowledgment has type ACK and an MSA segment, both', async (t) => {
  const msh = (type: string) => `MSH|^~\\&|EHR|S|H|C|20260301||${type}|A1|P|2.5|||AL|AL\r`;
  t.same(codes(`${msh('ACK')}MSA|AA|M1\r`), []);
  t.same(codes(`${msh('ACK^R01^ACK')}SFT|x\rMSA|AA|M1\r`), []);
  t.same(codes(`${msh('ACK')}PID|1\r`), ['CA A1', 'AA A1'], 'no MSA');
  t.same(codes(`${msh('ORU^R01')}MSA|AA|M1\r`), ['CA A1', 'AA A1'], 'another type');
  t.same(codes(`${msh('ACK')}MSAX|AA|M1\r`), ['CA A1', 'AA A1'], 'a segment that only begins with MSA');
});

t.test('mllp answers - hl7Time is UTC with milliseconds and offset', async (t) => {
  t.equal(hl7Time(Date.UTC(2026, 10, 23, 8, 15, 0, 123) * 1000), '20261123081500.123+0000');
});

t.test('mllp header - readable where a sender is a little off', async (t) => {
  const body = 'MSH|^~\\&|LAB|S|H|C|20260301||ORU^R01|M1|P|2.5';
  const forms = {
    'LF ends': `${body}\nPID|1\n`,
    'CRLF ends': `${body}\r\nPID|1\r\n`,
    'no end at all': body,
    'leading CR LF': `\r\n${body}\r`,
    'leading blanks': ` \t${body}\r`,
  };
  for (const [what, text] of Object.entries(forms)) {
    const found = readHeader(Buffer.from(text, 'latin1'));
    t.equal(found?.field(10), 'M1', what);
    t.equal(found?.field(12), '2.5', `${what}: no line end in the last field`);
  }
});

t.test('mllp framer - every chunking of the same bytes gives the same blocks', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed} (HILUM_SEED=${seed} repeats this run)`);
  const random = seededRandom(seed);
  const character = () => String.fromCharCode(0x20 + below(random, 0xd0));
  for (let run = 0; run < 300; run += 1) {
    const texts = Array.from({ length: 1 + below(random, 6) }, () =>
      Array.from({ length: below(random, 60) }, character).join(''),
    );
    const ends = ['\x1c\r', '\x1c', '\x1c\r\n', '\x1c\n'];
    const wire = Buffer.from(texts.map((text) => `\x0b${text}${ends[below(random, 4)]}`).join(''), 'latin1');
    const cuts = Array.from({ length: below(random, 12) }, () => below(random, wire.length + 1));
    const edges = [0, ...cuts.sort((a, b) => a - b), wire.length];
    const framer = createFramer(1000);
    const found = edges.slice(1).flatMap((to, at) => {
      // A block is good until its chunk is let go: it is read at once.
      const framed = framer.push(Buffer.from(wire.subarray(edges[at], to)));
      return framed.map((one) => (one.kind === 'frame' ? one.block.toString('latin1') : 'oversize'));
    });
    if (JSON.stringify(found) !== JSON.stringify(texts)) t.fail(`run ${run}, cuts ${cuts.join(', ')}`);
    if (framer.strayBytes() !== 0 || framer.pendingBytes() !== 0) t.fail(`run ${run} leaves something`);
  }
  t.pass('300 random streams');
});
