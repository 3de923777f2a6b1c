/**
 * One record may hold several messages: a batch (FHS, BHS … BTS, FTS) [HL7 2.10.3] or messages
 * simply following each other. Gives each message's bytes; framing bytes and a BOM are left out.
 */
import { Batches } from './batches.ts';

export interface Split {
  messages: Uint8Array[];
  /** Anything other than framing and blanks stands before the first MSH, FHS or BHS. */
  preamble: boolean;
  /** An FHS, BHS, BTS or FTS stands in it. */
  batch: boolean;
  /** Whether the batches are what their headers and trailers say. */
  batches: Batches;
}

export function split(raw: Uint8Array): Split {
  const messages: Uint8Array[] = [];
  const { length } = raw;
  let preamble = false;
  let batch = false;
  const batches = new Batches();
  let open = -1;
  let at = raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 3 : 0;
  const close = (end: number, next = ''): void => {
    if (open >= 0) {
      const message = raw.subarray(open, trimmedEnd(raw, open, end));
      messages.push(message);
      batches.message(next === 'MSH' && headerOnly(message));
    }
    open = -1;
  };
  while (at < length) {
    while (at < length && (raw[at] as number) <= 0x20 && raw[at] !== 13 && raw[at] !== 10) at++;
    const header = headerAt(raw, at);
    if (header !== '') {
      close(at, header);
      if (header === 'MSH') open = at;
      else {
        batch = true;
        batches.mark(header, firstField(raw, at));
      }
    } else if (open < 0 && messages.length === 0 && at < length && (raw[at] as number) > 0x20) {
      preamble = true;
    }
    while (at < length && !endsLine(raw, at)) at++;
    at++;
  }
  close(length);
  batches.end();
  return { messages, preamble, batch, batches };
}

/** True for a complete MSH and nothing else; a header that was cut off is a fault to be told. */
export function headerOnly(message: Uint8Array): boolean {
  return message.length > 20 && !message.includes(13) && !message.includes(10);
}

/** Of a trailer, as text; what is longer than any count is cut. */
function firstField(raw: Uint8Array, at: number): string {
  const separator = raw[at + 3];
  let to = at + 4;
  while (to < raw.length && to < at + 24 && raw[to] !== separator && !endsLine(raw, to)) to++;
  return String.fromCharCode(...raw.subarray(at + 4, to));
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
  if ((a !== 70 && a !== 66) || (b !== 72 && b !== 84) || c !== 83 || !wordEnds(raw, at)) return '';
  return `${a === 70 ? 'F' : 'B'}${b === 72 ? 'H' : 'T'}S`;
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
