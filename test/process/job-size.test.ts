/** A job is small while urgent records come, and for some seconds after. */
import t from 'tap';
import { createJobSize } from '../../gateway/job-size.ts';

t.test('job size - small while STAT or urgent records come, and for 5 s after the last', async (t) => {
  for (const guess of ['stat', 'urgent'] as const) {
    const size = createJobSize();
    t.equal(size.recordsMax('routine', 0), 64, 'none came yet');
    t.equal(size.recordsMax(guess, 1_000), 16);
    t.equal(size.recordsMax('routine', 5_999), 16);
    t.equal(size.recordsMax('bulk', 6_000), 64);
  }
});
