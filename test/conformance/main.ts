/**
 * npm run conformance -- --pairs DIR [-o json|table] [--write]
 *
 * How much of what other converters say of the same messages our events say too: the share by kind
 * of fact, and every difference. `--write` fixes the facts of DIR in the committed list.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { differencesPath, factsPath, pairsFolder, pairsIn, verdictsOf } from './pairs.ts';
import { factLines, type Row, reasonsIn, shares, total } from './report.ts';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: pairsFolder },
    output: { type: 'string', short: 'o', default: 'table' },
    write: { type: 'boolean', default: false },
  },
});
const { pairs: folder, output } = values;
if (output !== 'table' && output !== 'json') fail(`-o: ${output} is neither table nor json`);
const names = pairsIn(folder);
if (names.length === 0) fail(`--pairs: there is no NAME.hl7 beside a NAME.expected.fhir.json in ${folder}`);
const rows: Row[] = names.flatMap((pair) =>
  verdictsOf(folder, pair).map((verdict) => ({ pair, ...verdict })),
);
if (values.write) writeFileSync(factsPath, factLines(rows));
const reasons = reasonsIn(readFileSync(differencesPath, 'utf8'));
const differences = rows
  .filter((row) => !row.equal)
  .map(({ pair, fact, ours }) => ({
    pair,
    kind: fact.kind,
    key: fact.key,
    theirs: fact.said,
    ours: ours ?? null,
    reason: reasons.get(`${pair}\t${fact.key}`) ?? '',
  }));
const all = total(rows);
if (output === 'json') {
  process.stdout.write(
    `${JSON.stringify({ pairs: names.length, ...all, kinds: shares(rows), differences })}\n`,
  );
} else {
  for (const one of differences) {
    process.stdout.write(`${one.pair}  ${one.kind}  ${one.key}\n  theirs ${JSON.stringify(one.theirs)}\n`);
    process.stdout.write(`  ours   ${JSON.stringify(one.ours)}\n  ${one.reason || 'NO REASON GIVEN'}\n`);
  }
  process.stdout.write(`\n${'kind of fact'.padEnd(28)}${'facts'.padStart(7)}${'kept'.padStart(7)}  share\n`);
  for (const { kind, facts, kept, share } of [...shares(rows), { kind: 'all', ...all }])
    process.stdout.write(
      `${kind.padEnd(28)}${String(facts).padStart(7)}${String(kept).padStart(7)}  ${share.toFixed(4)}\n`,
    );
  process.stdout.write(`${names.length} pairs, ${differences.length} differences\n`);
}

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}
