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
  /** Type ACK with an MSA segment, and nothing else in the block: an inbound acknowledgment, never answered. */
  acknowledgment: boolean;
}

/** [HL7 2.9] has 28, and none of the others is asked for: a header of separators alone is not taken apart. */
const fieldsMax = 32;
/** Nearly every line ends before that. */
const usualBytes = 4096;
/** As nearly all begin; the separators of all others are looked at. */
const usual = 'MSH|^~\\&|';
const CR = 0x0d;
const LF = 0x0a;

/**
 * The first MSH of the block; before it only the headers of a batch (FHS, BHS) [HL7 2.10.3] may stand.
 * Undefined when the block has no readable one.
 */
export function readHeader(block: Buffer): Header | undefined {
  let start = startOf(block);
  while (isNamed(block, start, 'FHS') || isNamed(block, start, 'BHS')) start = nextLine(block, start);
  if (block.length - start < 8 || !isNamed(block, start, 'MSH')) return undefined;
  const end = lineEnd(block, start);
  const line = block.toString('latin1', start, end);
  const fieldSeparator = line.charAt(3);
  const isUsual = line.startsWith(usual);
  if (!isUsual && isWordCharacter(fieldSeparator)) return undefined;
  const fields = line.split(fieldSeparator, fieldsMax);
  const encodingCharacters = fields[1] ?? '';
  const componentSeparator = encodingCharacters.charAt(0) || '^';
  if (!(isUsual || usable(fieldSeparator, encodingCharacters)) || fields.length < 3) return undefined;
  const header: Header = {
    fieldSeparator,
    encodingCharacters,
    componentSeparator,
    field: (n) => (n === 1 ? fieldSeparator : (fields[n - 1] ?? '')),
    component(n, position) {
      const field = header.field(n);
      let from = 0;
      for (let at = 1; at < position; at += 1) {
        const next = field.indexOf(componentSeparator, from);
        if (next < 0) return '';
        from = next + 1;
      }
      const end = field.indexOf(componentSeparator, from);
      return field.slice(from, end < 0 ? field.length : end);
    },
    acknowledgment: false,
  };
  header.acknowledgment =
    header.component(9, 1) === 'ACK' && hasMsa(block, end, fieldSeparator) && isAllAcks(block, end);
  return header;
}

/** Leading line ends, blanks and a byte order mark are forgiven. */
function startOf(block: Buffer): number {
  let at = 0;
  if (block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf) at = 3;
  while (block[at] === CR || block[at] === LF || block[at] === 0x20 || block[at] === 0x09) at += 1;
  return at;
}

function isNamed(block: Buffer, at: number, name: string): boolean {
  return (
    block[at] === name.charCodeAt(0) &&
    block[at + 1] === name.charCodeAt(1) &&
    block[at + 2] === name.charCodeAt(2)
  );
}

function lineEnd(block: Buffer, from: number): number {
  const near = Math.min(block.length, from + usualBytes);
  for (let at = from; at < near; at += 1) if (block[at] === CR || block[at] === LF) return at;
  // A security token, or a header that is all of a frame: what is left is looked through natively.
  const ends = [block.indexOf(CR, near), block.indexOf(LF, near)].filter((at) => at >= 0);
  return Math.min(block.length, ...ends);
}

function nextLine(block: Buffer, from: number): number {
  let at = lineEnd(block, from);
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

/** No header from here on is that of another message than an acknowledgment: such a one is owed its answer. */
function isAllAcks(block: Buffer, from: number): boolean {
  for (let at = block.indexOf('MSH', from); at >= 0; at = block.indexOf('MSH', at + 3)) {
    if (block[at - 1] !== CR && block[at - 1] !== LF) continue;
    const fields = block.toString('latin1', at, lineEnd(block, at));
    const type = fields.split(fields.charAt(3), 9)[8] ?? '';
    if (!/^ACK(?![0-9A-Za-z])/.test(type)) return false;
  }
  return true;
}
