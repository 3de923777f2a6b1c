/** OBX-5 by its type in OBX-2 [HL7 7.4.2]. Numbers stay text: 7.40, <0.01, 1:80. */
import { createHash } from 'node:crypto';
import type { Attachment, Observation, SampledData } from '../../../proto/gen/hilum/v1/event.ts';
import { lookup } from '../lookup.ts';
import { trimmed, unitAt, upper } from '../text.ts';
import { period, timeOf } from './clock.ts';
import { codeOf, textOf } from './coded.ts';
import { typeOf } from './file-type.ts';
import type { Segment } from './message.ts';
import { comparedText, composite, numericRange, numericText, structured } from './numeric.ts';
import { ownUnits } from './own-units.ts';
import { Parts } from './parts.ts';
import { place, remark } from './scope.ts';
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
      files(to, segment, field, pointerOrFile);
      to.value = to.attachment?.pointer ?? '';
      to.furtherValues = to.furtherAttachments.map((one) => one.pointer);
      return;
    case 'NR':
      to.structured = numericRange(segment, field);
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
      texts(to, segment, field, type);
      if (to.furtherValues.length > 0 && !segment.has(6)) ownUnits(to, segment, field);
      return;
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
    if (type === 'NM' && text !== '' && !hasDigit(text)) {
      remark(segment.message.scope, `${place(segment, field)}: a number (NM) without a digit`);
    }
  }
}

function hasDigit(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = unitAt(text, i);
    if (unit >= 48 && unit <= 57) return true;
  }
  return false;
}

function textIn(parts: Parts, type: string): string {
  const number = numericText(parts, type);
  if (number !== undefined) return number;
  // In plain text a stray ^ or & is content.
  return type === 'TX' || type === 'FT' ? parts.whole().trimEnd() : trimmed(parts.content());
}

function coded(to: Observation, segment: Segment, field: number): void {
  const found = segment.repetitions(field);
  const [number = '', ...further] = found.map(comparedText);
  if (number !== '' && !further.includes('')) {
    to.value = number;
    to.furtherValues = further;
    remark(
      segment.message.scope,
      `${place(segment, field)}: a number with a comparator in the place of a code`,
    );
    return;
  }
  for (const parts of found) {
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
  JPEG: 'image/jpeg',
  TIF: 'image/tiff',
  TIFF: 'image/tiff',
  PNG: 'image/png',
  GIF: 'image/gif',
  PICT: 'image/x-pict',
  BASIC: 'audio/basic',
  POSTSCRIPT: 'application/postscript',
  SGML: 'text/sgml',
  'OCTET-STREAM': 'application/octet-stream',
});

const mimeType = /^(application|image|audio|text|video|multipart)$/i;

