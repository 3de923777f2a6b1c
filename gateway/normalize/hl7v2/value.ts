/** OBX-5 by its type in OBX-2 [HL7 7.4.2]. Numbers stay text: 7.40, <0.01, 1:80. */

import { createHash } from 'node:crypto';
import type {
  Attachment,
  Observation,
  SampledData,
  StructuredNumeric,
} from '../../../proto/gen/hilum/v1/event.ts';
import { lookup } from '../lookup.ts';
import { trimmed, upper } from '../text.ts';
import { period, timeOf } from './clock.ts';
import { codeOf, textOf, unitText } from './coded.ts';
import type { Segment } from './message.ts';
import type { Parts } from './parts.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';

export function observedValue(to: Observation, segment: Segment, field: number): void {
  const type = upper(segment.text(2));
  switch (type) {
    case 'CE':
    case 'CF':
    case 'CNE':
    case 'CWE':
    case 'IS':
    case 'ID':
      coded(to, segment, field);
      return;
    case 'NA':
    case 'MA':
      to.samples = sampled(segment, field, type);
      return;
    case 'SN':
      structured(to, segment, field);
      break;
    case 'ED':
      files(to, segment, field, embedded);
      return;
    case 'RP':
      files(to, segment, field, pointer);
      to.value = to.attachment?.pointer ?? '';
      to.furtherValues = to.furtherAttachments.map((one) => one.pointer);
      return;
    case 'NR':
      to.structured = numericRange(segment.parts(field));
      break;
    case 'DR':
      to.valuePeriod = period(segment, field);
      break;
    case 'DT':
    case 'DTM':
    case 'TS':
      to.valueTime = timeOf(segment.parts(field), 1, segment, field);
      break;
    case 'CQ':
      composite(to, segment.parts(field));
      break;
    case 'TX':
    case 'FT':
    case 'ST':
    case 'NM':
      break;
  }
  texts(to, segment, field, type);
}

function texts(to: Observation, segment: Segment, field: number, type: string): void {
  // The repetitions of a text are its lines, and a line may be blank.
  const found = segment.repetitions(field, type === 'TX' || type === 'FT');
  for (let i = 0; i < found.length; i++) {
    const text = textIn(found[i] as Parts, type);
    if (i === 0) to.value = text;
    else to.furtherValues.push(text);
    // What a monitor shows where it has no number: INV, ***, ---.
    if (type === 'NM' && text !== '' && !/\d/.test(text)) {
      remark(segment.message.scope, `${place(segment, field)}: a number (NM) without a digit`);
    }
  }
}

/** With the set id of its row, which tells it from the others. */
export function place(segment: Segment, field: number): string {
  const row = segment.text(1);
  return /^\d{1,6}$/.test(row) ? `${segment.name}[${row}]-${field}` : `${segment.name}-${field}`;
}

function textIn(parts: Parts, type: string): string {
  if (type === 'SN') return sn(parts);
  if (type === 'CQ') return parts.text(1);
  // From and to [v2-to-FHIR, OBX-5].
  if (type === 'NR' || type === 'VR') return [parts.text(1), parts.text(2)].filter(Boolean).join('-');
  // In plain text a stray ^ or & is content.
  return type === 'TX' || type === 'FT' ? parts.whole().trimEnd() : trimmed(parts.content());
}

function coded(to: Observation, segment: Segment, field: number): void {
  for (const parts of segment.repetitions(field)) {
    const code = codeOf(parts);
    if (code === undefined) continue;
    if (to.valueCode === undefined) {
      to.valueCode = code;
      to.value = textOf(code);
    } else {
      to.furtherValueCodes.push(code);
      to.furtherValues.push(textOf(code));
    }
  }
}

const comparators = new Set(['', '<', '>', '<=', '>=', '=', '<>']);

/** SN: comparator, number, separator, number [HL7 2.A.70]. */
function structured(to: Observation, segment: Segment, field: number): void {
  // The first repetition may be empty: the value is that of the first one that has something.
  const parts = segment.repetitions(field)[0] ?? segment.parts(field);
  const begin = parts.text(1);
  if (!comparators.has(begin)) {
    remark(parts.message.scope, `${place(segment, field)}: an SN that does not begin with a comparator`);
    // With a number there its parts stand in other places than they should: nobody knows which of them is the number.
    if (/\d/.test(begin)) return;
  }
  const [comparator, number1, separator, number2] = [1, 2, 3, 4].map((part) => parts.text(part));
  to.structured = {
    comparator: comparator ?? '',
    number1: number1 ?? '',
    separator: separator ?? '',
    number2: number2 ?? '',
  };
}

/** CQ: a number and its unit in subcomponents; OBX-6, where it has one, stands above it [HL7 2.A.20]. */
function composite(to: Observation, parts: Parts): void {
  if (!parts.has(2)) return;
  to.unitCode = codeOf(parts.sub(2));
  to.unit = unitText(to.unitCode);
}

/** NR: from 1 to 2 [HL7 2.A.48]. */
function numericRange(parts: Parts): StructuredNumeric {
  return { comparator: '', number1: parts.text(1), separator: '-', number2: parts.text(2) };
}

function sn(parts: Parts): string {
  return parts.text(1) + parts.text(2) + parts.text(3) + parts.text(4);
}

