/**
 * Sealing: AES-256-GCM per row, and a CRC over what is stored.
 *
 *   row = version(1) segment(4) sealer(4) counter(8) | ciphertext | tag(16) | crc32(4)
 *         └────────────── 17 bytes, authenticated ─┘
 *
 * A segment is one life of one process: 16 random bytes, stored once, from which and the
 * master key HKDF gives the data key. Inside a segment its sealer counts up, so a nonce
 * (sealer, counter) is used once, also after a restored disk image, without a random number
 * per row. A segment has one sealer. The associated data names the place that the row stands
 * in, so a row cannot be moved. The CRC tells damage from a wrong key without the key.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { crc32 } from 'node:zlib';

const version = 1;
const headerBytes = 17;
/** Builds whose normalizer sealed, too, gave each thread a number of its own. */
const soleSealer = 0;
const tagBytes = 16;
const crcBytes = 4;
/** Of a message of many MiB no second copy waits for the collector. */
const pieceBytes = 256 * 1024;

export const sealOverheadBytes = headerBytes + tagBytes + crcBytes;

export interface Segment {
  number: number;
  salt: Uint8Array;
}

export interface Sealer {
  seal(place: string | Uint8Array, plain: Uint8Array): Buffer;
  /** The same into a larger row, from `at` on; takes `sealOverheadBytes` more than what is sealed. */
  sealInto(target: Buffer, at: number, place: string | Uint8Array, plain: Uint8Array): void;
}

export interface Opener {
  /** Throws `Damaged` when the row is not what was sealed for this place. */
  open(place: string | Uint8Array, row: Uint8Array): Buffer;
}

/** A row that is not what was stored: bit rot, a foreign key, or a row moved from its place. */
export class Damaged extends Error {
  readonly code: 'checksum' | 'authentication' | 'format' | 'segment';
  constructor(code: Damaged['code'], message: string) {
    super(message);
    this.name = 'Damaged';
    this.code = code;
  }
}

/** One for each segment: a second one would use its nonces again. */
export function createSealer(masterKey: Uint8Array, segment: Segment): Sealer {
  const key = dataKey(masterKey, segment.salt);
  let counter = 0;
  return {
    seal(place, plain) {
      const row = Buffer.allocUnsafe(sealOverheadBytes + plain.length);
      this.sealInto(row, 0, place, plain);
      return row;
    },
    sealInto(target, from, place, plain) {
      counter += 1;
      const row = target.subarray(from, from + sealOverheadBytes + plain.length);
      row[0] = version;
      row.writeUInt32BE(segment.number, 1);
      row.writeUInt32BE(soleSealer, 5);
      row.writeUInt32BE(Math.floor(counter / 0x1_0000_0000), 9);
      row.writeUInt32BE(counter >>> 0, 13);
      const cipher = createCipheriv('aes-256-gcm', key, row.subarray(5, headerBytes));
      cipher.setAAD(associated(place, row));
      for (let at = 0; at < plain.length; at += pieceBytes)
        cipher.update(plain.subarray(at, at + pieceBytes)).copy(row, headerBytes + at);
      cipher.final();
      cipher.getAuthTag().copy(row, headerBytes + plain.length);
      const end = row.length - crcBytes;
      row.writeUInt32BE(crc32(row.subarray(0, end)), end);
    },
  };
}

/** @param segments looks a segment's salt up by its number. */
export function createOpener(
  masterKey: Uint8Array,
  segments: (number: number) => Uint8Array | undefined,
): Opener {
  const keys = new Map<number, Buffer>();
  return {
    open(place, row) {
      const view = Buffer.from(row.buffer, row.byteOffset, row.byteLength);
      checkRow(view);
      const number = view.readUInt32BE(1);
      let key = keys.get(number);
      if (key === undefined) {
        const salt = segments(number);
        if (salt === undefined) throw new Damaged('segment', `no key segment ${number}`);
        key = dataKey(masterKey, salt);
        keys.set(number, key);
      }
      const decipher = createDecipheriv('aes-256-gcm', key, view.subarray(5, headerBytes));
      decipher.setAAD(associated(place, view));
      decipher.setAuthTag(view.subarray(view.length - crcBytes - tagBytes, view.length - crcBytes));
      const plain = decipher.update(view.subarray(headerBytes, view.length - crcBytes - tagBytes));
      try {
        decipher.final();
      } catch {
        throw new Damaged(
          'authentication',
          'the row does not authenticate: wrong key, or moved from its place',
        );
      }
      return plain;
    },
  };
}

/** Checks form and checksum; needs no key. Throws `Damaged`. */
export function checkRow(row: Buffer): void {
  if (row.length < sealOverheadBytes || row[0] !== version) {
    throw new Damaged('format', 'not a sealed row');
  }
  const end = row.length - crcBytes;
  if (crc32(row.subarray(0, end)) !== row.readUInt32BE(end)) {
    throw new Damaged('checksum', 'the row does not match its checksum');
  }
}

function dataKey(masterKey: Uint8Array, salt: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, salt, 'hilum row v1', 32));
}

/** Kept, because two allocations a row cost as much as its tag. A place is shorter [journal/layout.ts]. */
const scratch = Buffer.allocUnsafeSlow(1024);

/** A view that the next call overwrites. */
function associated(place: string | Uint8Array, row: Buffer): Buffer {
  row.copy(scratch, 0, 0, 5);
  if (5 + place.length > scratch.length) throw new RangeError('the place of a row is too long');
  if (typeof place === 'string') return scratch.subarray(0, 5 + scratch.write(place, 5, 'latin1'));
  scratch.set(place, 5);
  return scratch.subarray(0, 5 + place.length);
}
