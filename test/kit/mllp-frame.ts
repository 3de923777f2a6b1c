/**
 * The sender's own MLLP framing, written apart from the gateway's, so that one misreading of the
 * specification cannot agree with itself. [MLLP R1] block = 0x0B data 0x1C 0x0D.
 * Invariants: every chunking of the same bytes gives the same blocks; what waits is bounded.
 */
export const startBlock = 0x0b;
export const endBlock = 0x1c;
export const carriageReturn = 0x0d;

/** The block around a message, as one buffer. */
export function frame(message: Uint8Array): Buffer {
  const block = Buffer.allocUnsafe(message.length + 3);
  block[0] = startBlock;
  block.set(message, 1);
  block[message.length + 1] = endBlock;
  block[message.length + 2] = carriageReturn;
  return block;
}

export class Deframer {
  readonly #onMessage: (message: Buffer) => void;
  readonly #bytesMax: number;
  #held: Buffer = Buffer.alloc(0);

  constructor(onMessage: (message: Buffer) => void, bytesMax = 16 * 1024 * 1024) {
    this.#onMessage = onMessage;
    this.#bytesMax = bytesMax;
  }

  /** Takes the next bytes; calls back for each whole message. Throws on bytes that are no block. */
  push(chunk: Buffer): void {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = 0;
    while (at < bytes.length) {
      if (bytes[at] !== startBlock) throw new Error(`MLLP: byte ${bytes[at]} where a block must start`);
      const end = endOfBlock(bytes, at + 1);
      if (end < 0) break;
      this.#onMessage(bytes.subarray(at + 1, end));
      at = end + 2;
    }
    this.#held = at === bytes.length ? Buffer.alloc(0) : bytes.subarray(at);
    if (this.#held.length > this.#bytesMax) throw new Error(`MLLP: block over ${this.#bytesMax} bytes`);
  }

  /** Bytes of a block that has begun and not ended. */
  get heldBytes(): number {
    return this.#held.length;
  }
}

// 0x1C alone is data; only 0x1C 0x0D ends a block.
function endOfBlock(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(endBlock, from); at >= 0; at = bytes.indexOf(endBlock, at + 1)) {
    if (at + 1 >= bytes.length) return -1;
    if (bytes[at + 1] === carriageReturn) return at;
  }
  return -1;
}
