/**
 * The table that `npm run bench` ends with: each goal with its figure, the limit measured in the same run,
 * their ratio, the first aim and a verdict. As aligned text for people, as JSON for machines.
 * Invariant: a row without a figure says why; it never passes.
 */

export interface BenchRow {
  /** 'P1'. */
  readonly goal: string;
  /** 'intake at 64 connections'. */
  readonly what?: string;
  readonly unit: string;
  /** What our daemon reached; undefined where the row did not run. */
  readonly figure: number | undefined;
  /** What the disk or the library alone reached, in the same run; undefined where the aim is absolute. */
  readonly limit?: number | undefined;
  /** Ratios of the single pairs, lowest and highest. */
  readonly spread?: readonly [number, number] | undefined;
  /** Undefined where a goal only wants the figure stated. */
  readonly firstAim?: number | undefined;
  readonly moonshot?: number | undefined;
  /** Aims are floors (a ratio of rates) unless said otherwise (latencies, memory, time). */
  readonly smallerIsBetter?: boolean;
  /** Why it did not run. */
  readonly skipped?: string;
}

export type Verdict = 'moonshot' | 'reached' | 'missed' | 'stated' | 'skipped';

export interface JudgedRow extends BenchRow {
  /** Figure over limit, or the figure itself where there is no limit. */
  readonly ratio: number | undefined;
  readonly verdict: Verdict;
}

export function judge(row: BenchRow): JudgedRow {
  if (row.figure === undefined) return { ...row, ratio: undefined, verdict: 'skipped' };
  const ratio = row.limit === undefined ? row.figure : row.figure / row.limit;
  const meets = (aim: number | undefined) =>
    aim !== undefined && (row.smallerIsBetter ? ratio <= aim : ratio >= aim);
  if (row.firstAim === undefined) return { ...row, ratio, verdict: 'stated' };
  const verdict = meets(row.moonshot) ? 'moonshot' : meets(row.firstAim) ? 'reached' : 'missed';
  // NaN meets nothing.
  return { ...row, ratio, verdict };
}

export function table(rows: readonly BenchRow[]): string {
  const head = [
    'goal',
    'what',
    'unit',
    'figure',
    'limit',
    'ratio',
    'spread',
    'first aim',
    'moonshot',
    'verdict',
  ];
  const lines = rows.map(judge).map((row) => {
    const sign = row.smallerIsBetter ? '<=' : '>=';
    const aims = [row.firstAim, row.moonshot].map((aim) =>
      aim === undefined ? '-' : `${sign} ${short(aim)}`,
    );
    const spread = row.spread === undefined ? '' : row.spread.map(short).join('..');
    const ratio = short(row.limit === undefined ? undefined : row.ratio);
    const verdict = row.verdict === 'skipped' ? `skipped: ${row.skipped ?? 'no figure'}` : row.verdict;
    const numbers = [short(row.figure), short(row.limit), ratio, spread, ...aims];
    return [row.goal, row.what ?? '', row.unit, ...numbers, verdict];
  });
  const widths = head.map((name, column) =>
    Math.max(name.length, ...lines.map((line) => line[column]!.length)),
  );
  // Words to the left, numbers to the right.
  const isNumber = (column: number) => column >= 3 && column <= 8;
  const draw = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  return [draw(head), draw(widths.map((width) => '-'.repeat(width))), ...lines.map(draw)].join('\n');
}

/** One JSON object for the whole run; `about` says what it ran on and what else was seen. */
export function tableJson(rows: readonly BenchRow[], about: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ ...about, rows: rows.map(judge) });
}

function short(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ');
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) >= 100 ? 0 : 2);
}
