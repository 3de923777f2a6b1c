/**
 * MSH-18: which characters the bytes are [HL7 table 0211].
 *
 * Charsets whose bytes below 0x80 always mean ASCII are read in place. In Shift_JIS, Big5,
 * GB 18030, KS X 1001 and ISO 2022 a trail byte can equal a delimiter, so such a message is
 * walked by characters: it is brought to UTF-8 once, and the offsets are those of that copy.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { type Encoding, encodingOf } from '../../../proto/charset-names.ts';
import { lookup } from '../lookup.ts';
import type { Delimiters } from './delimiters.ts';
import { decodeIso2022, eightBitKatakana, shiftsToJapanese } from './iso2022.ts';

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

/** Two bytes a character, of which the second may be of ASCII. */
const walked = new Set<Encoding>(['shift_jis', 'euc-jp', 'gb18030', 'big5', 'cp949']);
/** Reached by escape sequences, or beside it. */
const japanese = new Set<Encoding>(['iso-2022-jp', 'jis_x0201']);
/** Where letters beyond ASCII hardly ever follow each other in the way of UTF-8, whatever it then says. */
const western = new Set<Encoding>(['iso-8859-1', 'iso-8859-15', 'windows-1252']);
/** What Windows says by the same name, and by bytes that are no letters in the standard. */
const pages: Record<Encoding, Encoding> = lookup({
  'iso-8859-1': 'windows-1252',
  'iso-8859-9': 'windows-1254',
  'iso-8859-11': 'windows-874',
  tis620: 'windows-874',
});

/**
 * `names` are the repetitions of MSH-18 as sent; `whole` is the message, to see what fits.
 * @param ofSource what the config says of the source, where the message says nothing
 */
export function charsetOf(names: string[], whole: Buffer, by: Delimiters, ofSource = ''): Charset {
  if (names.length === 0 && ofSource === '' && isAscii(whole) && !shiftsToJapanese(whole)) return ascii;
  const silent = names.every((name) => name.trim() === '');
  const said = silent && ofSource !== '' ? [ofSource] : names;
  const asked = said.map((name) => (name.trim() === '' ? 'ascii' : encodingOf(name)));
  const first = said.length === 0 ? 'ascii' : asked[0];
  const shown = asked.find((name) => japanese.has(name ?? '')) ?? first ?? 'an unknown charset';
  let says = `MSH-18: says ${shown}`;
  if (silent) says = ofSource === '' ? 'MSH-18: empty' : `MSH-18: empty, and the config says ${shown}`;
  // An alternate ISO 2022 set is reached from the first one by escape sequences.
  if (asked.some((name) => japanese.has(name ?? ''))) {
    return (
      utf8Instead(asked.includes('jis_x0201') ? 'jis_x0201' : 'iso-2022-jp', whole, says) ??
      iso2022(asked, whole, by)
    );
  }
  if (shiftsToJapanese(whole)) {
    const remark = `${says}, but has escape sequences of ISO 2022, and is read as ISO-2022-JP`;
    return { ...iso2022(asked, whole, by), remark };
  }
  if (asked.length > 1 && !isAscii(whole)) return ofSeveral(asked, whole, says);
  return ofOne(first, whole, says);
}

/**
 * The first repetition is the default set, the others are alternates [HL7 2.9.2.18]. Under ASCII every byte from 80 up
 * can only be of the alternate, where there is one. Under any other default nothing says which of them a byte is of.
 */
function ofSeveral(asked: readonly (Encoding | undefined)[], whole: Buffer, says: string): Charset {
  const [first] = asked;
  const others = [...new Set(asked.filter((name) => name !== first && name !== 'ascii'))];
  const [other] = others;
  if (first === 'ascii' && others.length === 1) return ofOne(other, whole, `MSH-18: says ${other}`);
  const found = ofOne(first, whole, says);
  if (others.length === 0 || first === undefined || first === 'utf-8' || found.name === 'UTF-8') return found;
  return { ...found, remark: `MSH-18: several charsets, of which each byte could be, read as ${found.name}` };
}

function ofOne(first: Encoding | undefined, whole: Buffer, says: string): Charset {
  if (first === undefined) {
    const fallback = utf8(whole, true);
    return { ...fallback, remark: `MSH-18: unknown charset, read as ${fallback.name}` };
  }
  // Where nothing else was declared, text that is all ASCII is just that.
  if (first === 'ascii') return isAscii(whole) ? ascii : utf8(whole, false);
  if (first === 'utf-8') return utf8(whole, true);
  return utf8Instead(first, whole, says) ?? asWindows(first, whole, says) ?? viaIconv(first);
}

