/**
 * P6: scan, map and encode on one core: of a 1 KB and a 10 KB result and of the corpus, beside a lazy read of
 * the same messages, and beside the other parsers, which read the same fields and do nothing else.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../kit/paths.ts';
import { alternate, pairOf } from '../alternate.ts';
import { runTool } from '../limits.ts';
import { type SetFigures, type SetName, setNames } from '../message-sets.ts';
import { type ParserFigures, parserNames } from '../parsers.ts';
import type { Run } from '../run.ts';

type Sets<T> = Partial<Readonly<Record<SetName, T>>>;
type Ours = SetFigures & { readonly eventsEach: number; readonly encodedBytes: number };

const peersInstalled = () => existsSync(join(projectRoot, 'test/bench/peers/node_modules'));
const needsNothing = new Set(['eager split', 'hl7-standard']);

export async function p6(run: Run): Promise<void> {
  const flags = ['--seconds', String(run.sizes.seconds / 3)];
  const peers = parserNames.filter((name) => needsNothing.has(name) || peersInstalled());
  const read = new Map<string, Sets<ParserFigures>[]>();
  const { limits, ours } = await alternate(
    run.sizes.rounds,
    () => runTool<Sets<SetFigures>>('lazy-read', flags),
    async () => {
      const found = await runTool<Sets<Ours>>('map-encode', flags);
      for (const name of peers) {
        const figures = await runTool<Sets<ParserFigures>>('parsers', ['--parser', name, ...flags]);
        read.set(name, [...(read.get(name) ?? []), figures]);
      }
      return found;
    },
  );
  for (const set of setNames) {
    const one = ours[0]?.[set];
    if (one === undefined) {
      run.row({ goal: 'P6', what: set, unit: '', figure: undefined, skipped: 'no corpus (HILUM_CORPUS)' });
      continue;
    }
    const what = set === 'corpus' ? `${one.messages} messages of the corpus` : `${one.bytes} bytes`;
    const rates = ours.map((each) => each[set]!.rate);
    const pair = (others: readonly Sets<SetFigures>[]) =>
      pairOf(
        rates,
        others.map((each) => each[set]!.rate),
      );
    const row = { goal: 'P6', unit: 'msg/s' };
    run.row({
      ...row,
      what: `scan + map + encode, ${what}`,
      ...pair(limits),
      firstAim: 0.1,
      moonshot: 0.3,
    });
    for (const [name, figures] of read)
      run.row({ ...row, what: `… beside ${name}, ${set}`, ...pair(figures) });
    run.remark(
      'P6',
      `${what}: ${one.bytes} bytes and ${one.usEach} µs each, ${one.encodedBytes} bytes encoded`,
    );
    const failed = [...read].flatMap(([name, [first]]) => {
      const count = first?.[set]?.failed ?? 0;
      return count === 0 ? [] : [`${name} ${count}`];
    });
    if (failed.length > 0) run.remark('P6', `${what}: refused by ${failed.join(', ')}`);
  }
  if (!peersInstalled()) {
    const skipped = 'npm ci --ignore-scripts --prefix test/bench/peers';
    run.row({ goal: 'P6', what: 'beside the other parsers', unit: '', figure: undefined, skipped });
  }
}
