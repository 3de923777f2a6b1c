/** What people read: lengths of time in a unit of their size, and counts that agree with their noun. */
import t from 'tap';
import { counted, span } from '../../gateway/process/output.ts';

t.test('span - it has the unit of its size, and its sign', async (t) => {
  const said: [number | bigint | undefined, string][] = [
    [undefined, '0 µs'],
    [999, '999 µs'],
    [1_500, '1.5 ms'],
    [5_000_000n, '5.00 s'],
    [109_000_000, '109.00 s'],
    [300_000_000, '5.0 min'],
    [86_400_000_000, '24.0 h'],
    [-121, '-121 µs'],
    [-2_500, '-2.5 ms'],
  ];
  for (const [us, text] of said) t.equal(span(us), text);
});

t.test('counted - one has no s', async (t) => {
  t.equal(counted(1, 'message'), '1 message');
  t.equal(counted(0, 'message'), '0 messages');
});
