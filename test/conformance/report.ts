/** Shares by kind of fact, and the two committed lists: the facts, and the differences with their reasons. */
import type { Verdict } from './compare.ts';
import { hashOf, type Kind, kinds } from './facts.ts';

export type Row = Verdict & { pair: string };

export interface Share {
  facts: number;
  kept: number;
  /** 0 to 1; 1 where there is no fact. */
  share: number;
}

export function total(rows: readonly Row[]): Share {
  const kept = rows.filter((row) => row.equal).length;
  return { facts: rows.length, kept, share: rows.length === 0 ? 1 : kept / rows.length };
}

export function shares(rows: readonly Row[]): (Share & { kind: Kind })[] {
  return kinds
    .map((kind) => ({ kind, ...total(rows.filter((row) => row.fact.kind === kind)) }))
    .filter(({ facts }) => facts > 0);
}

/** One line a fact: pair, kind, key and a hash of what is said. */
export function factLines(rows: readonly Row[]): string {
  const lines = rows.map(({ pair, fact }) => [pair, fact.kind, fact.key, hashOf(fact.said)].join('\t'));
  return `${['pair\tkind\tkey\tsaid', ...lines].join('\n')}\n`;
}

/** `pair<TAB>key` → why ours is right, from lines of pair, key and reason. */
export function reasonsIn(text: string): Map<string, string> {
  const lines = text.split('\n').slice(1).filter(Boolean);
  return new Map(
    lines.map((line) => {
      const [pair, key, reason = ''] = line.split('\t');
      return [`${pair}\t${key}`, reason];
    }),
  );
}
