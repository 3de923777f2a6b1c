/**
 * MSH-18: which characters the bytes are [HL7 table 0211].
 *
 * Charsets whose bytes below 0x80 always mean ASCII are read in place. In Shift_JIS, Big5,
 * GB 18030, KS X 1001 and ISO 2022 a trail byte can equal a delimiter, so such a message is
 * walked by characters: it is brought to UTF-8 once, and the offsets are those of that copy.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { lookup } from '../lookup.ts';
import type { Delimiters } from './delimiters.ts';
import { decodeIso2022 } from './iso2022.ts';

export interface Charset {
  /** For provenance. */
  name: string;
  /** True where a trail byte can equal a delimiter. */
  walked: boolean;
  decode(bytes: Buffer): string;
  /** What an escape sequence says in bytes: those of the sender's charset, whatever the message's own are by now. */
  unescape(bytes: Buffer): string;
  remark?: string;
}

/** Names of charsets that are walked. */
const encodings: Record<string, string> = lookup({
  'KS X 1001': 'cp949',
  'EUC-KR': 'cp949',
  'CNS 11643-1992': 'big5',
  'BIG-5': 'big5',
  BIG5: 'big5',
  'GB 18030-2000': 'gb18030',
  'GB 18030': 'gb18030',
  GB18030: 'gb18030',
  GB2312: 'gb18030',
  GBK: 'gb18030',
  SHIFT_JIS: 'shift_jis',
  'SHIFT-JIS': 'shift_jis',
  SJIS: 'shift_jis',
  'EUC-JP': 'euc-jp',
});
/** One byte a character, ASCII below 0x80. The registration numbers (ISO-IR) are how DICOM names the parts of ISO 8859. */
const singleByte: Record<string, string> = lookup({
  'ISO IR100': 'iso-8859-1',
  'ISO IR101': 'iso-8859-2',
  'ISO IR109': 'iso-8859-3',
  'ISO IR110': 'iso-8859-4',
  'ISO IR144': 'iso-8859-5',
  'ISO IR127': 'iso-8859-6',
  'ISO IR126': 'iso-8859-7',
  'ISO IR138': 'iso-8859-8',
  'ISO IR148': 'iso-8859-9',
  LATIN1: 'iso-8859-1',
  'LATIN-1': 'iso-8859-1',
  'KOI8-R': 'koi8-r',
  'KOI8-U': 'koi8-u',
  'TIS-620': 'tis620',
  CP437: 'cp437',
  CP850: 'cp850',
  IBM850: 'cp850',
  CP852: 'cp852',
  CP866: 'cp866',
});
/** Where letters beyond ASCII hardly ever follow each other in the way of UTF-8, whatever it then says. */
const western = new Set(['iso-8859-1', 'iso-8859-15', 'windows-1252']);
const walkedEncodings = new Set(Object.values(encodings));
const iso2022 = new Set(['ISO IR87', 'ISO IR159', 'ISO IR14', 'ISO-2022-JP', 'JIS']);
const utf8Names = new Set(['UNICODE UTF-8', 'UTF-8', 'UTF8', 'UNICODE', 'ISO IR192']);
const asciiNames = new Set(['', 'ASCII', 'US-ASCII', 'ISO IR6']);

