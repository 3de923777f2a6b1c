/** The least that still fails: whole segments are taken away first, then ever smaller stretches of bytes. */
export async function minimised(
  bytes: Buffer,
  fails: (bytes: Buffer) => boolean | Promise<boolean>,
  triesMax: number,
): Promise<Buffer> {
  let least = bytes;
  let tries = triesMax;
  const attempt = async (parts: readonly Buffer[]): Promise<boolean> => {
    if (tries <= 0) return false;
    tries -= 1;
    const shorter = Buffer.concat(parts);
    if (!(await fails(shorter))) return false;
    least = shorter;
    return true;
  };
  if (await attempt([])) return least;
  for (const cut of [lines, chunks]) {
    for (let pieces = 2; tries > 0; ) {
      const parts = cut(least, pieces);
      let taken = false;
      for (let at = 0; at < parts.length && tries > 0; at += 1) {
        if (parts.length > 1 && (await attempt(parts.filter((_, other) => other !== at)))) {
          taken = true;
          break;
        }
      }
      if (taken) pieces = Math.max(2, pieces - 1);
      else if (parts.length < pieces || pieces > least.length) break;
      else pieces *= 2;
    }
  }
  return least;
}

/** As a text that can be pasted into a test: Buffer.from('…', 'latin1'). */
export function escaped(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => {
    const char = String.fromCharCode(byte);
    if (char === '\\' || char === "'") return `\\${char}`;
    if (char === '\r') return '\\r';
    if (char === '\n') return '\\n';
    return byte >= 0x20 && byte < 0x7f ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
  }).join('');
}

function lines(bytes: Buffer, pieces: number): Buffer[] {
  const all = bytes.toString('latin1').split(/(?<=\r)/);
  const size = Math.ceil(all.length / pieces);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    Buffer.from(all.slice(at * size, (at + 1) * size).join(''), 'latin1'),
  );
}

function chunks(bytes: Buffer, pieces: number): Buffer[] {
  const size = Math.max(1, Math.ceil(bytes.length / pieces));
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
}
