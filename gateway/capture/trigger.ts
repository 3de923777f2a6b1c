/** What a trigger event (MSH-9.2) means for the class, from its bytes. */
import { mergeTriggers } from '../../proto/merge-triggers.ts';
import { code } from './words.ts';

const merges: ReadonlySet<number> = new Set([...mergeTriggers.keys()].map(code));

/** R41 tells what became of an alarm's notification [IHE PCD-05]. */
export function isNotification(raw: Uint8Array, type: number, component: number): boolean {
  if (type < 0 || raw[type + 3] !== component) return false;
  return raw[type + 4] === 0x52 && raw[type + 5] === 0x34 && raw[type + 6] === 0x31;
}

/** Identities are joined, moved or parted. */
export function isMerge(raw: Uint8Array, at: number): boolean {
  return merges.has((raw[at]! << 16) | (raw[at + 1]! << 8) | raw[at + 2]!);
}
