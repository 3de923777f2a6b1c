/** What systems send that nobody expects, by kind: values that a field may not hold, and what stands between them. */
import { below, type Random } from '../kit/random.ts';

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}

/** Mostly small, seldom huge, so that a run sees many cases and some that hurt. */
export function howMany(random: Random, hugeMax: number): number {
  const turn = random();
  if (turn < 0.7) return 1 + below(random, 8);
  if (turn < 0.95) return 1 + below(random, 200);
  return 1 + below(random, hugeMax);
}

export const numbers = [
  '0',
  '-0',
  '00007',
  '+5',
  '.5',
  '5.',
  '1,5',
  '1e999',
  '1e-999',
  '-1.7976931348623157e309',
  'NaN',
  'Infinity',
  '0x1F',
  '9007199254740993',
  '9223372036854775808',
  '18446744073709551616',
  '-99999999999999999999999999',
  `${'9'.repeat(300)}.${'9'.repeat(300)}`,
  '<0.01',
  '1:80',
  '٣',
];

export const times = [
  '0',
  '0000',
  '00000000',
  '2026',
  '202613',
  '20260229',
  '20240229',
  '20260332',
  '99991231235959.9999+9999',
  '00010101',
  '20260329023000',
  '20261025023000',
  '20261025023000+0100',
  '20261025023000.123456789-1200',
  '20261123246060',
  '2026112308',
  '20261123081500+01',
  '2026-11-23T08:15:00+01:00',
  '2026-11-23T25:61:61Z',
  '+275760-09-13T00:00:00Z',
  '-000001-01-01T00:00:00Z',
  '19700101000000',
  '8640000000000001',
  '-8640000000000001',
  '1e400',
  'today',
];

export const escapes = [
  '\\',
  '\\\\',
  '\\F',
  '\\X',
  '\\X4',
  '\\X4\\',
  '\\XZZ\\',
  `\\X${'4142'.repeat(200)}\\`,
  '\\E',
  '\\T\\\\S\\\\R\\\\F\\\\E\\',
  '\\H\\bold\\N\\',
  '\\.br\\',
  '\\.sp99999999\\',
  '\\.in-99999\\',
  '\\C2842\\',
  '\\M242A44\\',
  '\\Zfoo\\',
  '\\U+1F600\\',
  `\\${'.'.repeat(500)}\\`,
];

export const charsets = [
  'UNICODE UTF-8',
  '8859/1',
  '8859/15',
  '8859/99',
  'ASCII',
  'GB 18030-2000',
  'BIG-5',
  'KS X 1001',
  'ISO IR87',
  'ISO IR14~ISO IR87~ISO IR159',
  'SHIFT_JIS',
  'UNICODE UTF-16',
  'UNICODE UTF-32',
  'EBCDIC',
  '',
  '""',
  '~~~~',
];

export const values = [...numbers, ...times, '', '""', '"', ' ', '\u0000', '__proto__', 'constructor', 'é'];

export const types =
  'NM ST TX FT CE CWE CNE SN ED RP DT TM TS DTM NA MA CX XPN XAD XTN XCN TN ID IS SI CF PPN ZZ "" nm'.split(
    ' ',
  );

export const triggers = (
  'ADT^A01 ADT^A02 ADT^A03 ADT^A08 ADT^A11 ADT^A17 ADT^A18 ADT^A24 ADT^A34 ADT^A37 ADT^A40 ADT^A43 ADT^A45 ADT^A60 ' +
  'ORU^R01 ORU^R30 ORU^R40 ORU^R42 ORU^W01 OUL^R22 OUL^R24 ORM^O01 OML^O21 OMG^O19 OMI^O23 ORL^O22 ORR^O02 MDM^T02 ' +
  'MDM^T11 SIU^S12 SIU^S26 RDE^O11 RDS^O13 RAS^O17 RGV^O15 VXU^V04 DFT^P03 BAR^P01 REF^I12 PPR^PC1 MFN^M02 QBP^Q22 ' +
  'ACK ORU ADT^ZZZ ZZZ^Z01 ^^^^ "" adt^a01'
).split(' ');

export const bytesOfTrouble = [
  0, 1, 8, 9, 10, 11, 12, 13, 26, 27, 28, 30, 31, 127, 128, 0x85, 0xa0, 0xc0, 0xff,
];
