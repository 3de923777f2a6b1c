/**
 * `npm run faults -- [ROW …] [--short] [--seed S] [-o json] [--list]`: each row makes one fault of the
 * fault table happen to the built daemons and prints one verdict with its figures. `sabotage` runs
 * the named rows against builds that break a promise on purpose, and passes when they are caught.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../kit/paths.ts';
import { rows } from './rows.ts';
import { runRow, type Verdict, verdictLine } from './run-row.ts';
import { runSabotage, sabotages } from './sabotage.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string' },
    output: { type: 'string', short: 'o', default: 'text' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help || values.list) {
  if (values.help)
    process.stdout.write('npm run faults -- [ROW …] [--short] [--seed S] [-o json] [--list]\n\n');
  for (const { id, title } of rows) process.stdout.write(`${id.padEnd(5)} ${title}\n`);
  for (const { id, title, row } of sabotages)
    process.stdout.write(`${id.padEnd(5)} sabotage: ${title}, to be caught by ${row}\n`);
  process.exit(0);
}

const wanted = positionals.map((word) => word.toUpperCase());
const unknown = wanted.filter(
  (id) => id !== 'SABOTAGE' && ![...rows, ...sabotages].some((one) => one.id === id),
);
if (unknown.length > 0) {
  process.stderr.write(`There is no row ${unknown.join(', ')}; --list shows them.\n`);
  process.exit(2);
}
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const folder = join(projectRoot, 'var', 'faults');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
process.stderr.write(`seed ${seed}\n`);
const options = { folder, dist: join(projectRoot, 'dist'), short: values.short, seed };
const verdicts: Verdict[] = [];
const tell = (verdict: Verdict) => {
  verdicts.push(verdict);
  if (values.output !== 'json') process.stdout.write(`${verdictLine(verdict)}\n`);
};
for (const row of rows) {
  if (wanted.length === 0 || wanted.includes(row.id)) tell(await runRow(row, options));
}
for (const sabotage of sabotages) {
  if (wanted.length === 0 || wanted.includes('SABOTAGE') || wanted.includes(sabotage.id))
    tell(await runSabotage(sabotage, options));
}
if (values.output === 'json') process.stdout.write(`${JSON.stringify(verdicts, null, 2)}\n`);
process.exit(verdicts.some(({ outcome }) => outcome === 'FAIL') ? 1 : 0);
