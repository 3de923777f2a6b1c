/** The recorder and its power-cut images, proved on LMDB itself. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { assertComplete, crashImages, cutPoints } from '../faults/tools/images.ts';
import { checkImages, type ImageCase, type Mode } from '../faults/tools/lmdb-checker.ts';
import { buildPreload } from '../faults/tools/native.ts';
import { appendMark, type Recording, readRecording } from '../faults/tools/recording.ts';
import { nodeArgsFor, projectRoot } from './paths.ts';
import { startProcess } from './process.ts';
import { seededRandom, seedOfThisRun } from './random.ts';

const seed = seedOfThisRun();
const scratch = t.testdir();
const recorder = buildPreload('recorder', scratch);
const skip = recorder === undefined ? 'no gcc' : false;
const rounds = 150;

async function record(test: Test, mode: Mode): Promise<{ recording: Recording; file: string }> {
  const folder = join(scratch, mode);
  const log = join(scratch, `${mode}.rec`);
  const writer = startProcess(test, {
    name: `writer-${mode}`,
    folder: join(scratch, 'out'),
    args: [...nodeArgsFor(import.meta.url, '../faults/tools/lmdb-writer.ts'), folder, String(rounds), mode],
    cwd: projectRoot,
    preload: [recorder!],
    // Slower flushes widen the window in which a premature promise shows.
    env: {
      HILUM_REC_LOG: log,
      HILUM_REC_SUFFIX: 'data.mdb',
      HILUM_REC_SYNC_DELAY_US: mode === 'safe' ? '0' : '500',
    },
  });
  const { code } = await writer.waitForExit(60_000);
  test.equal(code, 0, `the ${mode} writer ends well`);
  return { recording: readRecording(log), file: join(folder, 'data.mdb') };
}

async function verdictsOf(test: Test, mode: Mode, points: number): Promise<Record<string, number>> {
  const { recording, file } = await record(test, mode);
  assertComplete(recording, file);
  test.equal(recording.marks.length, rounds, 'every promise left a mark');
  const random = seededRandom(seed);
  const cases: ImageCase[] = [];
  const names: string[] = [];
  let pending = 0;
  for (const image of crashImages(recording, file, cutPoints(recording, points, random), random)) {
    const folder = join(scratch, `${mode}-images`, String(cases.length));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'data.mdb'), image.bytes);
    cases.push({ folder, promised: image.marks.at(-1) ?? -1 });
    names.push(image.damage);
    if (image.pendingWrites > 0) pending += 1;
  }
  const verdicts = await checkImages(cases, mode, scratch);
  const tally: Record<string, number> = {};
  verdicts.forEach((verdict, index) => {
    const name = `${names[index]} ${verdict.replace(/\d+/g, 'n')}`;
    tally[name] = (tally[name] ?? 0) + 1;
  });
  const flushes = recording.flushes.length;
  const durable = recording.writes.filter((write) => write.durable).length;
  test.comment(
    `seed ${seed} ${mode}: ${cases.length} images, ${pending} with pending writes, ` +
      `${recording.writes.length} writes (${durable} O_DSYNC), ${flushes} flushes: ${JSON.stringify(tally)}`,
  );
  return tally;
}

t.test(
  'recorder - 300 power cuts keep every promised record with overlappingSync off',
  { skip },
  async (t) => {
    const tally = await verdictsOf(t, 'safe', 100);
    t.strictSame(
      Object.keys(tally).filter((name) => !name.endsWith(' ok')),
      [],
      JSON.stringify(tally),
    );
  },
);

t.test('recorder - a promise made before the commit is caught', { skip }, async (t) => {
  const tally = await verdictsOf(t, 'early', 40);
  t.ok(
    Object.keys(tally).some((name) => !name.endsWith(' ok')),
    JSON.stringify(tally),
  );
});

// Seen: some 8 of 300 images lose promised records or do not open. Too few to assert in a short test.
t.test('recorder - the default setting is recorded whole', { skip }, async (t) => {
  const tally = await verdictsOf(t, 'flushed', 40);
  t.equal(
    Object.values(tally).reduce((a, b) => a + b),
    120,
    JSON.stringify(tally),
  );
});

t.test('recorder - a write that was missed is noticed', { skip }, async (t) => {
  const recording = readRecording(join(scratch, 'safe.rec'));
  const file = join(scratch, 'safe', 'data.mdb');
  assertComplete(recording, file);
  const one = recording.writes.findLastIndex((write) => write.data.length > 500);
  const short = { ...recording, writes: recording.writes.toSpliced(one, 1) };
  t.throws(() => assertComplete(short, file), /differs at byte/);
});

t.test('recording - a mark from outside stands behind what was recorded', { skip }, async (t) => {
  const log = join(scratch, 'safe.rec');
  const before = readRecording(log);
  appendMark(log, 4242);
  const after = readRecording(log);
  t.strictSame(after.marks.at(-1), { n: 4242, at: before.moments });
});
