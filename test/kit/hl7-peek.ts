/**
 * The few HL7 v2 fields a sender must read for itself: its own MSH-10, and MSA-1, MSA-2, ERR of an answer.
 * Written apart from the gateway's scanner on purpose. Delimiters come from MSH-1 and MSH-2. [HL7 2.5.4]
 */

export interface Acknowledgment {
  /** MSA-1: AA AE AR CA CE CR. */
  readonly code: string;
  /** MSA-2: the message control ID that is answered. */
  readonly controlId: string;
  /** MSH-10 of the answer itself. */
  readonly ownControlId: string;
  readonly bytes: Buffer;
}

/** MSH-10 of a message; '' where there is none. */
export function controlIdOf(message: Buffer): string {
  return fieldOf(message, 0, 9);
}

/** Reads an answer. Throws where it has no MSH or no MSA: such bytes answer nothing. */
export function readAcknowledgment(message: Buffer): Acknowledgment {
  if (message.toString('latin1', 0, 3) !== 'MSH') throw new Error('answer without MSH');
  const msa = segmentAt(message, 'MSA');
  if (msa < 0) throw new Error('answer without MSA');
  return {
    code: fieldOf(message, msa, 1),
    controlId: fieldOf(message, msa, 2),
    ownControlId: controlIdOf(message),
    bytes: message,
  };
}

function segmentAt(message: Buffer, name: string): number {
  const separator = String.fromCharCode(message[3] ?? 0x7c);
  const at = message.indexOf(`\r${name}${separator}`, 0, 'latin1');
  return at < 0 ? -1 : at + 1;
}

// The text between the count-th separator of a segment and the next one. In MSH the separator itself is
// MSH-1, so MSH-10 follows the ninth separator while MSA-1 follows the first.
function fieldOf(message: Buffer, segment: number, count: number): string {
  const separator = message[3] ?? 0x7c;
  let start = segment;
  for (let seen = 0; seen < count; start += 1) {
    const byte = message[start];
    if (byte === undefined || byte === 0x0d) return '';
    if (byte === separator) seen += 1;
  }
  let end = start;
  while (end < message.length && message[end] !== separator && message[end] !== 0x0d) end += 1;
  return message.toString('latin1', start, end);
}