/** All of it is, whatever is decoded; frozen, because most messages have it. */
const ascii: Charset = Object.freeze({
  name: 'ASCII',
  walked: false,
  decode: utf8Text,
  unescape: utf8OrWindows,
});

/** UTF-8 of a sender who never changed MSH-18: all is valid, and it is no text of what was declared. */
function utf8Instead(encoding: Encoding, whole: Buffer, says: string): Charset | undefined {
  if (isAscii(whole) || !isUtf8(whole) || !meansUtf8(encoding, whole)) return undefined;
  return { ...utf8(whole, true), remark: `${says}, but all is UTF-8, and is read so` };
}

/** @param whole valid as UTF-8 */
function meansUtf8(encoding: Encoding, whole: Buffer): boolean {
  if (encoding === 'jis_x0201') return strange.test(eightBitKatakana(whole));
  // Of seven bits. With Japanese text in them, the others stand beside it.
  if (encoding === 'iso-2022-jp') return !shiftsToJapanese(whole);
  // "Ã¼" beside nothing else is no Western text.
  if (western.has(encoding) || strange.test(iconv.decode(whole, encoding))) return true;
  const wide = walked.has(encoding);
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

/** What stands for no letter: bytes that a charset does not have, and the controls of C1. */
const strange = /[\u0080-\u009f\ufffd]/;
/** From here on Han, kana, Hangul: three bytes each, which in two-byte sets hardly ever fit on each other so. */
const firstWide = 0x2e80;

/** True where a decoded text has something that is no letter of what it was decoded with. */
export function isStrange({ name }: Charset, text: string): boolean {
  // In UTF-8 it was sent so.
  return name !== 'UTF-8' && name !== 'ASCII' && strange.test(text);
}

function utf8(whole: Buffer, declared: boolean): Charset {
  if (isUtf8(whole))
    return {
      name: 'UTF-8',
      walked: false,
      decode: utf8Text,
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

function utf8Text(bytes: Buffer): string {
  return bytes.toString('utf8');
}

/** A single field may still be good UTF-8. */
function utf8OrWindows(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : iconv.decode(bytes, 'windows-1252');
}

/** What to tell where `unescape` reads the bytes as another charset than that of the message. */
export function foreignBytes({ name }: Charset, bytes: Buffer): string | undefined {
  const page = name === 'UTF-8' || name === 'ASCII' ? 'windows-1252' : pages[name.toLowerCase()];
  const standard = name === 'ASCII' ? 'UTF-8' : name;
  const fits = standard === 'UTF-8' ? isUtf8(bytes) : page === undefined || !hasC1(bytes);
  return fits ? undefined : `MSH-18: an escape sequence that is not ${standard}, read as ${page}`;
}

/** Where Windows' page of the same letters is meant: quotes, dashes and € stand in it where the standard has controls. */
function asWindows(encoding: Encoding, whole: Buffer, says: string): Charset | undefined {
  const page = pages[encoding];
  if (page === undefined) return undefined;
  const windows = viaIconv(page);
  if (!hasC1(whole)) return { ...viaIconv(encoding), unescape: windows.decode };
  return {
    ...windows,
    remark: `${says}, but has bytes (80 to 9F) of ${page}, and is read so`,
  };
}

function hasC1(bytes: Buffer): boolean {
  if (isAscii(bytes)) return false;
  for (const byte of bytes) if (byte >= 0x80 && byte < 0xa0) return true;
  return false;
}

function iso2022(asked: readonly (Encoding | undefined)[], whole: Buffer, by: Delimiters): Charset {
  const [first = 'ascii'] = asked;
  const bytewise = first !== 'ascii' && first !== 'utf-8' && !japanese.has(first);
  // What has eight bits is of the set that was declared for it.
  let beside = bytewise ? viaIconv(first).decode : utf8Text;
  if (asked.includes('jis_x0201')) beside = eightBitKatakana;
  const decode = (bytes: Buffer): string => decodeIso2022(bytes, by, beside);
  const charset: Charset = { name: 'ISO-2022-JP', walked: true, decode, unescape: decode };
  if (beside === utf8Text && first !== 'utf-8' && !isAscii(whole) && isUtf8(whole))
    charset.remark = 'MSH-18: bytes beside ISO-2022-JP, read as UTF-8';
  return charset;
}

function viaIconv(encoding: Encoding): Charset {
  const decode = (bytes: Buffer): string => iconv.decode(bytes, encoding);
  return { name: encoding.toUpperCase(), walked: walked.has(encoding), decode, unescape: decode };
}
