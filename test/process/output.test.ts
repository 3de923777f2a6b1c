/** What people read: lengths of time in a unit of their size, and counts that agree with their noun. */
import t from 'tap';
import { counted, field, span, table } from '../../gateway/process/output.ts';
import { printable } from '../../gateway/process/printable.ts';

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

t.test('table - what a sender wrote cannot speak to the terminal, nor make a row', async (t) => {
  const rows = [{ id: 'OK\u001b[31m\u001b]0;pwn\u0007' }, { id: 'a\nb\tc\u009bd\u007f\u202ee' }];
  t.equal(
    table(rows, [field('ID', 'id')]),
    'ID\nOK\\u001b[31m\\u001b]0;pwn\\u0007\na\\u000ab\\u0009c\\u009bd\\u007f\\u202ee\n',
  );
});

t.test('printable - a text keeps its lines, and JSON stays what it says', async (t) => {
  t.equal(printable('a\tb\r\nc\u001b[0m\rd\n'), 'a\tb\r\nc\\u001b[0m\\u000dd\n');
  const object = { id: 'x\u009b31m\u202e\u0000äß€😀' };
  t.same(JSON.parse(printable(JSON.stringify(object, null, 2))), object);
});
