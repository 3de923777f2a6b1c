import t from 'tap';
import { standard } from '../../gateway/normalize/hl7v2/delimiters.ts';
import { unescapeText, escape as written } from '../../gateway/normalize/hl7v2/escapes.ts';

const utf8 = (bytes: Buffer): string => bytes.toString('utf8');
const read = (text: string): string => unescapeText(text, standard, utf8);

t.test('escapes - delimiters come back as characters [HL7 2.7.1]', (t) => {
  t.equal(read('a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f'), 'a|b^c&d~e\\f');
  t.equal(read('\\E\\E\\E\\'), '\\E\\', 'what an escape gives is not read again');
  t.end();
});

t.test('escapes - hexadecimal data is read in the charset [HL7 2.7.5]', (t) => {
  t.equal(read('\\XC3A4\\'), 'ä');
  t.equal(read('\\X0D0A\\'), '\r\n');
  t.equal(
    unescapeText('\\XE4\\', standard, (bytes) => bytes.toString('latin1')),
    'ä',
  );
  t.equal(read('\\X0\\'), '\\X0\\', 'an odd digit is not data');
  t.equal(read('\\XZZ\\'), '\\XZZ\\');
  t.end();
});

t.test('escapes - formatting becomes line breaks and blanks [HL7 2.7.6]', (t) => {
  t.equal(read('a\\.br\\b'), 'a\nb');
  t.equal(read('a\\.sp2\\b'), 'a\n\nb');
  t.equal(read('a\\.sk3\\b'), 'a   b');
  t.equal(read('a\\.ce\\b\\.in+4\\c\\.ti-2\\d\\.fi\\\\.nf\\e'), 'a\nbcde');
  t.equal(read('\\H\\loud\\N\\'), 'loud');
  t.equal(read('a\\.BR\\b\\.Br\\c\\.SP2\\d\\x0D\\e\\X0d\\f'), 'a\nb\nc\n\nd\re\rf', 'in any case');
  t.end();
});

t.test('escapes - what is no sequence stays as it was sent', (t) => {
  for (const text of ['\\Z99\\', 'C:\\lab\\new', 'one \\ alone', '\\', '\\\\', '\\.xx\\', '\\C2842\\']) {
    t.equal(read(text), text, text);
  }
  t.equal(read('C:\\lab\\T\\x'), 'C:\\lab&x', 'an unpaired mark does not swallow the next sequence');
  t.end();
});

t.test('escapes - writing then reading gives the text again', (t) => {
  const texts = ['a|b^c&d~e\\f', 'line\nline', '\\E\\', '|||', 'Müller & Söhne ^ 漢字', '\r', '\u0001', ''];
  for (const text of texts) {
    const sent = written(text, standard);
    t.equal(read(sent), text, JSON.stringify(text));
    t.notMatch(sent, /[|^~&\r\n]/);
  }
  t.equal(written('SMITH|INJ\rOBX|9', standard), 'SMITH\\F\\INJ\\X0D\\OBX\\F\\9');
  t.equal(written('#', { ...standard, truncation: 0x23 }), '\\P\\');
  t.end();
});
