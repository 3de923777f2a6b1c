/** Phone numbers and other ways to reach somebody: XTN. */
import type { Telecom } from '../../../proto/gen/hilum/v1/event.ts';
import { lookup } from '../lookup.ts';
import { timeOf } from './clock.ts';
import { codeOf } from './coded.ts';
import { eiOf } from './identified.ts';
import type { Segment } from './message.ts';
import type { Parts } from './parts.ts';
import { fresh } from './shapes.ts';

const equipment: Record<string, string> = lookup({
  PH: 'phone',
  CP: 'phone',
  SAT: 'phone',
  FX: 'fax',
  BP: 'pager',
  INTERNET: 'email',
  'X.400': 'email',
  MD: 'other',
  TDD: 'other',
  TTY: 'other',
});
const uses: Record<string, string> = lookup({
  PRN: 'home',
  ORN: 'home',
  VHN: 'temp',
  WPN: 'work',
  ASN: 'work',
  PRS: 'mobile',
  // Whose it is the field says, and not that it is at home or at work.
  EMR: '',
  BPN: '',
});

/** XTN: 1 text, 2 use, 3 equipment, 4 address, 5 country, 6 area, 7 local, 8 extension, 12 unformatted [HL7 2.A.90]. */
export function telecomsOf(usual: string): (segment: Segment, field: number) => Telecom[] {
  return (segment, field) =>
    segment.repetitions(field).flatMap((parts) => telecomOf(parts, usual, segment, field));
}

export const telecoms = telecomsOf('');

function telecomOf(parts: Parts, usual: string, segment: Segment, field: number): Telecom[] {
  const code = parts.text(2).toUpperCase();
  const kind = parts.text(3).toUpperCase();
  const electronic = parts.text(4);
  const local = [parts.text(6), parts.text(7)].filter(Boolean).join(' ');
  const country = parts.text(5);
  // Beside an address the country alone is no number of its own.
  const composed = local === '' && electronic !== '' ? '' : [country, local].filter(Boolean).join(' ');
  const number = parts.text(1) || parts.text(12) || composed || parts.text(9);
  const use = kind === 'CP' ? 'mobile' : (uses[code] ?? usual);
  const system = equipment[kind] ?? (code === 'NET' ? 'email' : code === 'BPN' ? 'pager' : 'phone');
  const at = (part: number): string => timeOf(parts.sub(part), 1, segment, field)?.value ?? '';
  // Most end before component 9.
  const further = parts.reaches(9)
    ? {
        // Where there is no number it was taken for one.
        comment: parts.text(9) === number ? '' : parts.text(9),
        extensionPrefix: parts.text(10),
        speedDial: parts.text(11),
        start: at(13),
        end: at(14),
        expirationReason: codeOf(parts.sub(15)),
        protection: codeOf(parts.sub(16)),
        shared: eiOf(parts.sub(17), ''),
        preference: parts.text(18),
      }
    : {};
  const found: Telecom[] = [];
  const add = (value: string, system: string): void => {
    const telecom = fresh.telecom();
    telecom.value = value;
    telecom.system = system;
    telecom.use = use;
    telecom.extension = parts.text(8);
    telecom.sentUse = parts.text(2);
    Object.assign(telecom, further);
    found.push(telecom);
  };
  // From 2.7 on XTN-4 is the address of whatever equipment XTN-3 names, a number of a telephone too [HL7 2.7 2.A.89.4].
  const called = system === 'email' ? 'phone' : system;
  const written = equipment[kind] ?? 'email';
  if (electronic !== '')
    add(electronic, addressed(electronic) ?? (dialled.test(electronic) ? called : written));
  // XTN-1 was all there was before XTN-4, and some fill both.
  if (number !== '' && number !== electronic) add(number, addressed(number) ?? called);
  return found;
}

/** What an address is by its own form. */
function addressed(text: string): string | undefined {
  return isUrl.test(text) ? 'url' : text.includes('@') ? 'email' : undefined;
}

const dialled = /^[+(]?\d[\d\s()./-]*$/;
const isUrl = /^(?:[a-z][a-z0-9+.-]*:\/\/|www\.)/i;
