import t from 'tap';
import { ConfigApi } from '../../control-plane/config/config-api.ts';
import { compared, diffLines } from '../../control-plane/config/diff.ts';
import { documentLimits } from '../../proto/config/limits.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';

/** What a diff says of both texts: its lines without the sign, and how many it changes. */
function read(diff: string): { before: string[]; after: string[]; changes: number } {
  const lines = diff.replace(/\n$/, '').split('\n');
  const of = (sign: string) =>
    lines.filter((line) => line[0] === ' ' || line[0] === sign).map((line) => line.slice(2));
  return { before: of('-'), after: of('+'), changes: lines.filter((line) => line[0] !== ' ').length };
}

/** The fewest changes that make one of the other. */
function fewest(a: readonly string[], b: readonly string[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, line] of a.entries()) {
    const next = [i + 1];
    for (const [j, other] of b.entries())
      next.push(line === other ? (row[j] ?? 0) : 1 + Math.min(row[j + 1] ?? 0, next[j] ?? 0));
    row = next;
  }
  return row[b.length] ?? 0;
}

t.test('config diff - what goes stands before what comes, and the same text says nothing', async (t) => {
  t.equal(diffLines('a\nb\nc\n', 'a\nx\nc\n'), '  a\n- b\n+ x\n  c\n');
  t.equal(diffLines('', 'a\n'), '+ a\n');
  t.equal(diffLines('a\n', ''), '- a\n');
  t.equal(diffLines('a\nb\n', 'a\nb\n'), '');
});

t.test('config diff - random texts are made of each other with the fewest changes', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const text = () =>
    Array.from({ length: 1 + below(random, 40) }, () => 'abcdef'[below(random, 6)] as string);
  for (let n = 0; n < 2_000; n += 1) {
    const [a, b] = [text(), text()];
    const diff = diffLines(`${a.join('\n')}\n`, `${b.join('\n')}\n`);
    if (diff === '') {
      t.same(a, b);
      continue;
    }
    const { before, after, changes } = read(diff);
    if (before.join() !== a.join() || after.join() !== b.join()) t.fail(`${a.join('')} ${b.join('')}`);
    if (changes !== fewest(a, b))
      t.fail(`${changes} changes, not ${fewest(a, b)}: ${a.join('')} ${b.join('')}`);
  }
});

t.test(
  'config diff - a code table of 20,000 rows, one of them changed, and two texts with nothing in common',
  async (t) => {
    const rows = Array.from({ length: 20_000 }, (_, n) => `  C${n}: { code: "${n}-1" }`);
    const changed = rows.with(0, '  first: {}').with(10_000, '  changed: {}').with(19_999, '  last: {}');
    t.equal(read(diffLines(rows.join('\n'), changed.join('\n'))).changes, 6);
    const other = rows.map((row) => `${row} # other`);
    const { before, after } = read(diffLines(rows.join('\n'), other.join('\n')));
    t.same([before.length, after.length], [20_000, 20_000]);
    const reversed = [...rows].reverse();
    const { before: was, after: is } = read(diffLines(rows.join('\n'), reversed.join('\n')));
    t.ok(was.join() === rows.join() && is.join() === reversed.join(), 'also where it is told as replaced');
  },
);

t.test('config diff - two texts that are unlike hold nobody up', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const steps = (a: readonly string[], b: readonly string[]) => compared(a, b).steps;
  for (const count of [4_000, 8_000, 60_000]) {
    const lines = Array.from({ length: count }, (_, n) => `C${n}`);
    t.equal(steps(lines, lines), 0);
    const other = lines.map((line) => `${line} other`);
    t.equal(steps(lines, other), 0, 'what only one of them has is not looked for');
    const shuffled = [...lines];
    for (let at = count - 1; at > 0; at -= 1) {
      const to = below(random, at + 1);
      [shuffled[at], shuffled[to]] = [shuffled[to] as string, shuffled[at] as string];
    }
    const few = lines.map((_, n) => `C${n % 7}`);
    const fewOther = lines.map(() => `C${below(random, 7)}`);
    for (const [what, took] of Object.entries({
      reversed: steps(lines, [...lines].reverse()),
      shuffled: steps(lines, shuffled),
      'the same few': steps(few, fewOther),
    }))
      t.ok(took <= 2_200_000, `${count} lines, ${what}: ${took} steps`);
    const changed = lines.map((line, n) => (n % 3 === 0 ? `${line} changed` : line));
    t.equal(read(diffLines(lines.join('\n'), changed.join('\n'))).changes, 2 * Math.ceil(count / 3));
  }
});

t.test('config diff - what is too long to be pushed is not compared', async (t) => {
  const state = { configs: { desired: () => undefined }, registry: { ofSite: () => [] } };
  const api = new ConfigApi(state as never, {} as never);
  t.throws(() => api.diffConfig('#'.repeat(documentLimits.charactersMax + 1), 'north'), {
    code: 'config-too-large',
  });
  t.match(api.diffConfig('sources: {}\n', 'north'), { diff: '+ sources: {}\n' });
});
