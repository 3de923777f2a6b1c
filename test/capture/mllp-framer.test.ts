/** MLLP framing [MLLP release 1]. */
import t from 'tap';
import { createFramer } from '../../gateway/capture/mllp/framer.ts';

const text = (block: Buffer) => block.toString('latin1');
const frames = (chunks: readonly Buffer[], max = 1000) => {
  const framer = createFramer(max);
  const found: string[] = [];
  for (const chunk of chunks) {
    for (const framed of framer.push(chunk))
      found.push(framed.kind === 'frame' ? text(framed.block) : `oversize ${framed.beginning.length}`);
  }
  return { found, framer };
};
const bytes = (value: string) => Buffer.from(value, 'latin1');
const two = bytes('\x0bMSH|one\r\x1c\r\x0bMSH|two\r\x1c\r');

t.test('framer - a block split at every byte is one block', async (t) => {
  for (let at = 0; at <= two.length; at += 1) {
    t.same(frames([two.subarray(0, at), two.subarray(at)]).found, ['MSH|one\r', 'MSH|two\r'], `at ${at}`);
  }
  t.same(
    frames([...two].map((byte) => Buffer.of(byte))).found,
    ['MSH|one\r', 'MSH|two\r'],
    'one byte a chunk',
  );
});

t.test('framer - FS without CR ends a block, line ends between blocks are no stray bytes', async (t) => {
  const { found, framer } = frames([bytes('\x0bA\x1c\x0bB\x1c\r\n\x0bC\x1c')]);
  t.same(found, ['A', 'B', 'C']);
  t.equal(framer.strayBytes(), 0);
});

t.test('framer - bytes outside a block are skipped and counted', async (t) => {
  const { found, framer } = frames([bytes('GET / \x0bA\x1c\rxx')]);
  t.same(found, ['A']);
  t.equal(framer.strayBytes(), 8);
});

t.test(
  'framer - a block above the limit is told once, with its beginning, and nothing more is taken',
  async (t) => {
    const { found, framer } = frames(
      [bytes('\x0bMSH|big'), Buffer.alloc(600, 65), Buffer.alloc(600, 65), bytes('\x1c\r\x0bA\x1c\r')],
      1000,
    );
    t.equal(found.length, 1);
    t.match(found[0], /^oversize \d+$/);
    t.equal(framer.push(bytes('\x0bB\x1c')).length, 0);
  },
);

t.test('framer - a block of exactly the limit passes', async (t) => {
  t.same(frames([bytes(`\x0b${'x'.repeat(1000)}\x1c\r`)], 1000).found, ['x'.repeat(1000)]);
});

t.test('framer - FS before any other byte of its chunk is content', async (t) => {
  const { found, framer } = frames([bytes('\x0bA\x1cB\x1c\x1cC\x1c\r\x0bD\x1c')]);
  t.same(found, ['A\x1cB\x1c\x1cC', 'D']);
  t.equal(framer.strayBytes(), 0);
});

t.test('framer - VT before a header begins the frame again, at every cut of the chunks', async (t) => {
  const sent = bytes('\x0bMSH|cut off\rPID\x0bMSH|whole\r\x1c\r\x0bMSH|a\x0bMS\x0bBHS|two\r\x1c\r');
  for (let at = 0; at <= sent.length; at += 1) {
    const { found, framer } = frames([sent.subarray(0, at), sent.subarray(at)]);
    t.same(found, ['MSH|whole\r', 'BHS|two\r'], `at ${at}`);
    t.equal(framer.brokenOff(), 2, `at ${at}`);
  }
  const single = frames([...sent].map((byte) => Buffer.of(byte)));
  t.same(single.found, ['MSH|whole\r', 'BHS|two\r'], 'one byte a chunk');
  t.equal(single.framer.brokenOff(), 2);
});

t.test('framer - VT twice before a header breaks nothing off, VT elsewhere is content', async (t) => {
  const { found, framer } = frames([bytes('\x0b\x0bMSH|one\x0btwo\r\x1c\r')]);
  t.same(found, ['MSH|one\x0btwo\r']);
  t.equal(framer.brokenOff(), 0);
});

t.test('framer - what was broken off does not count towards the limit', async (t) => {
  const whole = `MSH|${'x'.repeat(900)}`;
  t.same(frames([bytes(`\x0bMSH|${'y'.repeat(900)}`), bytes(`\x0b${whole}\x1c\r`)], 1000).found, [whole]);
});
