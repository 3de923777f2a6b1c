/**
 * One record may hold several messages: a batch (FHS, BHS … BTS, FTS) [HL7 2.10.3] or messages
 * simply following each other. Gives each message's bytes; framing bytes and a BOM are left out.
 */

export interface Split {
  messages: Uint8Array[];
  /** Anything other than framing and blanks stands before the first MSH, FHS or BHS. */
  preamble: boolean;
  /** An FHS, BHS, BTS or FTS stands in it. */
  batch: boolean;
}

export function split(raw: Uint8Array): Split {
  const messages: Uint8Array[] = [];
  const { length } = raw;
  let preamble = false;
  let batch = false;
  let open = -1;
  let at = raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 3 : 0;
  const close = (end: number): void => {
    if (open >= 0) messages.push(raw.subarray(open, trimmedEnd(raw, open, end)));
    open = -1;
  };
  while (at < length) {
    while (at < length && (raw[at] as number) <= 0x20 && raw[at] !== 13 && raw[at] !== 10) at++;
    const header = headerAt(raw, at);
    if (header !== '') {
      close(at);
      if (header === 'MSH') open = at;
      else batch = true;
    } else if (open < 0 && messages.length === 0 && at < length && (raw[at] as number) > 0x20) {
      preamble = true;
    }
    while (at < length && !endsLine(raw, at)) at++;
    at++;
  }
  close(length);
  return { messages, preamble, batch };
}

/** True where a header begins at `at`, the beginning of a line, or after blanks. */
export function opensMessage(raw: Uint8Array, at: number): boolean {
  let from = at;
  while (from < raw.length && (raw[from] as number) <= 0x20 && raw[from] !== 13 && raw[from] !== 10) from++;
  return headerAt(raw, from) !== '';
}

/** Without the blanks and the framing that stand at its end. */
export function withoutTail(raw: Uint8Array): Uint8Array {
  const end = trimmedEnd(raw, 0, raw.length);
  return end === raw.length ? raw : raw.subarray(0, end);
}

/** CR, LF or the FS of the framing; one comparison tells that most bytes are none of them. */
function endsLine(raw: Uint8Array, at: number): boolean {
  const byte = raw[at] as number;
  return byte <= 28 && (byte === 13 || byte === 10 || endsBlock(raw, at));
}

/** FS is framing where the block ends with it, and a character of the text elsewhere (as capture reads it). */
export function endsBlock(raw: Uint8Array, at: number): boolean {
  if (raw[at] !== 28) return false;
  const next = raw[at + 1];
  return next === undefined || next === 13 || next === 10 || next === 11 || headerAt(raw, at + 1) !== '';
}

function headerAt(raw: Uint8Array, at: number): string {
  const [a, b, c] = [raw[at], raw[at + 1], raw[at + 2]];
  if (a === 77 && b === 83 && c === 72) return wordEnds(raw, at) ? 'MSH' : '';
  const file = a === 70 || a === 66; // F or B
  if (file && ((b === 72 && c === 83) || (b === 84 && c === 83))) return wordEnds(raw, at) ? 'batch' : '';
  return '';
}

function wordEnds(raw: Uint8Array, at: number): boolean {
  const byte = raw[at + 3];
  if (byte === undefined) return true;
  const letter = byte | 0x20;
  return !(byte >= 0x30 && byte <= 0x39) && !(letter >= 0x61 && letter <= 0x7a);
}

function trimmedEnd(raw: Uint8Array, start: number, end: number): number {
  let stop = end;
  while (stop > start && ((raw[stop - 1] as number) <= 0x20 || raw[stop - 1] === 0x1c)) stop--;
  return stop;
}
