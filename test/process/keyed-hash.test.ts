/** SipHash against its authors' own vectors, and over what texts hold. */
import t from 'tap';
import { createKeyedHash } from '../../gateway/process/keyed-hash.ts';

const key = Uint8Array.from({ length: 16 }, (_, at) => at);

function hex(words: Uint32Array): string {
  // The vectors are bytes of two little-endian 64-bit words.
  const bytes = Buffer.alloc(16);
  for (const [at, low, high] of [
    [0, 1, 0],
    [8, 3, 2],
  ] as const) {
    bytes.writeUInt32LE(words[low] ?? 0, at);
    bytes.writeUInt32LE(words[high] ?? 0, at + 4);
  }
  return bytes.toString('hex');
}

t.test('keyed hash - gives the vectors of SipHash-2-4-128', async (t) => {
  const { hash } = createKeyedHash(key);
  const of = (length: number) => hex(hash(String.fromCharCode(...Array.from({ length }, (_, at) => at))));
  t.equal(of(0), 'a3817f04ba25a8e66df67214c7550293');
  t.equal(of(1), 'da87c1d86b99af44347659119b22fc45');
  t.equal(of(2), '8177228da4a45dc7fca38bdef60affe4');
  t.equal(of(7), 'a1f1ebbed8dbc153c0b84aa61ff08239');
  t.equal(of(8), '3b62a9ba6258f5610f83e264f31497b4');
  t.equal(of(15), '5493e99933b0a8117e08ec0f97cfc3d9');
  t.equal(of(63), '5150d1772f50834a503e069a973fbd7c');
});

t.test('keyed hash - texts beyond ASCII are told apart, another key gives another hash', async (t) => {
  const one = createKeyedHash(key);
  const other = createKeyedHash(key.map((byte) => byte ^ 1));
  const texts = ['Müller', 'Muller', 'M\u00fcller ', '王', '王王', '\u{1f600}', 'aaaaaaaé', 'aaaaaaaaé'];
  t.equal(new Set(texts.map((text) => hex(one.hash(text)))).size, texts.length);
  for (const text of texts) t.not(hex(one.hash(text)), hex(other.hash(text)));
});
