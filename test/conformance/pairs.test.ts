/**
 * What other people's converters say of the same messages is in our events: 0.95 of all facts, and
 * every one of patient identity, status and time but those where the Bundle says what the message
 * does not (differences.tsv gives the reason for each).
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { vital } from './facts.ts';
import { differencesPath, factsPath, pairsFolder, pairsIn, verdictsOf } from './pairs.ts';
import { factLines, type Row, reasonsIn, shares, total } from './report.ts';

const names = pairsIn(pairsFolder);
const skip = names.length > 0 ? false : 'corpus not present (HILUM_CORPUS)';
const shareMin = 0.95;

const rows: Row[] = names.flatMap((pair) =>
  verdictsOf(pairsFolder, pair).map((verdict) => ({ pair, ...verdict })),
);
const reasons = reasonsIn(readFileSync(differencesPath, 'utf8'));

t.test('conformance - the facts of the other converters are the committed ones', { skip }, async (t) => {
  t.equal(
    factLines(rows),
    readFileSync(factsPath, 'utf8'),
    'npm run conformance -- --write would change nothing',
  );
});

t.test('conformance - at least 0.95 of all facts are kept', { skip }, async (t) => {
  const all = total(rows);
  t.ok(all.share >= shareMin, `${all.kept} of ${all.facts} are kept`);
  for (const { kind, kept, facts } of shares(rows)) t.comment(`${kind}: ${kept} of ${facts}`);
});

t.test(
  'conformance - of identity, status and time every fact is kept that the message states',
  { skip },
  async (t) => {
    const lost = rows.filter(
      ({ equal, fact, pair }) => !equal && vital.has(fact.kind) && !reasons.has(`${pair}\t${fact.key}`),
    );
    t.same(
      lost.map(({ pair, fact }) => `${pair} ${fact.key}`),
      [],
    );
    // A reason is no way out: where ours is right is rare, and the list is looked at when it grows.
    t.equal(
      rows.filter(({ equal, fact }) => !equal && vital.has(fact.kind)).length,
      // Nine of them are times that MSH-7's offset is the default of.
      4,
      'differences of a vital kind',
    );
  },
);

t.test('conformance - every difference has its reason, and no reason is left over', { skip }, async (t) => {
  const differences = rows.filter(({ equal }) => !equal).map(({ pair, fact }) => `${pair}\t${fact.key}`);
  t.same([...reasons.keys()].sort(), differences.sort());
  for (const reason of reasons.values()) t.ok(reason.length > 20, reason);
});