/** `names` are the repetitions of MSH-18 as sent; `whole` is the message, to see what fits. */
export function charsetOf(names: string[], whole: Buffer, by: Delimiters): Charset {
  const asked = names.map((name) =>
    name
      .trim()
      .toUpperCase()
      .replace(/^ISO[-_ ]IR[-_ ]?/, 'ISO IR'),
  );
  const first = asked[0] ?? '';
  // An alternate ISO 2022 set is reached from the first one by escape sequences.
  if (asked.some((name) => iso2022.has(name))) {
    const instead = utf8Instead('iso-2022-jp', whole);
    if (instead !== undefined) return instead;
    const decode = (bytes: Buffer): string => decodeIso2022(bytes, by, (some) => some.toString('utf8'));
    return { name: 'ISO-2022-JP', walked: true, decode, unescape: decode };
  }
  if (asciiNames.has(first) || utf8Names.has(first)) {
    const found = utf8(whole, utf8Names.has(first));
    // Where nothing else was declared, text that is all ASCII is just that.
    return utf8Names.has(first) || !isAscii(whole) ? found : { ...found, name: 'ASCII' };
  }
  const part = /^(?:ISO[-_ ]?)?8859[-_/ ](\d{1,2})$/.exec(first)?.[1];
  const page = /^(?:CP|WIN(?:DOWS)?)[- ]?(125[0-8]|874)$/.exec(first)?.[1];
  const single = part !== undefined ? `iso-8859-${part}` : page !== undefined ? `windows-${page}` : '';
  const bytewise = single || singleByte[first];
  if (bytewise !== undefined && iconv.encodingExists(bytewise)) {
    return utf8Instead(bytewise, whole) ?? viaIconv(bytewise.toUpperCase(), bytewise, false);
  }
  const walked = encodings[first];
  if (walked !== undefined) return utf8Instead(walked, whole) ?? viaIconv(walked.toUpperCase(), walked, true);
  const fallback = utf8(whole, true);
  return { ...fallback, remark: `MSH-18: unknown charset, read as ${fallback.name}` };
}

/** UTF-8 of a sender who never changed MSH-18: all is valid, and it is no text of what was declared. */
function utf8Instead(encoding: string, whole: Buffer): Charset | undefined {
  if (isAscii(whole) || !isUtf8(whole) || !meansUtf8(encoding, whole)) return undefined;
  return { ...utf8(whole, true), remark: `MSH-18: says ${encoding}, but all is UTF-8, and is read so` };
}

/** @param whole valid as UTF-8 */
function meansUtf8(encoding: string, whole: Buffer): boolean {
  // "Ã¼" beside nothing else is no Western text; and ISO 2022 has seven bits.
  if (western.has(encoding) || encoding === 'iso-2022-jp') return true;
  if (strange.test(iconv.decode(whole, encoding))) return true;
  const wide = walkedEncodings.has(encoding);
  let own = 0;
  for (const character of new Set(whole.toString('utf8'))) {
    const code = character.codePointAt(0) as number;
    if (code < 0x80) continue;
    // Of GB 18030, which has all of Unicode, the part that two bytes say.
    const known = iconv.encode(character, encoding === 'gb18030' ? 'gbk' : encoding)[0] !== 0x3f;
    if (known && (!wide || code >= firstWide)) own++;
    // Letters of another script: "ТА" of 8859/5 is "°", "些" of GBK is "Щ", and more of the kind is "ӣ", "Ҽ", "ߏ".
    else if (!known && code > 0xff && (!wide || code < firstWide) && /\p{L}/u.test(character)) return false;
  }
  return own > 0;
}

/** What no charset has for a letter: bytes that it does not know, and the controls of C1. */
const strange = /[\u0080-\u009f\ufffd]/;
/** From here on Han, kana, Hangul: three bytes each, which in two-byte sets hardly ever fit on each other so. */
const firstWide = 0x2e80;

function utf8(whole: Buffer, declared: boolean): Charset {
  if (isUtf8(whole))
    return {
      name: 'UTF-8',
      walked: false,
      decode: (bytes) => bytes.toString('utf8'),
      unescape: utf8OrWindows,
    };
  return {
    name: 'WINDOWS-1252',
    walked: false,
    decode: utf8OrWindows,
    unescape: utf8OrWindows,
    remark: `MSH-18: ${declared ? 'not valid UTF-8' : 'no charset declared and not UTF-8'}, read as windows-1252`,
  };
}

/** A single field may still be good UTF-8. */
function utf8OrWindows(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : iconv.decode(bytes, 'windows-1252');
}

/** True where `unescape` reads the bytes as another charset than that of the message. */
export function isForeign({ name }: Charset, bytes: Buffer): boolean {
  return (name === 'UTF-8' || name === 'ASCII') && !isUtf8(bytes);
}

function viaIconv(name: string, encoding: string, walked: boolean): Charset {
  const decode = (bytes: Buffer): string => iconv.decode(bytes, encoding);
  return { name, walked, decode, unescape: decode };
}
