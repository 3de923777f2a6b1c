/** What a file is, by how files of its kind begin. */

const beginnings: readonly (readonly [latin1: string, type: string])[] = [
  ['%PDF', 'application/pdf'],
  ['\x89PNG', 'image/png'],
  ['\xff\xd8\xff', 'image/jpeg'],
  ['II*\0', 'image/tiff'],
  ['MM\0*', 'image/tiff'],
  ['GIF8', 'image/gif'],
  ['{\\rtf', 'application/rtf'],
  ['PK\x03\x04', 'application/zip'],
];

/** By the bytes that files of a kind begin with; empty where none does. */
export function typeOf(bytes: Uint8Array): string {
  const begin = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  return beginnings.find(([known]) => begin.startsWith(known))?.[1] ?? '';
}
