/**
 * MLLP framing as a pure state machine: <VT> block <FS><CR> [MLLP release 1].
 *
 * Tolerated, because they are ordinary life: FS without CR, CR or LF between frames,
 * several frames in a chunk, a frame in many chunks, one byte a chunk. Bytes outside a
 * frame are skipped and counted. A block above the limit is an `oversize` result with what
 * was kept of its beginning (enough for its MSH), and the framer takes nothing more.
 * Memory: one frame up to the limit. A block is a view that is good until the chunk it came in
 * is let go: whoever keeps it longer copies.
 */
const VT = 0x0b;
const FS = 0x1c;

export type Framed = { kind: 'frame'; block: Buffer } | { kind: 'oversize'; beginning: Buffer };

export interface Framer {
  push(chunk: Buffer): Framed[];
  /** Bytes of the frame that is being read, 0 between frames. */
  pendingBytes(): number;
  /** Bytes that stood outside any frame. */
  strayBytes(): number;
}

const beginningBytes = 4096;
const firstBytes = 4096;

export function createFramer(frameBytesMax: number): Framer {
  let kept = Buffer.alloc(0);
  let keptBytes = 0;
  let inside = false;
  let full = false;
  let stray = 0;

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
        const end = chunk.indexOf(FS, at);
        const to = end < 0 ? chunk.length : end;
        if (keptBytes + to - at > frameBytesMax) {
          full = true;
          if (keptBytes < beginningBytes) keep(chunk, at, Math.min(to, at + beginningBytes));
          found.push({ kind: 'oversize', beginning: kept.subarray(0, Math.min(keptBytes, beginningBytes)) });
          kept = Buffer.alloc(0);
          keptBytes = 0;
          break;
        }
        if (end < 0) {
          keep(chunk, at, to);
          break;
        }
        if (keptBytes === 0) {
          found.push({ kind: 'frame', block: chunk.subarray(at, to) });
        } else {
          keep(chunk, at, to);
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
  };
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
