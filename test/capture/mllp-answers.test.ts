/** What a sender is answered [HL7 2.9.2, 2.9.3]. */
import t from 'tap';
import { answersTo, type Verdict } from '../../gateway/capture/mllp/answers.ts';
import { type Header, readHeader } from '../../gateway/capture/mllp/header.ts';

let number = 0;
const context = {
  time: '20261123081500.000+0000',
  nextControlId: () => {
    number += 1;
    return `A${number}`;
  },
};

function header(line: string): Header {
  const found = readHeader(Buffer.from(line, 'latin1'));
  if (found === undefined) throw new Error('no header');
  return found;
}

/** MSA-1 of each answer. */
function codes(accept: string, application: string, verdict: Verdict = 'durable'): string[] {
  const msh = `MSH|^~\\&|LAB|HOSP|EHR|CITY|20261123||ORU^R01^ORU_R01|ID7|P|2.5.1|||${accept}|${application}\r`;
  return answersTo(header(msh), verdict, context).map((answer) => answer.split('\r')[1]?.split('|')[1] ?? '');
}

t.test('answers - the table of accept and application conditions', async (t) => {
  const rows: [string, string, Verdict, string[]][] = [
    ['', '', 'durable', ['AA']],
    ['AL', '', 'durable', ['CA']],
    ['AL', 'NE', 'durable', ['CA']],
    ['SU', 'NE', 'durable', ['CA']],
    ['', 'AL', 'durable', ['AA']],
    ['NE', 'AL', 'durable', ['AA']],
    ['NE', 'SU', 'durable', ['AA']],
    ['AL', 'AL', 'durable', ['CA', 'AA']],
    ['NE', 'NE', 'durable', []],
    ['ER', 'NE', 'durable', []],
    ['ER', 'ER', 'durable', []],
    ['XX', '', 'durable', ['CA']],
    ['', '', 'refused', ['AR']],
    ['AL', '', 'refused', ['CR']],
    ['ER', 'NE', 'refused', ['CR']],
    ['AL', 'AL', 'refused', ['CR']],
    ['', '', 'too-large', ['AE']],
    ['AL', 'NE', 'too-large', ['CE']],
  ];
  for (const [accept, application, verdict, wanted] of rows) {
    t.same(
      codes(accept, application, verdict),
      wanted,
      `MSH-15 ${accept || '-'} MSH-16 ${application || '-'} ${verdict}`,
    );
  }
});

t.test('answers - an answer echoes what the sender declared', async (t) => {
  const msh = 'MSH#*!?@#LAB#HOSP#EHR#CITY#20261123##ADT*A08#ID9#T#2.4######8859/1\r';
  const [answer = ''] = answersTo(header(msh), 'durable', context);
  const [first = '', second = ''] = answer.split('\r');
  const fields = first.split('#');
  t.equal(fields[0], 'MSH');
  t.equal(fields[1], '*!?@', 'delimiters');
  t.same(fields.slice(2, 6), ['EHR', 'CITY', 'LAB', 'HOSP'], 'MSH-3/4 and 5/6 are swapped');
  t.equal(fields[8], 'ACK*A08*ACK', 'MSH-9');
  t.equal(fields[10], 'T', 'MSH-11');
  t.equal(fields[11], '2.4', 'MSH-12');
  t.equal(fields[17], '8859/1', 'MSH-18');
  t.equal(second, 'MSA#AA#ID9', 'MSA-2 is the sender’s own MSH-10');
});

t.test('answers - in enhanced mode an answer asks for none', async (t) => {
  const msh = 'MSH|^~\\&|LAB|HOSP|EHR|CITY|20261123||ORU^R01|ID7|P|2.5.1|||AL|AL\r';
  const answers = answersTo(header(msh), 'durable', context);
  const ids = answers.map((answer) => answer.split('|')[9]);
  t.equal(new Set(ids).size, 2, 'each has its own MSH-10');
  for (const answer of answers) t.same(answer.split('\r')[0]?.split('|').slice(14, 16), ['NE', 'NE']);
});

t.test('answers - an inbound acknowledgment is never answered', async (t) => {
  const msh = header('MSH|^~\\&|LAB|HOSP|EHR|CITY|20261123||ACK^R01|ID7|P|2.5.1\rMSA|AA|X\r');
  t.same(answersTo(msh, 'durable', context), []);
});

t.test('header - what cannot be answered is no header', async (t) => {
  for (const text of ['', 'PID|1', 'MSH', 'MSH||||', 'MSHAAAAAAAA', 'MSH|^^~&|A|B', 'MSH\r\r\r\r\r\r\r']) {
    t.equal(readHeader(Buffer.from(text, 'latin1')), undefined, JSON.stringify(text));
  }
  t.ok(
    readHeader(Buffer.from('\ufeffMSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.5')),
    'a byte order mark is forgiven',
  );
});
