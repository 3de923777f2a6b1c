/** What the trail keeps of a gateway's connects. */
import t from 'tap';
import { Connects } from '../../control-plane/audit/connects.ts';
import { openCentre } from './hub-kit.ts';

t.test(
  'connects - of many in an hour some stand in the trail, and one says how many were left out',
  async (t) => {
    let nowMs = 0;
    const connects = new Connects(() => nowMs);
    const took = (count: number) => Array.from({ length: count }, () => connects.took('g'));
    t.same(took(10), new Array(10).fill(0));
    t.same(took(90), new Array(90).fill(undefined));
    t.equal(connects.took('other'), 0, 'each gateway for itself');
    nowMs += 3_599_999;
    t.same(took(1), [undefined]);
    nowMs += 1;
    t.same(took(2), [91, 0]);
  },
);

t.test('connects - two that take the line from each other do not fill the trail', async (t) => {
  const centre = await openCentre(t.testdir());
  t.teardown(() => centre.close());
  for (let n = 0; n < 50; n += 1) await centre.connect('g', 1n);
  const connected = (await centre.state.audit.list(0n, 1_000)).filter(({ action }) => action === 'connected');
  t.equal(connected.length, 10);
});
