/** P14: what a million remembered patients cost: memory, a lookup, a start. Stated; there is no limit beside it. */
import { runTool } from '../limits.ts';
import type { Run } from '../run.ts';

interface Figures {
  readonly patients: number;
  readonly entries: number;
  readonly indexBytes: number;
  readonly residentBytes: number;
  readonly journalBytes: number;
  readonly startMs: number;
  readonly neverSeenUs: number;
  readonly decodedUs: number;
  readonly coldUs: number;
}

const mebibyte = 1024 ** 2;

export async function p14(run: Run): Promise<void> {
  const flags = ['--dir', run.folder, '--patients', String(run.sizes.million)];
  const found = await runTool<Figures>('million-patients', flags);
  const of = `${found.patients} patients`;
  const stated = (what: string, unit: string, figure: number) =>
    run.row({ goal: 'P14', what: `${of}, ${what}`, unit, figure, smallerIsBetter: true });
  stated('index in memory', 'MB', found.indexBytes / mebibyte);
  stated('lookup of one never seen', 'µs', found.neverSeenUs);
  stated('lookup of one at hand', 'µs', found.decodedUs);
  stated('lookup from the disk', 'µs', found.coldUs);
  run.remark(
    'P14',
    `${found.entries} entries, ${Math.round(found.journalBytes / found.patients)} bytes on disk a patient with an order of 8 results, known again ${found.startMs} ms after a start`,
  );
}
