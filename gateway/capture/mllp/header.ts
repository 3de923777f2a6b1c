/**
 * The MSH segment, as far as an answer needs it: its own delimiters and fields as bytes
 * (read and echoed as latin1, so that no charset can change them).
 */
export interface Header {
  fieldSeparator: string;
  /** MSH-2 as sent. */
  encodingCharacters: string;
  componentSeparator: string;
  /** MSH-n as sent, '' where absent; n counts as HL7 does (MSH-1 is the separator). */
  field(n: number): string;
  /** First component of MSH-n. */
  component(n: number, position: number): string;
  /** Type ACK with an MSA segment: an inbound acknowledgment, never answered. */
  acknowledgment: boolean;
}

const headerBytesMax = 4096;
const CR = 0x0d;
const LF = 0x0a;

/**
 * The first MSH of the block; before it only the headers of a batch (FHS, BHS) [HL7 2.10.3] may stand.
 * Undefined when the block has no readable one.
 */
export function readHeader(block: Buffer): Header | undefined {
  let start = startOf(block);
  for (let name = nameAt(block, start); name === 'FHS' || name === 'BHS'; name = nameAt(block, start)) {
    start = nextLine(block, start);
  }
  if (block.length - start < 8 || nameAt(block, start) !== 'MSH') return undefined;
  let end = start;
  const limit = Math.min(block.length, start + headerBytesMax);
  while (end < limit && block[end] !== CR && block[end] !== LF) end += 1;
  const line = block.toString('latin1', start, end);
  const fieldSeparator = line.charAt(3);
  if (isWordCharacter(fieldSeparator)) return undefined;
  const fields = line.split(fieldSeparator);
  const encodingCharacters = fields[1] ?? '';
  const componentSeparator = encodingCharacters.charAt(0) || '^';
  if (!usable(fieldSeparator, encodingCharacters) || fields.length < 3) return undefined;
  const header: Header = {
    fieldSeparator,
    encodingCharacters,
    componentSeparator,
    field: (n) => (n === 1 ? fieldSeparator : (fields[n - 1] ?? '')),
    component: (n, position) => header.field(n).split(componentSeparator)[position - 1] ?? '',
    acknowledgment: false,
  };
  header.acknowledgment = header.component(9, 1) === 'ACK' && hasMsa(block, end, fieldSeparator);
  return header;
}

/** Leading line ends, blanks and a byte order mark are forgiven. */
function startOf(block: Buffer): number {
  let at = 0;
  if (block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf) at = 3;
  while (block[at] === CR || block[at] === LF || block[at] === 0x20 || block[at] === 0x09) at += 1;
  return at;
}

function nameAt(block: Buffer, at: number): string {
  return block.toString('latin1', at, at + 3);
}

function nextLine(block: Buffer, from: number): number {
  let at = from;
  while (at < block.length && block[at] !== CR && block[at] !== LF) at += 1;
  while (block[at] === CR || block[at] === LF) at += 1;
  return at;
}

function isWordCharacter(character: string): boolean {
  return character === '' || /[0-9A-Za-z\s]/.test(character);
}

/** Delimiters that collide with each other, that text is made of or that control, cannot be answered with. */
function usable(fieldSeparator: string, encodingCharacters: string): boolean {
  if (encodingCharacters.length > 5) return false;
  const all = fieldSeparator + encodingCharacters;
  for (let at = 0; at < all.length; at += 1) {
    if (all.charCodeAt(at) < 0x20 || isWordCharacter(all.charAt(at)) || all.indexOf(all.charAt(at)) !== at)
      return false;
  }
  return true;
}

function hasMsa(block: Buffer, from: number, fieldSeparator: string): boolean {
  for (const lineEnd of ['\r', '\n'])
    if (block.indexOf(`${lineEnd}MSA${fieldSeparator}`, from, 'latin1') >= 0) return true;
  return false;
}
