/**
 * What the reading and mapping of P6 is measured on: our own 1 KB and 10 KB results, and every message of the
 * corpus where that is at hand. Messages end their segments with CR, as they come over MLLP; a file that
 * holds several is several messages.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageMaker } from '../kit/messages.ts';
import { corpusFiles, corpusFolder, corpusPresent, isDocument } from '../normalize/corpus-outcomes.ts';

export const setNames = ['oru1k', 'oru10k', 'corpus'] as const;
export type SetName = (typeof setNames)[number];

/** What one program found on one set; `usEach` are microseconds a message on one thread. */
export interface SetFigures {
  readonly messages: number;
  /** Of one message, on average. */
  readonly bytes: number;
  readonly rate: number;
  readonly usEach: number;
}

/** The messages of a set; none for the corpus where it is not present. */
export function messagesOf(set: SetName): Buffer[] {
  if (set === 'corpus')
    return corpusPresent()
      ? corpusFiles()
          .filter((file) => !isDocument(file))
          .flatMap(split)
      : [];
  const make = messageMaker({ seed: 1, kind: set === 'oru1k' ? 'oru' : 'oru10k' });
  return Array.from({ length: 500 }, (_, n) => make(n).bytes);
}

/** Goes over the messages until `warm` and then `seconds` have passed. */
export async function measure(
  messages: readonly Buffer[],
  seconds: number,
  warm: number,
  round: () => unknown,
): Promise<SetFigures> {
  const warmUntil = performance.now() + warm * 1000;
  while (performance.now() < warmUntil) await round();
  const startedAt = performance.now();
  let rounds = 0;
  while (performance.now() - startedAt < seconds * 1000) {
    await round();
    rounds += 1;
  }
  const tookUs = (performance.now() - startedAt) * 1000;
  const total = rounds * messages.length;
  return {
    messages: messages.length,
    bytes: Math.round(messages.reduce((sum, message) => sum + message.length, 0) / messages.length),
    rate: Math.round((total / tookUs) * 1e6),
    usEach: Number((tookUs / total).toFixed(2)),
  };
}

function split(file: string): Buffer[] {
  const text = readFileSync(join(corpusFolder, file)).toString('latin1');
  const lines = text.replace(/[\x0b\x1c]/g, '').split(/[\r\n]+/);
  const messages: string[][] = [];
  for (const line of lines) {
    if (line.startsWith('MSH')) messages.push([]);
    // The envelopes of a batch are no part of its messages.
    if (line !== '' && !/^(FHS|BHS|BTS|FTS)/.test(line)) messages.at(-1)?.push(line);
  }
  return messages.map((segments) => Buffer.from(`${segments.join('\r')}\r`, 'latin1'));
}
