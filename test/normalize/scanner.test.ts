import t from 'tap';
import { oracle } from '../../deploy/local/hl7-standard.ts';
import type { Delimiters } from '../../gateway/normalize/hl7v2/delimiters.ts';
import { delimitersAt, standard } from '../../gateway/normalize/hl7v2/delimiters.ts';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { Message } from '../../gateway/normalize/hl7v2/message.ts';
import { scopeOf } from '../../gateway/normalize/hl7v2/normalize.ts';
import { nullsOf } from '../../gateway/normalize/hl7v2/nulls.ts';
import { scan } from '../../gateway/normalize/hl7v2/scanner.ts';
import { split } from '../../gateway/normalize/hl7v2/split.ts';
import { er7, testContext } from './context.ts';

const header = 'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500||ADT^A01|M1|P|2.5';

function read(raw: Uint8Array | string): Message {
  const bytes = typeof raw === 'string' ? Buffer.from(raw) : raw;
  const message = scan(bytes, scopeOf(testContext()));
  if (!(message instanceof Message)) throw new Error(message.code);
  return message;
}

t.test('scanner - MSH-1 is the separator and MSH-2 the encoding characters', (t) => {
  const msh = read(header).segments[0];
  t.equal(msh?.whole(2), '^~\\&');
  t.equal(msh?.text(3), 'LAB');
  t.equal(msh?.text(9, 1, 2), 'A01');
  t.equal(msh?.text(12), '2.5');
  t.equal(msh?.text(99), '');
  t.end();
});

t.test('scanner - CR, LF and CRLF end segments, also mixed', (t) => {
  const message = read(`${header}\nEVN|A01\r\nPID|1||7\rPV1|1|I\n\r\nZZZ|x`);
  t.same(
    message.segments.map((segment) => segment.name),
    ['MSH', 'EVN', 'PID', 'PV1', 'ZZZ'],
  );
  t.equal(message.segments[2]?.text(3), '7');
  t.end();
});

t.test('scanner - a bare LF inside text belongs to the field', (t) => {
  const message = read(`${header}\rNTE|1||first line\nsecond line, more\rPID|1||7`);
  t.equal(message.segments[1]?.whole(3), 'first line\nsecond line, more');
  t.equal(message.segments[2]?.name, 'PID');
  t.end();
});

t.test('scanner - a segment may stand after blanks, and after CRLF too', (t) => {
  const message = read(`${header}\r\nPID|1||7\r\n\r\n  OBR|1||9\r  OBX|1`);
  t.same(
    message.segments.map(({ name }) => name),
    ['MSH', 'PID', 'OBR', 'OBX'],
  );
  t.end();
});

t.test('scanner - repetitions, components and subcomponents are found by number', (t) => {
  const pid = read(`${header}\rPID|1||A^^^X&1.2&ISO^MR~B^^^Y||FAM&VON^GIVEN`).first('PID');
  t.equal(pid?.text(3, 1, 4, 2), '1.2');
  t.equal(pid?.text(3, 2), 'B');
  t.equal(pid?.text(3, 2, 4), 'Y');
  t.equal(pid?.text(3, 3), '');
  t.equal(pid?.text(5, 1, 1, 2), 'VON');
  t.equal(pid?.text(5, 1, 2), 'GIVEN');
  t.equal(pid?.repetitions(3).length, 2);
  t.end();
});

t.test('scanner - the HL7 null is not empty and not text', (t) => {
  const message = read(`${header}\rPID|1||7||""||  `);
  const pid = message.first('PID');
  t.equal(pid?.has(5), false);
  t.equal(pid?.text(5), '');
  t.same(nullsOf(message), ['PID-5']);
  t.end();
});

t.test('delimiters - another set is honoured', (t) => {
  const message = read('MSH@~&#\\@LAB@H@E@H@2026@@ADT~A01@M1@P@2.5\rPID@1@@7~~~HOSP&8');
  t.equal(message.segments[0]?.text(9, 1, 2), 'A01');
  t.equal(message.segments[1]?.text(3, 1, 4), 'HOSP');
  t.equal(message.segments[1]?.text(3, 2), '8');
  t.end();
});

const cases: [string, string | Partial<Delimiters>][] = [
  ['MSH|^~\\&|', standard],
  ['MSH|^~\\&#|', { ...standard, truncation: 0x23 }],
  ['MSH|^~|', standard],
  ['MSH|^|', standard],
  ['MSH|^~\\\\&|', standard],
  ['MSH||LAB', 'empty'],
  ['MSH|&&&&|', 'twice'],
  ['MSH|^~|x', standard],
  ['MSH|abcd|', 'letter'],
  ['MSHx^~\\&x', 'MSH-1'],
  ['MSH|^~\\&#!|', 'five'],
];
t.test('delimiters - what cannot be used is refused with a reason, what is missing is defaulted', (t) => {
  for (const [text, wanted] of cases) {
    const bytes = Buffer.from(text);
    const found = delimitersAt(bytes, 0, bytes.length);
    if (typeof wanted === 'string') t.match(found, new RegExp(wanted), text);
    else t.same(found, wanted, text);
  }
  t.end();
});

