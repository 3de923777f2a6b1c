/** When routine records step back for senders, on a clock of the test's own. */
import t from 'tap';
import { createBurst } from '../../gateway/burst.ts';

/** A gateway that takes `perSecond` records; `through` gives what the burst said every 10 ms. */
function gateway() {
  let now = 0;
  let taken = 0;
  const burst = createBurst(() => now);
  return (perSecond: number, ms: number, waiting: number): boolean[] => {
    const said: boolean[] = [];
    for (const end = now + ms; now < end; ) {
      now += 10;
      taken += perSecond / 100;
      said.push(burst.holds(taken, waiting));
    }
    return said;
  };
}

t.test('burst - a hospital on its busiest day is none', async (t) => {
  const said = gateway()(900, 60_000, 10);
  t.notOk(/1{10}/.test(said.map(Number).join('')), 'routine work waits for less than 100 ms at a time');
  const quiet = gateway();
  const seen = Array.from({ length: 500 }, () => [...quiet(100, 10, 10), ...quiet(0, 10, 10)].at(-1));
  t.notOk(seen.includes(true), 'and not at all where the next record is not to be expected at once');
});

t.test('burst - routine work waits in it, for five seconds at most', async (t) => {
  const said = gateway()(20_000, 60_000, 50_000);
  const held = said.filter(Boolean).length * 10;
  t.ok(held > 4_500 && held <= 5_000, `held for ${held} ms`);
  t.notOk(said.slice(-5_000).includes(true), 'and not again while records wait');
});

t.test('burst - it ends with the senders', async (t) => {
  const through = gateway();
  t.ok(through(20_000, 1_000, 10_000).at(-1));
  t.notOk(through(100, 100, 10_000).at(-1));
});

t.test('burst - senders that come in waves do not make it longer', async (t) => {
  const through = gateway();
  const said = Array.from({ length: 200 }, () => [
    ...through(20_000, 200, 20_000),
    ...through(0, 100, 20_000),
  ]);
  const held = said.flat().filter(Boolean).length * 10;
  t.ok(held <= 5_000, `held for ${held} ms`);
});

t.test('burst - the next one is served as the first, once what waited is done', async (t) => {
  const through = gateway();
  through(20_000, 8_000, 50_000);
  t.notOk(through(20_000, 1_000, 50_000).includes(true));
  through(0, 1_000, 0);
  t.ok(through(20_000, 1_000, 10_000).at(-1));
});

t.test('burst - a load that stays has one, however it swings about the bound', async (t) => {
  const through = gateway();
  const said = Array.from({ length: 600 }, (_, n) => through(n % 3 === 2 ? 900 : 1_300, 100, 10)).flat();
  // Shorter ones are the pauses between jobs.
  const holds =
    said
      .map(Number)
      .join('')
      .match(/1{20,}/g) ?? [];
  const held = holds.join('').length * 10;
  t.ok(held > 3_000 && held <= 5_100, `held for ${held} ms`);
  t.notOk(said.slice(-1_000).map(Number).join('').includes('1'.repeat(20)), 'and not at the end');
});
