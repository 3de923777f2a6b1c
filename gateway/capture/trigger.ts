/** What a trigger event (MSH-9.2) means for the class, from its bytes. */

/** R41 tells what became of an alarm's notification [IHE PCD-05]. */
export function isNotification(raw: Uint8Array, type: number, component: number): boolean {
  if (type < 0 || raw[type + 3] !== component) return false;
  return raw[type + 4] === 0x52 && raw[type + 5] === 0x34 && raw[type + 6] === 0x31;
}

/** A18 A24 A30 A34 … A37 A39 … A51: identities are joined, moved or parted. */
export function isMerge(raw: Uint8Array, at: number): boolean {
  if (raw[at] !== 0x41) return false;
  const number = (raw[at + 1]! - 0x30) * 10 + (raw[at + 2]! - 0x30);
  if (number === 18 || number === 24 || number === 30) return true;
  return (number >= 34 && number <= 37) || (number >= 39 && number <= 51);
}
