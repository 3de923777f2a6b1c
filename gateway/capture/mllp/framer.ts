/**
 * MLLP framing as a pure state machine: <VT> block <FS><CR> [MLLP release 1].
 *
 * Tolerated, because they are ordinary life: FS without CR, CR or LF between frames,
 * several frames in a chunk, a frame in many chunks, one byte a chunk. Bytes outside a
 * frame are skipped and counted.
 * FS ends a frame where CR, LF or VT follows, or nothing more has come: a sender that leaves CR out
 * is answered at once. Any other byte behind it in the same chunk makes it a character of the text.
 * VT directly before a header (MSH, FHS, BHS) begins the frame again: the sender broke off and
 * went on on the same connection. What it had sent of the first is dropped unanswered and counted.
 * A block above the limit is an `oversize` result with as much of its beginning as a frame may have (its MSH
 * stands behind batch headers of any length), and the framer takes nothing more.
 * Memory: one frame up to the limit. A block is a view that is good until the chunk it came in
 * is let go: whoever keeps it longer copies.
 */
const VT = 0x0b;
const FS = 0x1c;
const CR = 0x0d;
const LF = 0x0a;

export type Framed = { kind: 'frame'; block: Buffer } | { kind: 'oversize'; beginning: Buffer };

export interface Framer {
  push(chunk: Buffer): Framed[];
  /** Bytes of the frame that is being read, 0 between frames. */
  pendingBytes(): number;
  /** Bytes that stood outside any frame. */
  strayBytes(): number;
  /** Frames that another one began in. */
  brokenOff(): number;
}

const firstBytes = 4096;

export function createFramer(frameBytesMax: number): Framer {
  let kept = Buffer.alloc(0);
  let keptBytes = 0;
  let inside = false;
  let full = false;
  let stray = 0;
  let broken = 0;

  /** Where a header's name was cut by the end of a chunk: the frame begins behind the VT before it. */
  function beginAgainAcross(seam: number): void {
    const from = beginningAgain(kept, Math.max(0, seam - nameBytes), Math.min(keptBytes, seam + nameBytes));
    if (from < 0) return;
    if (from > 1) broken += 1;
    kept.copyWithin(0, from, keptBytes);
    keptBytes -= from;
  }

  /** Copies into one growing buffer: a frame of many one-byte chunks costs its bytes, not its chunks. */
  function keep(chunk: Buffer, from: number, to: number): void {
    const needed = keptBytes + to - from;
    if (needed > kept.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.max(firstBytes, needed, Math.min(kept.length * 2, frameBytesMax + 1)),
      );
      kept.copy(larger, 0, 0, keptBytes);
      kept = larger;
    }
    chunk.copy(kept, keptBytes, from, to);
    keptBytes = needed;
  }

  return {
    push(chunk) {
      const found: Framed[] = [];
      let at = 0;
      while (at < chunk.length && !full) {
        if (!inside) {
          const start = chunk.indexOf(VT, at);
          stray += strayIn(chunk, at, start < 0 ? chunk.length : start);
          if (start < 0) break;
          inside = true;
          at = start + 1;
        }
        const end = endOfFrame(chunk, at);
        const to = end < 0 ? chunk.length : end;
        const again = beginningAgain(chunk, at, to);
        if (again >= 0) {
          if (keptBytes + again - at > 1) broken += 1;
          keptBytes = 0;
          at = again;
        }
        const seam = keptBytes;
        if (keptBytes + to - at > frameBytesMax) {
          full = true;
          keep(chunk, at, at + frameBytesMax - keptBytes);
          found.push({ kind: 'oversize', beginning: kept.subarray(0, keptBytes) });
          kept = Buffer.alloc(0);
          keptBytes = 0;
          break;
        }
        if (end < 0) {
          keep(chunk, at, to);
          if (seam > 0) beginAgainAcross(seam);
          break;
        }
        if (keptBytes === 0) {
          found.push({ kind: 'frame', block: chunk.subarray(at, to) });
        } else {
          keep(chunk, at, to);
          beginAgainAcross(seam);
          found.push({ kind: 'frame', block: kept.subarray(0, keptBytes) });
          kept = Buffer.alloc(0);
          keptBytes = 0;
        }
        inside = false;
        at = end + 1;
      }
      return found;
    },
    pendingBytes: () => (inside ? keptBytes + 1 : 0),
    strayBytes: () => stray,
    brokenOff: () => broken,
  };
}

/** The FS that ends the frame; -1 where none of the chunk does. */
function endOfFrame(chunk: Buffer, from: number): number {
  let end = chunk.indexOf(FS, from);
  while (end >= 0 && end + 1 < chunk.length) {
    const next = chunk[end + 1];
    if (next === CR || next === VT || next === LF) break;
    end = chunk.indexOf(FS, end + 1);
  }
  return end;
}

/** VT, and the name of a header segment. */
const nameBytes = 4;

/** The place behind the last VT with a header's name behind it, -1 where there is none. */
function beginningAgain(bytes: Buffer, from: number, to: number): number {
  // Nothing behind `to` is looked at: a byte that comes alone costs itself, and not what was kept before it.
  const looked = bytes.subarray(0, to);
  let found = -1;
  for (let at = looked.indexOf(VT, from); at >= 0; at = looked.indexOf(VT, at + 1))
    if (isHeaderName(looked, at + 1)) found = at + 1;
  return found;
}

/** MSH, FHS or BHS. By its bytes: a peer may send nothing but VT. */
function isHeaderName(bytes: Buffer, at: number): boolean {
  const [first, second, third] = [bytes[at], bytes[at + 1], bytes[at + 2]];
  if (first === 0x4d) return second === 0x53 && third === 0x48;
  return (first === 0x46 || first === 0x42) && second === 0x48 && third === 0x53;
}

/** Line ends between frames are no stray bytes. */
function strayIn(chunk: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at += 1) if (chunk[at] !== 0x0d && chunk[at] !== 0x0a) count += 1;
  return count;
}

/** Wraps an answer for the wire. */
export function frame(block: string | Buffer): Buffer {
  const body = typeof block === 'string' ? Buffer.from(block, 'latin1') : block;
  const framed = Buffer.allocUnsafe(body.length + 3);
  framed[0] = VT;
  body.copy(framed, 1);
  framed[body.length + 1] = FS;
  framed[body.length + 2] = 0x0d;
  return framed;
}
