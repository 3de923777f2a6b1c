/**
 * `npm run bench`: the goals (goals/), each beside its bare limit, which is
 * measured in the same run and in turns with ours. Real daemons as processes, generators in their own.
 *
 *   npm run bench -- [P1 P2 …] [--quick] [-o json]
 *
 * Prints a table (or JSON) on standard output, progress on standard error, and writes var/bench/results.json.
 * Verdicts are printed, never asserted: a time says as much about the machine as about us. The exit code is 1
 * only where something could not be measured, or a message that was answered is not at the centre or is there
 * twice. Other parsers stand beside P6; other engines are not measured here.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../kit/paths.ts';
import { p1 } from './goals/p1-intake.ts';
import { p2 } from './goals/p2-whole-way.ts';
import { p3 } from './goals/p3-stat.ts';
import { p6 } from './goals/p6-mapping.ts';
import { p7 } from './goals/p7-drain.ts';
import { p8 } from './goals/p8-ingest.ts';
import { p9 } from './goals/p9-memory.ts';
import { p10 } from './goals/p10-start.ts';
import { p11 } from './goals/p11-idle.ts';
import { p12 } from './goals/p12-bytes.ts';
import { p13 } from './goals/p13-fill.ts';
import { p14 } from './goals/p14-patients.ts';
import { owning } from './limits.ts';
import { fullSizes, quickSizes, Run } from './run.ts';
import { table, tableJson } from './table.ts';

/** In this order: P9 to P7 share one stack and one backlog, which P7 drains. */
const goals = {
  P1: p1,
  P2: p2,
  P3: p3,
  P6: p6,
  P8: p8,
  P11: p11,
  P12: p12,
  P9: p9,
  P13: p13,
  P10: p10,
  P14: p14,
  P7: p7,
};
type Goal = keyof typeof goals;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    output: { type: 'string', short: 'o', default: 'table' },
    help: { type: 'boolean', default: false },
  },
});
const wanted = positionals.map((name) => name.toUpperCase());
const unknown = wanted.filter((name) => !(name in goals));
if (values.help || unknown.length > 0 || !['table', 'json'].includes(values.output)) {
  const known = Object.keys(goals).join(' ');
  process.stderr.write(`npm run bench -- [goals] [--quick] [-o json|table]\ngoals: ${known}\n`);
  process.exit(values.help ? 0 : 2);
}

const folder = join(projectRoot, 'var', 'bench');
mkdirSync(folder, { recursive: true });
const startedAt = performance.now();
const loadBefore = loadavg();
let failed = false;
const run = await owning(async (owner) => {
  const all = new Run(owner, folder, values.quick ? quickSizes : fullSizes);
  for (const name of Object.keys(goals) as Goal[]) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const from = performance.now();
    process.stderr.write(`${name} …\n`);
    try {
      await goals[name](all);
    } catch (error) {
      failed = true;
      all.remark(name, `not measured: ${(error as Error).stack ?? String(error)}`);
      const reason = (error as Error).message.split('\n')[0] ?? '';
      all.row({ goal: name, unit: '', figure: undefined, skipped: reason });
    }
    process.stderr.write(`${name} took ${((performance.now() - from) / 1000).toFixed(0)} s\n`);
  }
  return all;
});
const about = {
  at: new Date().toISOString(),
  quick: values.quick,
  seconds: Math.round((performance.now() - startedAt) / 1000),
  node: process.version,
  machine: { cpus: cpus().length, model: cpus()[0]?.model, memoryBytes: totalmem() },
  loadAverage: { before: loadBefore, after: loadavg() },
  sizes: run.sizes,
  remarks: run.remarks,
};
const json = tableJson(run.rows, about);
writeFileSync(join(folder, 'results.json'), `${json}\n`);
if (values.output === 'json') console.log(json);
else {
  console.log(`\n${table(run.rows)}\n`);
  const { cpus: cores } = about.machine;
  const [before, after] = [loadBefore[0]!.toFixed(1), loadavg()[0]!.toFixed(1)];
  console.log(
    `${about.seconds} s, ${cores} cores, load average ${before} before and ${after} after; var/bench/results.json`,
  );
}
if (values.quick && values.output !== 'json') {
  console.log('--quick: fewer messages and rounds than the goals name; its verdicts are hints.');
}
if (run.broken) console.error('messages were lost or doubled: see the remarks');
process.exitCode = run.broken || failed ? 1 : 0;
