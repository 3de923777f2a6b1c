/** Instants are those of the runtime, for whatever is sent as a time. */
import t from 'tap';
import { instantOf } from '../../gateway/normalize/instant.ts';
import { below as random, seededRandom, seedOfThisRun } from '../kit/random.ts';

t.test('instants - as the runtime reads them, and as nothing where it reads nothing', async (t) => {
  for (const text of [
    '2026-11-23T08:15:00+01:00',
    '2026-11-23T08:15:00Z',
    '2024-02-29T23:59:59-11:30',
    '1969-12-31T23:59:59Z',
    '0001-01-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-11-23T24:00:00Z',
    '2026-11-23T08:15:00.123+01:00',
    '2026-11-23',
    '2026',
    '',
    'T',
  ])
    t.ok(Object.is(instantOf(text), Date.parse(text)), text === '' ? 'nothing' : text);
  t.equal(instantOf('2026-11-23T08:15:00+01:00'), 1_795_418_100_000);
});

t.test('instants - random ones and such with a character changed', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed} (HILUM_SEED=${seed} repeats this run)`);
  const numbers = seededRandom(seed);
  const below = (n: number): number => random(numbers, n);
  const digits = (n: number, width = 2): string => String(n).padStart(width, '0');
  const alphabet = '0123456789TZ:+-. ';
  let read = 0;
  for (let round = 0; round < 50_000; round += 1) {
    const year = below(20) === 0 ? below(10_000) : 1900 + below(200);
    let text = `${digits(year, 4)}-${digits(below(14))}-${digits(below(33))}T${digits(below(26))}:${digits(below(62))}:${digits(below(62))}`;
    text += below(2) === 0 ? 'Z' : `${below(2) === 0 ? '+' : '-'}${digits(below(26))}:${digits(below(70))}`;
    if (below(5) === 0) {
      const at = below(text.length);
      text = text.slice(0, at) + alphabet.charAt(below(alphabet.length)) + text.slice(at + below(2));
    }
    const wanted = Date.parse(text);
    if (!Number.isNaN(wanted)) read += 1;
    if (!Object.is(instantOf(text), wanted)) t.fail(text);
  }
  t.ok(read > 10_000, `${read} were times`);
});
