import { createHmac, randomBytes } from 'node:crypto';
import t from 'tap';
import { createBlind } from '../../gateway/process/keys.ts';

t.test('keys - a blind text is its HMAC-SHA-256, cut to 16 bytes, however long it is', async (t) => {
  const key = randomBytes(32);
  const blind = createBlind(key);
  const texts = [
    '',
    'MSG00001',
    'lab\0MSG00001',
    '€'.repeat(319),
    '€'.repeat(320),
    '€'.repeat(321),
    'ü€😀',
    'x'.repeat(5000),
    'MSG00001',
  ];
  for (const text of texts) {
    const expected = createHmac('sha256', key).update(text).digest().subarray(0, 16);
    t.ok(blind(text).equals(expected), `${text.length} characters`);
  }
});
