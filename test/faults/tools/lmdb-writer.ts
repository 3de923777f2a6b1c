/**
 * A small program to record: writes and deletes values in LMDB, and after each commit promises it with a
 * mark. Arguments: folder, rounds, mode. Modes: `safe` (overlappingSync: false, marks on the put's promise),
 * `flushed` (the default setting, marks on db.flushed), and a mistake that the recorder must be able to
 * catch: `early` (overlappingSync: false, marks before the commit).
 */
import { writeSync } from 'node:fs';
import { open } from 'lmdb';
import { expectedRemoval, isSafe, keyOf, type Mode, recordsPerRound, valueFor } from './lmdb-checker.ts';

const [folder = '', rounds = '150', mode = 'safe'] = process.argv.slice(2);
const safe = isSafe(mode as Mode);
const db = open<Buffer, string>({
  path: folder,
  encoding: 'binary',
  ...(safe ? { overlappingSync: false } : {}),
});

for (let round = 0; round < Number(rounds); round += 1) {
  const puts: Promise<unknown>[] = [];
  for (let record = 0; record < recordsPerRound; record += 1) {
    puts.push(db.put(keyOf(round, record), valueFor(round)));
  }
  const removed = expectedRemoval(round);
  if (removed !== undefined) puts.push(db.remove(keyOf(removed, 0)));
  if (mode === 'early') writeSync(2, `ACKMARK ${round}\n`);
  await Promise.all(puts);
  if (mode === 'flushed') await db.flushed;
  if (mode !== 'early') writeSync(2, `ACKMARK ${round}\n`);
}
// Ends at once: a graceful close would flush what the modes differ in.
process.exit(0);