t.test('split - framing, BOM and batch envelopes are left out', (t) => {
  const one = `${header}\rPID|1||7`;
  const raw = `\ufeff\u000bFHS|^~\\&\rBHS|^~\\&\r${one}\r${one}\rBTS|2\rFTS|1\r\u001c\r`;
  const { messages, preamble } = split(Buffer.from(raw));
  t.equal(messages.length, 2);
  t.equal(preamble, false);
  t.equal(Buffer.from(messages[0] ?? []).toString(), one);
  t.equal(Buffer.from(messages[1] ?? []).toString(), one);
  t.end();
});

t.test('split - concatenated MLLP frames are several messages', (t) => {
  const raw = `\u000b${header}\rPID|1||7\r\u001c\r\u000b${header}\rPID|1||8\r\u001c\r`;
  const { events } = normalizeHl7v2(Buffer.from(raw), testContext());
  t.same(
    events.map((event) => event.patient?.identifiers[0]?.value),
    ['7', '8'],
  );
  t.end();
});

t.test('scanner - 46,000 segments take milliseconds and are refused by number', (t) => {
  const lines = [header];
  for (let i = 0; i < 46_000; i++) lines.push(`Z${i % 10}${i % 7}|1`);
  const raw = er7(...lines);
  t.ok(raw.length > 270_000);
  const from = process.hrtime.bigint();
  const { events, reject } = normalizeHl7v2(raw, testContext());
  const elapsedMs = Number(process.hrtime.bigint() - from) / 1e6;
  t.comment(`${elapsedMs.toFixed(1)} ms`);
  t.equal(events.length, 0);
  t.equal(reject?.code, 'too-large');
  t.ok(elapsedMs < 1000, 'far below a second');
  t.end();
});

t.test('scanner - delimiters by the hundred thousand stay linear', (t) => {
  for (const filling of ['^', '~', '&', '|', '\\', '\\X', '\r', '\n']) {
    const raw = er7(header, `PID|1||${filling.repeat(16_000)}`, `OBX|1|TX|a||${filling.repeat(400_000)}`);
    const from = process.hrtime.bigint();
    normalizeHl7v2(raw, testContext());
    const elapsedMs = Number(process.hrtime.bigint() - from) / 1e6;
    t.ok(elapsedMs < 3000, `${JSON.stringify(filling)} in ${elapsedMs.toFixed(0)} ms`);
  }
  t.end();
});

t.test('scanner - a small message does not become a huge one by repeating its patient', (t) => {
  const lines = [header.replace('ADT^A01', 'ORM^O01'), 'PID|1||7'];
  for (let i = 0; i < 4000; i++) lines.push(`NK1|${i}|NAME^N${i}|||||||||||||||||||||||||||||||||||`);
  for (let i = 0; i < 4000; i++) lines.push(`ORC|NW|${i}`);
  const { events, reject } = normalizeHl7v2(er7(...lines), testContext());
  t.equal(events.length, 0);
  t.equal(reject?.code, 'too-large');
  t.end();
});

t.test('scanner - a field over its limit is refused; a document in OBX-5 is not', (t) => {
  const big = 'x'.repeat(40_000);
  t.equal(normalizeHl7v2(er7(header, `PID|1||${big}`), testContext()).reject?.code, 'too-large');
  t.equal(normalizeHl7v2(er7(header, 'PID|1||7', `OBX|1|TX|a||${big}`), testContext()).events.length, 1);
  t.end();
});

t.test('scanner - agrees with hl7-standard where that is right', (t) => {
  const lines = [
    header,
    'EVN|A01|20261123081500',
    'PID|1|4711|4712^^^HOSP^MR||MUSTER^ERIKA^ANNA||19640812|F|||HAUPTSTR. 1^^BERLIN^^10115^DE',
    'PV1|1|I|W1^12^B^HOSP||||1234^ARZT^ANNA',
  ];
  const raw = `${lines.join('\r')}\r`;
  const theirs = oracle(raw);
  const ours = read(raw);
  for (const [name, fields] of Object.entries({ EVN: 2, PID: 11, PV1: 7 })) {
    for (let field = 1; field <= fields; field++) {
      // hl7-standard gives the whole field for one without components.
      const single = !(ours.first(name)?.whole(field) ?? '').includes('^');
      for (let component = 1; component <= (single ? 1 : 5); component++) {
        const path = single ? `${name}.${field}` : `${name}.${field}.${component}`;
        const said = ours.first(name)?.text(field, 1, component);
        t.equal(said, theirs(path) || theirs(`${name}.${field}.${component}`), path);
      }
    }
  }
  t.end();
});
