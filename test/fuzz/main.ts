/**
 * `npm run fuzz -- [--seconds N] [--seed S] [--cases N] [--first N]`: damaged messages through the scanner and the
 * whole mapper, until the time is over. Whatever throws, hangs, grows, or does not read back as it was written is
 * shown with the least bytes that do it, and the run ends with 1.
 */
import { parseArgs } from 'node:util';
import { seedOfThisRun } from '../kit/random.ts';
import { findingText, fuzz, megabytes } from './run.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    seed: { type: 'string' },
    cases: { type: 'string' },
    first: { type: 'string', default: '0' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  process.stdout.write('npm run fuzz -- [--seconds N] [--seed S] [--cases N] [--first N]\n');
  process.exit(0);
}
const seed = values.seed === undefined ? seedOfThisRun() : Number(values.seed) >>> 0;
const cases = Number(values.cases ?? Number.MAX_SAFE_INTEGER);
const seconds = Number(values.seconds ?? (values.cases === undefined ? 60 : 3_600));
const first = Number(values.first);
if (![seed, cases, seconds, first].every((one) => Number.isFinite(one) && one >= 0)) {
  process.stderr.write('--seconds, --seed, --cases and --first are numbers.\n');
  process.exit(2);
}
process.stderr.write(`seed ${seed}\n`);
const report = await fuzz({ seed, cases, seconds, first });
for (const finding of report.findings) process.stdout.write(`${findingText(finding, seed)}\n`);
const outcomes = Object.entries(report.outcomes).sort(([, a], [, b]) => b - a);
process.stdout.write(
  `${report.cases} cases: ${outcomes.map(([name, count]) => `${name || 'fault'} ${count}`).join(', ')}\n`,
);
process.stdout.write(`heap ${report.heap.slice(-20).map(megabytes).join(' ')}\n`);
for (const [title, ones] of [
  ['slowest', report.slowest],
  ['most out', report.swollen],
] as const)
  for (const { number, ms, bytesIn, bytesOut, from } of ones)
    process.stdout.write(
      `${title}: case ${number}, ${ms} ms, ${bytesIn} bytes in, ${bytesOut} out (${from.slice(0, 160)})\n`,
    );
process.stdout.write(`${report.findings.length} findings\n`);
process.exit(report.findings.length === 0 ? 0 : 1);
