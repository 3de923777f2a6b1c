/** What a file is, and whether it is there to its end: what pieces of one are joined by. */
import t from 'tap';
import { isWhole, typeOf } from '../../gateway/normalize/hl7v2/file-type.ts';

const file = (...parts: (string | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((one) => (typeof one === 'string' ? Buffer.from(one, 'latin1') : one)));
/** The place of a TIFF's first directory, in both orders of bytes. */
const [little, big] = [Buffer.from([20, 0, 0, 0]), Buffer.from([0, 0, 0, 20])];
const picture = '.'.repeat(14);

/** [type, a whole file] */
const whole: [string, Buffer][] = [
  ['application/pdf', file('%PDF-1.4 ', picture, '\n%%EOF\n')],
  ['image/png', file('\x89PNG\r\n\x1a\n', picture, 'IEND\xae\x42\x60\x82')],
  ['image/jpeg', file('\xff\xd8\xff\xe0', picture, '\xff\xd9')],
  ['image/tiff', file('II*\0', little, picture)],
  ['image/tiff', file('MM\0*', big, picture)],
  ['image/gif', file('GIF89a', picture, ';')],
  ['application/rtf', file('{\\rtf1 ', picture, '}\r\n\0')],
  ['application/zip', file('PK\x03\x04', picture, 'PK\x05\x06', Buffer.alloc(18), 'a comment')],
  ['', file('<?xml version="1.0"?><report>', picture, '</report>\n')],
];

t.test(
  'file type - a file is whole where it ends as its kind does, and not where its end is missing',
  async (t) => {
    for (const [type, bytes] of whole) {
      const name = type || 'markup';
      t.equal(typeOf(bytes), type, name);
      t.equal(isWhole(bytes), true, `${name} is whole`);
      t.equal(isWhole(bytes.subarray(0, 15)), false, `${name} is cut`);
    }
  },
);

t.test('file type - of what begins as no file does nobody knows whether it is whole', async (t) => {
  t.equal(typeOf(file('a text')), '');
  t.equal(isWhole(file('a text')), undefined);
  t.equal(isWhole(Buffer.alloc(0)), undefined);
});
