/** A source's clock in words, the same at the site and at the centre. */
import type { SourceClock } from '../../proto/gen/hilum/v1/session.ts';

const wrong = new Set(['ahead', 'behind', 'zone']);

export function isWrongClock(verdict: string): boolean {
  return wrong.has(verdict);
}

/** How far, and what it looks like. */
export function clockText(clock: Pick<SourceClock, 'verdict' | 'aheadUs' | 'zoneUs' | 'assumed'>): string {
  const { verdict, assumed } = clock;
  if (verdict === 'unknown') return 'too few messages';
  const said = aheadText(clock.aheadUs);
  if (verdict === 'late') return `messages come ${lengthOf(clock.aheadUs)} after they were made, or more`;
  if (verdict !== 'zone') return verdict === 'ok' ? `${said}, within the limit` : said;
  const read = assumed === '' ? 'its own offset' : assumed === 'MSH-7' ? "MSH-7's offset" : assumed;
  return `${said}: wrong zone? (times are read with ${read})`;
}

/** `2 h 3 min ahead` */
export function aheadText(us: bigint): string {
  return `${lengthOf(us)} ${us < 0n ? 'behind' : 'ahead'}`;
}

function lengthOf(us: bigint): string {
  const seconds = Math.abs(Number(us)) / 1e6;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