/** The MIME type that data type (0191) and subtype (0291) say, else as sent. */
function mime(type: string, subtype: string): string {
  // Some name the subtype in the place of the type.
  const known = subtypes[(subtype || type).toUpperCase()];
  if (known !== undefined) return known;
  if (subtype.includes('/')) return subtype;
  const family = families[type.toUpperCase()];
  if (family !== undefined) return `${family}/${subtype === '' ? 'plain' : subtype.toLowerCase()}`;
  if (mimeType.test(type) && subtype !== '') {
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
  const found = segment.repetitions(field);
  for (let at = 0; at < found.length; at++) {
    let parts = found[at] as Parts;
    // A text that was not escaped: what follows its ~ is no file of its own, though it may have separators too.
    for (; isPlain(parts) && goesOn(found[at + 1]); at++)
      parts = new Parts(parts.message, parts.start, (found[at + 1] as Parts).end, parts.separator);
    const file = read(parts, segment, field);
    if (file.data.length > left) file.data = new Uint8Array();
    left -= file.data.length;
    if (to.attachment === undefined) to.attachment = file;
    else to.furtherAttachments.push(file);
  }
}

/** ED with a text that is sent as it is. */
function isPlain(parts: Parts): boolean {
  return parts.has(5) && (encodings[parts.text(4).toLowerCase()] ?? 'a') === 'a' && isText(said(parts).type);
}

/** A further file says what it is or how it is written [HL7 2.A.24], or shows it. */
function goesOn(next: Parts | undefined): boolean {
  if (next === undefined) return false;
  if (!next.has(5)) return !said(next).misplaced;
  const [type, subtype] = [next.text(2).toUpperCase(), next.text(3).toUpperCase()];
  const named = mimeType.test(type) || (families[type] ?? subtypes[type] ?? subtypes[subtype]) !== undefined;
  return !named && encodings[next.text(4).toLowerCase()] === undefined;
}

function isText(contentType: string): boolean {
  return /^text\/|xml|rtf$/.test(contentType);
}

const encodings: Record<string, string> = lookup({
  a: 'a',
  hex: 'hex',
  base64: 'base64',
  'base-64': 'base64',
  base_64: 'base64',
  'base 64': 'base64',
  b64: 'base64',
});

/** What an ED says of its data, and they. */
interface Said {
  source: string;
  type: string;
  encoding: string;
  data: string;
  /** They stand elsewhere than they should. */
  misplaced: boolean;
}

/** ED: 1 source application, 2 type, 3 subtype, 4 encoding, 5 data [HL7 2.A.24]. */
function said(parts: Parts): Said {
  const source = parts.sub(1).text(1);
  const type = mime(parts.text(2), parts.text(3));
  const encoding = parts.text(4);
  if (parts.has(5)) return { source, type, encoding, data: dataOf(parts, type, encoding), misplaced: false };
  // A file alone, or behind fewer words than there should be, which say what they can.
  const last = parts.has(3) ? 3 : parts.has(2) ? 2 : 1;
  const data = parts.text(last);
  const bare = last === 1 && data.length > nameLettersMax;
  if (parts.has(4) || !(bare || isFile(data))) return { source, type, encoding, data: '', misplaced: false };
  const words = [1, 2].slice(0, last - 1).map((one) => parts.text(one));
  const named = words.find((one) => encodings[one.toLowerCase()] !== undefined) ?? '';
  const kind = words.find((one) => one !== named) ?? '';
  return { source: '', type: mime(kind, ''), encoding: named, data, misplaced: true };
}

/** The data alone, as of a piece of a file: no application has so long a name. */
const nameLettersMax = 40;

/** A separator that was not escaped is content of a text, as it is in TX. */
function dataOf(parts: Parts, type: string, encoding: string): string {
  const plain = (encodings[encoding.toLowerCase()] ?? 'a') === 'a' && isText(type);
  return plain ? trimmed(parts.message.text(parts.sub(5).start, parts.end)) : parts.text(5);
}

function embedded(parts: Parts, segment: Segment, field: number): Attachment {
  const { scope } = parts.message;
  const found = fresh.attachment();
  const { source, type, encoding, data, misplaced } = said(parts);

  found.sourceApplication = source;
  found.contentType = type;
  found.encoding = encoding;
  const tell = (what: string): void => remark(scope, `${place(segment, field)}: ${what}`);
  if (misplaced) tell('a file in the place of another part of it');
  let how = encodings[encoding.toLowerCase()];
  if (how === undefined) {
    // A picture is not written in these letters alone, and a text hardly begins like one.
    const asBase64 = isFile(data) || (!isText(type) && type !== '' && isBase64(data));
    if (asBase64) tell('no known encoding is named, read as Base64');
    else if (encoding !== '') tell('an encoding that is not known');
    how = asBase64 ? 'base64' : 'a';
  }
  const broken = how === 'base64' && isBroken(data);
  scope.files ??= new Map();
  scope.files.set(found, {
    data,
    encoding: encoding === '' && how === 'a' ? '' : how,
    broken: broken ? `${place(segment, field)}: ${missing}` : '',
    at: scope.at,
  });
  const decodedData = broken ? undefined : decoded(data, how);
  if (decodedData === undefined && !broken) tell('not in the encoding that it names');
  const bytes = decodedData ?? Buffer.from(data, 'utf8');
  if (type === '') found.contentType = typeOf(bytes);
  found.size = BigInt(bytes.length);
  found.hash = createHash('sha256').update(bytes).digest('hex');
  if (bytes.length <= scope.context.attachmentBytesMax) found.data = bytes;
  return found;
}

const missing =
  'Base64 of a length that it cannot have: something of it is missing, and it is kept as it was sent';

/** Base64 of a file that shows by its first bytes what it is. */
function isFile(text: string): boolean {
  return typeOf(Buffer.from(text.slice(0, 12), 'base64')) !== '' && !notBase64.test(text);
}

const notBase64 = /[^A-Za-z0-9+/=\s_-]/;

/** Whole and without a blank; shorter ones may be words. */
function isBase64(text: string): boolean {
  const letters = text.replace(/[\r\n]/g, '');
  return letters.length % 4 === 0 && /^[A-Za-z0-9+/]{16,}={0,2}$/.test(letters);
}

/** One character left over says six bits of eight. */
function isBroken(text: string): boolean {
  return text.replace(/[\s=]/g, '').length % 4 === 1;
}

function decoded(text: string, encoding: string): Buffer | undefined {
  if (encoding === 'base64') return notBase64.test(text) ? undefined : Buffer.from(text, 'base64');
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
  const sent = segment.whole(field);
  const { repetition, component } = segment.message.by;
  const [next, beside] = [repetition, component].map((one) => String.fromCharCode(one)) as [string, string];
  const moments = trimmedEnd(sent, next, beside).split(next);
  const wide = (moment: string): number => moment.split(beside).length;
  const dimensions = type === 'MA' ? moments.reduce((most, one) => Math.max(most, wide(one)), 1) : 1;
  const bytes = Buffer.from(sent, 'utf8');
  const kept = bytes.length <= segment.message.scope.context.attachmentBytesMax;
  // What is left out was not measured; without a place for it all behind it would be of another moment or channel.
  const data = (moment: string): string => {
    const numbers = moment.split(beside).map((number) => number.trim() || 'E');
    while (numbers.length < dimensions) numbers.push('E');
    return numbers.join(' ');
  };
  return {
    data: kept ? moments.map(data).join(' ') : '',
    count: type === 'MA' ? moments.length : moments.reduce((sum, one) => sum + wide(one), 0),
    dimensions,
    bytes: BigInt(bytes.length),
    hash: createHash('sha256').update(bytes).digest('hex'),
  };
}

/** Without repetitions at its end that say nothing. */
function trimmedEnd(sent: string, ...separators: readonly string[]): string {
  let end = sent.length;
  while (end > 0 && separators.includes(sent[end - 1] as string)) end--;
  const rest = sent.indexOf(separators[0] as string, end);
  return rest < 0 ? sent : sent.slice(0, rest);
}

/** A file that is sent in place of a pointer to it has the parts of an ED. */
function pointerOrFile(parts: Parts, segment: Segment, field: number): Attachment {
  if (!parts.has(5) || encodings[parts.text(4).toLowerCase()] === undefined) return pointer(parts);
  remark(parts.message.scope, `${place(segment, field)}: a file (ED) in an RP`);
  return embedded(parts, segment, field);
}

/** RP: 1 pointer, 2 application, 3 type, 4 subtype [HL7 2.A.65]. */
function pointer(parts: Parts): Attachment {
  const found = fresh.attachment();
  found.pointer = parts.text(1);
  found.sourceApplication = parts.sub(2).text(1);
  found.contentType = mime(parts.text(3), parts.text(4));
  return found;
}
