/**
 * F3 and F4: the journal as a power cut would have left it. The real gateway writes under a
 * recorder; each answer is marked when the sender has it; images are built for moments before and
 * after answers, and each must hold every answered record, readable by the code that recovers.
 * F4 is the same with the host staying up: the images are opened on the boot that wrote them.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { writePrivate } from '../../../gateway/process/keys.ts';
import { nodeArgsFor } from '../../kit/paths.ts';
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
  const messages = context.short ? 300 : 2_000;
  const points = context.short ? 70 : 400;
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
  const examiner = new Examiner(context.dist);
  context.teardown(() => examiner.stop());
  let images = 0;
  let bad = 0;
  const wanted = cutPoints(recording, points, context.random);
  for (const image of crashImages(recording, file, wanted, context.random)) {
    if (image.marks.length === 0) continue;
    images += 1;
    const folder = join(context.folder, `image-${images}`);
    mkdirSync(join(folder, 'journal'), { recursive: true });
    writePrivate(join(folder, 'key'), key);
    writeFileSync(join(folder, 'journal', 'data.mdb'), image.bytes);
    const problem = await examiner.examine(folder, image.marks.length);
    rmSync(folder, { recursive: true, force: true });
    if (problem === '') continue;
    bad += 1;
    if (failures.length < 3) failures.push(`image at moment ${image.at} (${image.damage}): ${problem}`);
    if (images % 30 === 0) context.progress(`${images} images`);
  }
  if (images === 0) failures.push('no image had an answered record, so nothing was shown');
  if (bad > 3) failures.push(`${bad} of ${images} images were bad`);
  return { failures, figures: `answered ${sending.answered()}, images ${images}, bad ${bad}` };
}

interface Examined {
  problem: string;
  report?: {
    whole: boolean;
    rows: Record<string, number>;
    custody: { accepted: number }[];
    damaged: { reason: string }[];
  };
}

/** So long for one image, which takes some 20 ms: lmdb can turn for ever in what is no tree any more. */
const examineMs = 30_000;

/** The product's own offline checker, kept running over many images; one that crashes or holds it is a bad image. */
class Examiner {
  readonly #dist: string;
  #child: ChildProcess | undefined;
  #lines: AsyncIterator<string> | undefined;

  constructor(dist: string) {
    this.#dist = dist;
  }

  /** '' when everything that was answered is there, whole and readable. */
  async examine(folder: string, answered: number): Promise<string> {
    if (this.#child === undefined) this.#start();
    const child = this.#child as ChildProcess;
    child.stdin?.write(`${folder}\n`);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, examineMs);
    const line = await this.#lines?.next();
    clearTimeout(timer);
    if (line === undefined || line.done === true) {
      this.#child = undefined;
      await new Promise((resolve) =>
        child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve(0),
      );
      const how = child.signalCode ?? `exit ${child.exitCode}`;
      return late ? `opening it did not end in ${examineMs / 1000} s` : `opening it ended by ${how}`;
    }
    const { problem, report } = JSON.parse(line.value) as Examined;
    if (report === undefined) return `it could not be opened: ${problem}`;
    if (!report.whole) return `it is not whole: ${report.damaged[0]?.reason ?? 'custody does not add up'}`;
    const accepted = report.custody.reduce((sum, one) => sum + one.accepted, 0);
    return accepted >= answered ? '' : `${answered} were answered and ${accepted} are there`;
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
  }

  #start(): void {
    const args = [...nodeArgsFor(import.meta.url, '../tools/journal-checker.ts'), this.#dist];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.on('error', () => undefined);
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }
}