const families: Record<string, string> = lookup({
  IM: 'image',
  AU: 'audio',
  TEXT: 'text',
  TX: 'text',
  FT: 'text',
  VIDEO: 'video',
  // Images, scanned or not.
  NS: 'image',
  SI: 'image',
  AP: 'application',
});
const subtypes: Record<string, string> = lookup({
  PDF: 'application/pdf',
  'X-PDF': 'application/pdf',
  RTF: 'application/rtf',
  HTML: 'text/html',
  XML: 'application/xml',
  'X-HL7-CDA-LEVEL-ONE': 'application/hl7-cda+xml',
  DICOM: 'application/dicom',
  JPG: 'image/jpeg',
  PICT: 'image/x-pict',
  BASIC: 'audio/basic',
  POSTSCRIPT: 'application/postscript',
  SGML: 'text/sgml',
  'OCTET-STREAM': 'application/octet-stream',
});

/** The MIME type that data type (0191) and subtype (0291) say, else as sent. */
function mime(type: string, subtype: string): string {
  const known = subtypes[subtype.toUpperCase()];
  if (known !== undefined) return known;
  if (subtype.includes('/')) return subtype;
  const family = families[type.toUpperCase()];
  if (family !== undefined) return `${family}/${subtype === '' ? 'plain' : subtype.toLowerCase()}`;
  if (/^(application|image|audio|text|video|multipart)$/i.test(type) && subtype !== '') {
    return `${type}/${subtype}`.toLowerCase();
  }
  return [type, subtype].filter(Boolean).join('/');
}

/** A file a repetition. Their bytes count together, so that many small ones are no way around the limit. */
function files(
  to: Observation,
  segment: Segment,
  field: number,
  read: (parts: Parts, segment: Segment, field: number) => Attachment,
): void {
  let left = segment.message.scope.context.attachmentBytesMax;
  for (const parts of segment.repetitions(field)) {
    const file = read(parts, segment, field);
    if (file.data.length > left) file.data = new Uint8Array();
    left -= file.data.length;
    if (to.attachment === undefined) to.attachment = file;
    else to.furtherAttachments.push(file);
  }
}

/** ED: 1 source application, 2 type, 3 subtype, 4 encoding, 5 data [HL7 2.A.24]. */
function embedded(parts: Parts, segment: Segment, field: number): Attachment {
  const found = fresh.attachment();
  const bare = isBare(parts);
  if (bare)
    remark(
      parts.message.scope,
      `${segment.name}-${field}: a file without its type and encoding, kept as it was sent`,
    );
  else found.sourceApplication = parts.sub(1).text(1);
  found.contentType = mime(parts.text(2), parts.text(3));
  found.encoding = parts.text(4);
  const sent = parts.text(bare ? 1 : 5);
  const data = decoded(sent, found.encoding.toLowerCase());
  if (data === undefined)
    remark(parts.message.scope, `${segment.name}-${field}: not in the encoding that it names`);
  const bytes = data ?? Buffer.from(sent, 'utf8');
  found.size = BigInt(bytes.length);
  found.hash = createHash('sha256').update(bytes).digest('hex');
  if (bytes.length <= parts.message.scope.context.attachmentBytesMax) found.data = bytes;
  return found;
}

/** The data alone: no application has so long a name. */
function isBare(parts: Parts): boolean {
  return ![2, 3, 4, 5].some((part) => parts.has(part)) && parts.text(1).length > nameLettersMax;
}

const nameLettersMax = 40;

/** Four letters are three bytes; of one letter too many no bytes can be made. */
function isWhole(base64: string): boolean {
  const letters = /\s/.test(base64) ? base64.replace(/\s/g, '') : base64;
  let length = letters.length;
  while (length > 0 && letters[length - 1] === '=') length--;
  return length % 4 !== 1;
}

function decoded(text: string, encoding: string): Buffer | undefined {
  if (encoding === 'base64') {
    const isBase64 = !/[^A-Za-z0-9+/=\s_-]/.test(text) && isWhole(text);
    return isBase64 ? Buffer.from(text, 'base64') : undefined;
  }
  if (encoding === 'hex') {
    const bytes = Buffer.from(text, 'hex');
    return bytes.length * 2 === text.length ? bytes : undefined;
  }
  return Buffer.from(text, 'utf8');
}

/**
 * NA: a number a component; MA: a moment a repetition, a channel a component [HL7 2.A]. A waveform of
 * some hundred numbers is not a value to be compared or printed.
 */
function sampled(segment: Segment, field: number, type: string): SampledData {
  const moments: string[] = [];
  let dimensions = 1;
  for (const parts of segment.repetitions(field)) {
    const numbers = parts.whole().split(String.fromCharCode(segment.message.by.component));
    for (const number of numbers) moments.push(number.trim() || 'E');
    if (type === 'MA') dimensions = Math.max(dimensions, numbers.length);
  }
  const sent = Buffer.from(segment.whole(field), 'utf8');
  return {
    data: sent.length <= segment.message.scope.context.attachmentBytesMax ? moments.join(' ') : '',
    count: Math.ceil(moments.length / dimensions),
    dimensions,
    bytes: BigInt(sent.length),
    hash: createHash('sha256').update(sent).digest('hex'),
  };
}

/** RP: 1 pointer, 2 application, 3 type, 4 subtype [HL7 2.A.65]. */
function pointer(parts: Parts): Attachment {
  const found = fresh.attachment();
  found.pointer = parts.text(1);
  found.sourceApplication = parts.sub(2).text(1);
  found.contentType = mime(parts.text(3), parts.text(4));
  return found;
}
