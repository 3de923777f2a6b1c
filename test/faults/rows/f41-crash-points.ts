/**
 * F41: kill -9 at every call by which a process changes its data directory, one after the other: through the first start
 * of each daemon, what an administrator and a new gateway change at the control plane, an enrollment, and a compaction.
 * Started again without help, all that was answered is there, nothing stands without its entry in the trail, and nothing
 * of the crash is left.
 *
 * F42 is the same with a disk on which that one call fails: the process says so and ends with 75, or does without it.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { below } from '../../kit/random.ts';
import type { Row, RowContext, RowResult } from '../row.ts';
import { changesIn, crashPoints, type Harm, underCrash } from '../tools/crash.ts';
import { buildPreload } from '../tools/native.ts';
import { administration } from './crash/administration.ts';
import { compaction } from './crash/compaction.ts';
import { enrollment } from './crash/enrollment.ts';
import { firstGateway } from './crash/first-gateway.ts';
import { firstPlane } from './crash/first-plane.ts';
import { Lives } from './crash/lives.ts';

/** One thing that a process does with its data directory. */
export interface Doing {
  readonly name: string;
  /** What stands there before. */
  prepare?(lives: Lives, data: string): Promise<void>;
  /** From the start of the process to its end, which may come at any moment; answers what was promised. */
  run(lives: Lives, data: string): Promise<readonly string[]>;
  /** Started again: what is wrong. */
  after(lives: Lives, data: string, promised: readonly string[]): Promise<readonly string[]>;
}

const doings: readonly Doing[] = [firstPlane, firstGateway, administration, enrollment, compaction];

export const f41: Row = {
  id: 'F41',
  title: 'kill -9 at every change of the data directory, one after the other',
  available: () => (spawnSync('gcc', ['--version']).status === 0 ? '' : 'no gcc to build the kill with'),
  run: (context) => everyPoint(context, 'kill'),
};

export const f42: Row = {
  id: 'F42',
  title: 'a disk on which one change of the data directory fails, one after the other',
  available: f41.available as () => string,
  run: (context) => everyPoint(context, 'EIO'),
};

async function everyPoint(context: RowContext, how: Harm): Promise<RowResult> {
  const preload = buildPreload('crash', context.folder) as string;
  const failures: string[] = [];
  const tried: string[] = [];
  // In the tests one point of one of them, by the seed: over many runs they are all of them.
  const some = context.short ? doings.slice(below(context.random, doings.length)).slice(0, 1) : doings;
  for (const doing of some) {
    const count = new Trial(context, doing, preload, 0, how);
    const [wrong, changes] = await count.run();
    failures.push(...wrong.map((what) => `${doing.name}, nothing happened: ${what}`));
    const points = crashPoints(changes);
    const chosen = context.short ? [points[below(context.random, points.length)]] : points;
    for (const point of chosen) {
      if (point === undefined) continue;
      const [wrong] = await new Trial(context, doing, preload, point.number, how).run();
      const where = `${doing.name}, ${how} at change ${point.number} (${point.call} ${count.within(point.path)})`;
      failures.push(...wrong.map((what) => `${where}: ${what}`));
    }
    tried.push(`${doing.name} ${chosen.length} of ${points.length}`);
    context.progress(tried.at(-1) ?? '');
  }
  const more = failures.length - failuresMax;
  return {
    failures: more > 0 ? [...failures.slice(0, failuresMax), `and ${more} more`] : failures,
    figures: `points: ${tried.join(', ')}; wrong ${failures.length}`,
  };
}

const failuresMax = 20;

/** One run of it in a folder of its own. */
class Trial {
  readonly #doing: Doing;
  readonly #folder: string;
  readonly #data: string;
  readonly #lives: Lives;
  readonly #log: string;

  constructor(context: RowContext, doing: Doing, preload: string, at: number, how: Harm) {
    this.#doing = doing;
    this.#folder = join(context.folder, `${doing.name}-${at}`);
    this.#data = join(this.#folder, 'data');
    this.#log = join(this.#folder, 'changes');
    mkdirSync(this.#folder, { recursive: true });
    this.#lives = new Lives(context, this.#folder, () =>
      underCrash({ preload, folder: this.#data, log: this.#log, at, how }),
    );
  }

  within(path: string): string {
    return path.slice(this.#data.length + 1) || '.';
  }

  async run() {
    const { prepare, run, after } = this.#doing;
    await prepare?.(this.#lives, this.#data);
    const promised = await run(this.#lives, this.#data);
    const changes = changesIn(this.#log);
    const wrong = [
      ...this.#lives.badEnds(),
      ...(await after(this.#lives, this.#data, promised)),
      ...this.#left(this.#data),
    ];
    if (wrong.length === 0) rmSync(this.#folder, { recursive: true, force: true });
    return [wrong, changes] as const;
  }

  /** What nobody made on purpose, or others than its owner may read. */
  #left(folder: string): string[] {
    return readdirSync(folder, { recursive: true }).flatMap((name) => {
      const file = join(folder, String(name));
      const { mode } = lstatSync(file);
      const wide = (mode & 0o77) !== 0 && !String(name).endsWith('settings.yaml');
      return [
        ...(/\.(unfinished|new|tmp|trial)$/.test(file) ? [`${this.within(file)} is left`] : []),
        ...(wide ? [`${this.within(file)} has the mode ${(mode & 0o777).toString(8)}`] : []),
      ];
    });
  }
}
