/**
 * The table that `npm run bench` ends with: each goal with its figure, the limit measured in the same run,
 * their ratio, the first aim and a verdict. As aligned text for people, as JSON for machines.
 * Invariant: a row without a figure says why; it never passes.
 */

export interface BenchRow {
  /** 'P1 64 connections'. */
  readonly goal: string;
  readonly unit: string;
  /** What our daemon reached; undefined where the row did not run. */
  readonly figure: number | undefined;
  /** What the disk or the library alone reached, in the same run; undefined where the aim is absolute. */
  readonly limit?: number | undefined;
  readonly firstAim: number;
  readonly moonshot: number;
  /** Aims are floors (a ratio of rates) unless said otherwise (latencies, memory, time). */
  readonly smallerIsBetter?: boolean;
  /** Why it did not run. */
  readonly skipped?: string;
}

export type Verdict = 'moonshot' | 'reached' | 'missed' | 'skipped';

export interface JudgedRow extends BenchRow {
  /** Figure over limit, or the figure itself where there is no limit. */
  readonly ratio: number | undefined;
  readonly verdict: Verdict;
}

export function judge(row: BenchRow): JudgedRow {
  if (row.figure === undefined) return { ...row, ratio: undefined, verdict: 'skipped' };
  const ratio = row.limit === undefined ? row.figure : row.figure / row.limit;
  const meets = (aim: number) => (row.smallerIsBetter ? ratio <= aim : ratio >= aim);
  const verdict = meets(row.moonshot) ? 'moonshot' : meets(row.firstAim) ? 'reached' : 'missed';
  // NaN meets nothing.
  return { ...row, ratio, verdict };
}

export function table(rows: readonly BenchRow[]): string {
  const head = ['goal', 'unit', 'figure', 'limit', 'ratio', 'first aim', 'moonshot', 'verdict'];
  const lines = rows.map(judge).map((row) => {
    const sign = row.smallerIsBetter ? '<=' : '>=';
    const aims = [`${sign} ${short(row.firstAim)}`, `${sign} ${short(row.moonshot)}`];
    const verdict = row.verdict === 'skipped' ? `skipped: ${row.skipped ?? 'no figure'}` : row.verdict;
    return [row.goal, row.unit, short(row.figure), short(row.limit), short(row.ratio), ...aims, verdict];
  });
  const widths = head.map((name, column) =>
    Math.max(name.length, ...lines.map((line) => line[column]!.length)),
  );
  // Words to the left, numbers to the right.
  const isNumber = (column: number) => column >= 2 && column <= 6;
  const draw = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  return [draw(head), draw(widths.map((width) => '-'.repeat(width))), ...lines.map(draw)].join('\n');
}

/** One JSON object for the whole run. */
export function tableJson(rows: readonly BenchRow[]): string {
  return JSON.stringify({ rows: rows.map(judge) });
}

function short(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ');
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) >= 100 ? 0 : 2);
}
