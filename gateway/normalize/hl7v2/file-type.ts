/** What a file is, by how files of its kind begin, and whether it is there to its end. */

interface Kind {
  readonly type: string;
  /** The first bytes, as Latin-1. */
  readonly begins: string;
  /** Whether the last bytes are there. */
  readonly isWhole: (bytes: Buffer) => boolean;
}

const kinds: readonly Kind[] = [
  { type: 'application/pdf', begins: '%PDF', isWhole: (bytes) => tail(bytes, 1024).includes('%%EOF') },
  { type: 'image/png', begins: '\x89PNG', isWhole: (bytes) => tail(bytes, 64).includes('IEND') },
  { type: 'image/jpeg', begins: '\xff\xd8\xff', isWhole: (bytes) => tail(bytes, 64).includes('\xff\xd9') },
  { type: 'image/tiff', begins: 'II*\0', isWhole: (bytes) => reaches(bytes, (at) => bytes.readUInt32LE(at)) },
  { type: 'image/tiff', begins: 'MM\0*', isWhole: (bytes) => reaches(bytes, (at) => bytes.readUInt32BE(at)) },
  { type: 'image/gif', begins: 'GIF8', isWhole: (bytes) => tail(bytes, 1) === ';' },
  { type: 'application/rtf', begins: '{\\rtf', isWhole: (bytes) => /\}[\s\0]*$/.test(tail(bytes, 64)) },
  // The directory stands at the end, and a comment of up to 64 KiB behind it.
  {
    type: 'application/zip',
    begins: 'PK\x03\x04',
    isWhole: (bytes) => tail(bytes, 65_557).includes('PK\x05\x06'),
  },
];

/** XML and HTML name their kind elsewhere. */
const markup: Omit<Kind, 'type'> = { begins: '<', isWhole: (bytes) => />\s*$/.test(tail(bytes, 64)) };

/** By the bytes that files of a kind begin with; empty where none does. */
export function typeOf(bytes: Uint8Array): string {
  return kindOf(bytes)?.type ?? '';
}

/** Undefined where it begins as no file does. */
export function isWhole(bytes: Buffer): boolean | undefined {
  const kind = kindOf(bytes) ?? (bytes[0] === markup.begins.charCodeAt(0) ? markup : undefined);
  return kind?.isWhole(bytes);
}

function kindOf(bytes: Uint8Array): Kind | undefined {
  const begin = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  return kinds.find(({ begins }) => begin.startsWith(begins));
}

function tail(bytes: Buffer, length: number): string {
  return bytes.toString('latin1', Math.max(0, bytes.length - length));
}

/** A TIFF's first directory, which says where all else is, mostly stands behind the picture. */
function reaches(bytes: Buffer, number: (at: number) => number): boolean {
  return bytes.length >= 8 && number(4) + 2 <= bytes.length;
}
