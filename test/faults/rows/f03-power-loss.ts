/**
 * F3 and F4: the journal as a power cut would have left it. The real gateway writes under a
 * recorder; each answer is marked when the sender has it; images are built for moments before and
 * after answers, and each must hold every answered record, readable by the code that recovers.
 * F4 is the same with the host staying up: the images are opened on the boot that wrote them.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivate } from '../../../gateway/process/keys.ts';
import { Rig, send } from '../rig.ts';
import type { Row, RowContext, RowResult } from '../row.ts';
import { assertComplete, crashImages, cutPoints } from '../tools/images.ts';
import { buildPreload } from '../tools/native.ts';
import { appendMark, readRecording } from '../tools/recording.ts';

const noCompiler = () =>
  spawnSync('gcc', ['--version']).status === 0 ? '' : 'no gcc to build the recorder with';

export const f03: Row = {
  id: 'F3',
  title: 'power loss: every answered record is in every image',
  available: noCompiler,
  run: (context) => powerLoss(context, {}),
};

export const f04: Row = {
  id: 'F4',
  title: 'storage loses writes while the host stays up',
  available: noCompiler,
  // A wider gap between a write and its durability: what answers too early is caught in fewer images.
  run: (context) => powerLoss(context, { HILUM_REC_SYNC_DELAY_US: '2000' }),
};

async function powerLoss(context: RowContext, env: Record<string, string>): Promise<RowResult> {
  const messages = context.short ? 200 : 2_000;
  const points = context.short ? 12 : 200;
  const preload = buildPreload('recorder', context.folder) as string;
  const log = join(context.folder, 'recording');
  const rig = new Rig(context);
  await rig.prepare();
  await rig.startGateway({
    preload: [preload],
    env: { HILUM_REC_LOG: log, HILUM_REC_SUFFIX: 'data.mdb', ...env },
  });
  const sending = send(rig, {
    first: 0,
    count: messages,
    connections: 12,
    onAnswer: (n) => appendMark(log, n),
  });
  await sending.done;
  await rig.killGateway();
  const file = join(rig.gatewayData, 'journal', 'data.mdb');
  const recording = readRecording(log);
  assertComplete(recording, file);
  const failures: string[] = [];
  const directories = recording.directoryFlushes.map(({ path }) => path);
  if (
    !directories.some((path) => path.endsWith('/journal')) ||
    !directories.some((path) => path.endsWith('/gateway'))
  ) {
    failures.push('the directories of a new journal were not flushed');
  }
  const key = readFileSync(join(rig.gatewayData, 'key'));
  let images = 0;
  let bad = 0;
  const wanted = cutPoints(recording, points, context.random);
  for (const image of crashImages(recording, file, wanted, context.random)) {
    if (image.marks.length === 0) continue;
    images += 1;
    const folder = join(context.folder, 'image');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, 'journal'), { recursive: true });
    writePrivate(join(folder, 'key'), key);
    writeFileSync(join(folder, 'journal', 'data.mdb'), image.bytes);
    const problem = examine(context, folder, image.marks.length);
    if (problem === '') continue;
    bad += 1;
    if (failures.length < 3) failures.push(`image at moment ${image.at} (${image.damage}): ${problem}`);
    if (images % 30 === 0) context.progress(`${images} images`);
  }
  if (images === 0) failures.push('no image had an answered record, so nothing was shown');
  if (bad > 3) failures.push(`${bad} of ${images} images were bad`);
  return { failures, figures: `answered ${sending.answered()}, images ${images}, bad ${bad}` };
}

/** The offline checker of the product opens every row; all that was answered must be accounted for. */
function examine(context: RowContext, folder: string, answered: number): string {
  const program = join(context.dist, 'gateway', 'main.js');
  const run = spawnSync(process.execPath, [program, 'journal', 'verify', '--data', folder, '-o', 'json'], {
    encoding: 'utf8',
  });
  if (run.status === null) return `opening it ended by ${run.signal}`;
  let report: {
    whole: boolean;
    rows: Record<string, number>;
    custody: { accepted: number }[];
    damaged: { reason: string }[];
  };
  try {
    report = JSON.parse(run.stdout) as typeof report;
  } catch {
    return `it could not be opened (exit ${run.status})`;
  }
  if (!report.whole) return `it is not whole: ${report.damaged[0]?.reason ?? 'custody does not add up'}`;
  const accepted = report.custody.reduce((sum, one) => sum + one.accepted, 0);
  return accepted >= answered ? '' : `${answered} were answered and ${accepted} are there`;
}
