import t from 'tap';
import { defaultFloors, type Head, Lanes } from '../../gateway/prioritize/lanes.ts';
import { type Class, classes } from '../../proto/config/schema.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';

const budgetsMs = { stat: 5_000, urgent: 30_000, routine: 300_000, bulk: 3_600_000 };
const second = 1_000_000n;
const now = 1_800_000_000n * second;

const head = (lane: Class, ageS: number, cost?: number): Head => ({
  lane,
  capturedAtUs: now - BigInt(ageS) * second,
  ...(cost === undefined ? {} : { cost }),
});

/** Shares of `sends` sends while every given lane always has something. */
function shares(heads: Head[], sends = 10_000): Record<Class, number> {
  const lanes = new Lanes(budgetsMs);
  const count = { stat: 0, urgent: 0, routine: 0, bulk: 0 };
  for (let i = 0; i < sends; i++) count[lanes.next(heads, now)!] += 1 / sends;
  return count;
}

t.test('lanes - without heads there is nothing to send', async (t) => {
  t.equal(new Lanes(budgetsMs).next([], now), undefined);
});

t.test('lanes - the earliest deadline goes first', async (t) => {
  t.equal(new Lanes(budgetsMs).next([head('routine', 0), head('stat', 0)], now), 'stat');
  t.equal(new Lanes(budgetsMs).next([head('routine', 299), head('urgent', 0)], now), 'routine');
});

t.test('lanes - a fresh STAT goes before an overdue backlog', async (t) => {
  t.equal(
    new Lanes(budgetsMs).next([head('bulk', 90_000), head('routine', 7_200), head('stat', 0)], now),
    'stat',
  );
  t.equal(
    new Lanes(budgetsMs).next([head('routine', 7_200), head('urgent', 7_200), head('stat', 7_200)], now),
    'stat',
  );
});

t.test('lanes - under STAT load routine keeps a fifth and bulk a twentieth', async (t) => {
  const found = shares([head('stat', 0), head('routine', 0), head('bulk', 0)]);
  t.ok(found.routine >= 0.2 - 1e-3, `routine ${found.routine}`);
  t.ok(found.bulk >= 0.05 - 1e-3, `bulk ${found.bulk}`);
  t.ok(found.stat >= 0.7, `stat ${found.stat}`);
});

t.test('lanes - STAT keeps a half even when all others are nearer their deadline', async (t) => {
  const found = shares([head('stat', 0), head('urgent', 29), head('routine', 299), head('bulk', 3_599)]);
  t.ok(found.stat >= 0.5 - 1e-3, `stat ${found.stat}`);
});

t.test('lanes - a lane alone has everything, and owes nothing for it', async (t) => {
  const lanes = new Lanes(budgetsMs);
  for (let i = 0; i < 1_000; i++) t.equal(lanes.next([head('routine', 0)], now), 'routine');
  const after = Array.from({ length: 10 }, () => lanes.next([head('routine', 0), head('stat', 0)], now));
  t.ok(after.filter((lane) => lane === 'routine').length >= 1);
});

t.test('lanes - an idle lane saves nothing up', async (t) => {
  const lanes = new Lanes(budgetsMs);
  for (let i = 0; i < 1_000; i++) lanes.next([head('stat', 0)], now);
  t.equal(lanes.next([head('stat', 0), head('bulk', 0)], now), 'stat');
});

t.test('lanes - floors count cost, so a large bulk event waits its share of bytes', async (t) => {
  const lanes = new Lanes(budgetsMs);
  const sent = { stat: 0, bulk: 0 };
  const heads = [head('stat', 0, 1_000), head('bulk', 0, 100_000)];
  for (let i = 0; i < 50_000; i++) {
    const lane = lanes.next(heads, now) as 'stat' | 'bulk';
    sent[lane] += lane === 'stat' ? 1_000 : 100_000;
  }
  const share = sent.bulk / (sent.bulk + sent.stat);
  t.ok(share > 0.04 && share < 0.06, `bulk has ${share}`);
});

t.test('lanes - floors that leave nothing to choose are refused', async (t) => {
  t.throws(() => new Lanes(budgetsMs, { stat: 0.5, urgent: 0.5, routine: 0.2, bulk: 0.1 }), RangeError);
});

t.test(
  'lanes - any load: every waiting lane gets its floor, the same seed gives the same order',
  async (t) => {
    const seed = seedOfThisRun();
    t.comment(`HILUM_SEED=${seed}`);
    for (let round = 0; round < 50; round++) {
      const run = (): Class[] => {
        const random = seededRandom(seed + round);
        const waiting = classes.filter(() => random() < 0.7);
        const lanes = new Lanes(budgetsMs);
        return Array.from({ length: waiting.length === 0 ? 0 : 2_000 }, () => {
          const heads = waiting.map((lane) => head(lane, below(random, 8_000)));
          return lanes.next(heads, now)!;
        });
      };
      const order = run();
      for (const lane of new Set(order)) {
        const share = order.filter((one) => one === lane).length / order.length;
        t.ok(share >= defaultFloors[lane] - 0.01, `seed ${seed + round}: ${lane} has ${share}`);
      }
      // No lane that waits throughout is left out.
      const random = seededRandom(seed + round);
      t.equal(new Set(order).size, classes.filter(() => random() < 0.7).length);
      t.same(run(), order);
    }
  },
);
