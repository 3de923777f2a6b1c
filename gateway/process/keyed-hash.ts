/**
 * SipHash-2-4 with 128 bits of result [Aumasson, Bernstein: SipHash, 2012]: a short text under a secret key
 * becomes a number that tells nothing of the text to whoever has no key. It stands where every message makes
 * several of them; an HMAC each would cost three times as much.
 *
 * 64-bit words are two 32-bit halves, because a BigInt each would cost more than the hash.
 */

/** The four 32-bit words of the last hash; the first two are the 64 bits that an index keeps. */
export type Hashed = Uint32Array;

export interface KeyedHash {
  /** The hash of the text's UTF-8; overwritten by the next call. */
  hash(text: string): Hashed;
}

const keyedHashKeyBytes = 16;

/** @param key 16 bytes */
export function createKeyedHash(key: Uint8Array): KeyedHash {
  const words = new DataView(key.buffer, key.byteOffset, keyedHashKeyBytes);
  const k0l = words.getInt32(0, true);
  const k0h = words.getInt32(4, true);
  const k1l = words.getInt32(8, true);
  const k1h = words.getInt32(12, true);
  const out = new Uint32Array(4);
  let [v0h, v0l, v1h, v1l, v2h, v2l, v3h, v3l] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [wordLow, wordHigh, filled, bytes] = [0, 0, 0, 0];

  function round(): void {
    let low = (v0l >>> 0) + (v1l >>> 0);
    v0h = (v0h + v1h + (low > 0xffffffff ? 1 : 0)) | 0;
    v0l = low | 0;
    let high = v1h;
    v1h = ((high << 13) | (v1l >>> 19)) ^ v0h;
    v1l = ((v1l << 13) | (high >>> 19)) ^ v0l;
    high = v0h;
    v0h = v0l;
    v0l = high;
    low = (v2l >>> 0) + (v3l >>> 0);
    v2h = (v2h + v3h + (low > 0xffffffff ? 1 : 0)) | 0;
    v2l = low | 0;
    high = v3h;
    v3h = ((high << 16) | (v3l >>> 16)) ^ v2h;
    v3l = ((v3l << 16) | (high >>> 16)) ^ v2l;
    low = (v0l >>> 0) + (v3l >>> 0);
    v0h = (v0h + v3h + (low > 0xffffffff ? 1 : 0)) | 0;
    v0l = low | 0;
    high = v3h;
    v3h = ((high << 21) | (v3l >>> 11)) ^ v0h;
    v3l = ((v3l << 21) | (high >>> 11)) ^ v0l;
    low = (v2l >>> 0) + (v1l >>> 0);
    v2h = (v2h + v1h + (low > 0xffffffff ? 1 : 0)) | 0;
    v2l = low | 0;
    high = v1h;
    v1h = ((high << 17) | (v1l >>> 15)) ^ v2h;
    v1l = ((v1l << 17) | (high >>> 15)) ^ v2l;
    high = v2h;
    v2h = v2l;
    v2l = high;
  }

  function absorb(): void {
    v3h ^= wordHigh;
    v3l ^= wordLow;
    round();
    round();
    v0h ^= wordHigh;
    v0l ^= wordLow;
    wordLow = 0;
    wordHigh = 0;
    filled = 0;
  }

  function byte(value: number): void {
    if (filled < 4) wordLow |= value << (filled * 8);
    else wordHigh |= value << ((filled - 4) * 8);
    filled += 1;
    bytes += 1;
    if (filled === 8) absorb();
  }

  function finish(at: number): void {
    round();
    round();
    round();
    round();
    out[at] = v0h ^ v1h ^ v2h ^ v3h;
    out[at + 1] = v0l ^ v1l ^ v2l ^ v3l;
  }

  return {
    hash(text) {
      v0h = k0h ^ 0x736f6d65;
      v0l = k0l ^ 0x70736575;
      v1h = k1h ^ 0x646f7261;
      // 0xee: the variant with 128 bits.
      v1l = k1l ^ 0x6e646f6d ^ 0xee;
      v2h = k0h ^ 0x6c796765;
      v2l = k0l ^ 0x6e657261;
      v3h = k1h ^ 0x74656462;
      v3l = k1l ^ 0x79746573;
      wordLow = 0;
      wordHigh = 0;
      filled = 0;
      bytes = 0;
      let at = 0;
      for (; at + 8 <= text.length; at += 8) {
        const [a, b, c, d] = [
          text.charCodeAt(at),
          text.charCodeAt(at + 1),
          text.charCodeAt(at + 2),
          text.charCodeAt(at + 3),
        ];
        const [e, f, g, h] = [
          text.charCodeAt(at + 4),
          text.charCodeAt(at + 5),
          text.charCodeAt(at + 6),
          text.charCodeAt(at + 7),
        ];
        if ((a | b | c | d | e | f | g | h) > 0x7f) break;
        wordLow = a | (b << 8) | (c << 16) | (d << 24);
        wordHigh = e | (f << 8) | (g << 16) | (h << 24);
        bytes += 8;
        absorb();
      }
      for (; at < text.length; at += 1) {
        const unit = text.charCodeAt(at);
        if (unit > 0x7f) {
          // The rest as Node encodes it, surrogates and all.
          for (const one of Buffer.from(text.slice(at))) byte(one);
          break;
        }
        byte(unit);
      }
      wordHigh |= bytes << 24;
      absorb();
      v2l ^= 0xee;
      finish(0);
      v1l ^= 0xdd;
      finish(2);
      return out;
    },
  };
}
