/**
 * That the gateway was told of everybody who is here: one row, written with the last message of a census file
 * and taken back where the memory had to forget people. Without it, nothing follows from what ADT has not said.
 */
import { CensusMemory } from '../../../proto/gen/hilum/v1/journal.ts';
import type { Need, Recall, RowKind } from './memory.ts';

const daysKept = 3650;

const censusRow: RowKind<CensusMemory> = {
  number: 19,
  keepS: daysKept * 86_400,
  lasts: true,
  encode: (row) => CensusMemory.encode(row).finish(),
  decode: (bytes) => CensusMemory.decode(bytes),
};

const text = 'census';

export const censusNeed: Need & { kind: RowKind<CensusMemory> } = { kind: censusRow, text };

export function isCensusLoaded(recall: Recall): boolean {
  return recall.find(censusRow, text)?.from !== undefined;
}

/** @param from undefined: it counts no longer */
export function markCensus(recall: Recall, from: CensusMemory['from']): void {
  recall.set(censusRow, text, { from });
}
