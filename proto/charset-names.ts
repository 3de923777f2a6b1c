/**
 * Names of charsets, as messages and configs say them: HL7 table 0211, IANA, the numbers of registrations (ISO-IR, as
 * DICOM says them) and of code pages. Case, blanks and punctuation do not matter.
 */

/** `ascii`, `utf-8`, `iso-2022-jp`, `jis_x0201` (in eight bits), else what iconv calls it. */
export type Encoding = string;

const named: Readonly<Record<Encoding, string>> = {
  ascii: 'ASCII USASCII ISOIR6',
  'utf-8': 'UTF8 UNICODEUTF8 UNICODE ISOIR192',
  'iso-2022-jp': 'ISO2022JP JIS JISX0202 JAS2020 ISOIR87 ISOIR159 ISOIR14',
  jis_x0201: 'ISOIR13',
  shift_jis: 'SHIFTJIS SJIS XSJIS CP932 MS932 WINDOWS932 WINDOWS31J MSKANJI',
  'euc-jp': 'EUCJP XEUCJP',
  gb18030: 'GB18030 GB180302000 GB180302005 GB180302022 GB2312 GBK EUCCN CP936 MS936 WINDOWS936',
  big5: 'BIG5 BIG5HKSCS CNS11643 CNS116431992 CP950 MS950 WINDOWS950',
  cp949: 'KSX1001 KSC5601 KSC56011987 EUCKR UHC CP949 MS949 WINDOWS949 ISOIR149',
  'iso-8859-1': 'LATIN1 ISOIR100',
  'iso-8859-2': 'LATIN2 ISOIR101',
  'iso-8859-3': 'LATIN3 ISOIR109',
  'iso-8859-4': 'LATIN4 ISOIR110',
  'iso-8859-5': 'ISOIR144',
  'iso-8859-6': 'ISOIR127',
  'iso-8859-7': 'ISOIR126',
  'iso-8859-8': 'ISOIR138',
  'iso-8859-9': 'LATIN5 ISOIR148',
  'iso-8859-15': 'LATIN9 ISOIR203',
  'koi8-r': 'KOI8R',
  'koi8-u': 'KOI8U',
  tis620: 'TIS620 TIS6202533 ISOIR166',
  cp437: 'CP437 IBM437',
  cp850: 'CP850 IBM850',
  cp852: 'CP852 IBM852',
  cp866: 'CP866 IBM866',
};

const encodings: ReadonlyMap<string, Encoding> = new Map(
  Object.entries(named).flatMap(([encoding, names]) =>
    names.split(' ').map((name) => [name, encoding] as const),
  ),
);

/** Undefined for a name that is none. */
export function encodingOf(name: string): Encoding | undefined {
  const key = name
    .toUpperCase()
    .replace(/:\d{4}$/, '') // the year of a standard: ISO_8859-1:1987
    .replace(/[^A-Z0-9]/g, '')
    .replace(/^ISO2022IR/, 'ISOIR');
  // I and E: how a text of Hebrew or Arabic is ordered, not what its letters are.
  const part = /^(?:ISO)?8859([1-9]|1[013-6])[IE]?$/.exec(key)?.[1];
  if (part !== undefined) return `iso-8859-${part}`;
  const page = /^(?:CP|MS|WIN(?:DOWS)?)(125[0-8]|874)$/.exec(key)?.[1];
  return page !== undefined ? `windows-${page}` : encodings.get(key);
}

/** A name of each, to suggest one. */
export const charsetNames: readonly string[] = (
  'ASCII UTF-8 ISO-2022-JP SHIFT_JIS EUC-JP GB18030 GBK GB2312 BIG5 EUC-KR CP949 KOI8-R KOI8-U TIS-620 CP437 CP850 CP852 CP866 ' +
  `${[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16].map((part) => `8859/${part} ISO-8859-${part}`).join(' ')} ` +
  [0, 1, 2, 3, 4, 5, 6, 7, 8].map((page) => `WINDOWS-125${page}`).join(' ')
).split(' ');
