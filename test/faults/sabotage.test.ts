/** Builds that break a promise on purpose must be caught by their row, in its short mode. */
import t from 'tap';
import { rows } from './rows.ts';
import { runSabotage, sabotages } from './sabotage.ts';
import { checkVerdict, misplacedRows, rowLimitMs, shortOptions, whyNot } from './short.ts';

const options = shortOptions('sabotage');

t.test('fault table - every row is in exactly one test file', async (t) => {
  t.same(misplacedRows(), []);
});

for (const sabotage of sabotages) {
  const missing = whyNot(rows.find(({ id }) => id === sabotage.row));
  const title = `sabotage - ${sabotage.title}: caught by ${sabotage.row}`;
  t.test(title, { skip: missing !== '' && missing, timeout: rowLimitMs }, async (t) => {
    checkVerdict(t, await runSabotage(sabotage, options));
  });
}
