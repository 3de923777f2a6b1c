/** Whether an event carries a code of the worklist that nothing maps. */
import { clip } from '../../gateway/normalize/meaning-of-codes.ts';
import type { ClinicalEvent, Code } from '../../proto/gen/hilum/v1/event.ts';
import type { UnmappedCode } from '../../proto/gen/hilum/v1/session.ts';

type Wanted = Pick<UnmappedCode, 'field' | 'system' | 'code'>;

export function carries({ order, observations }: ClinicalEvent, wanted: Wanted): boolean {
  switch (wanted.field) {
    case 'service':
      return isUnmapped(order?.service, wanted);
    case 'unit':
      return observations.some(
        ({ unit, unitCode }) =>
          isUnmapped(unitCode, wanted) ||
          // A unit without any coding is the text itself.
          (unitCode === undefined && wanted.system === '' && clip(unit) === wanted.code),
      );
    default:
      return observations.some(({ code }) => isUnmapped(code, wanted));
  }
}

function isUnmapped(code: Code | undefined, wanted: Wanted): boolean {
  if (code === undefined || code.codings.some(({ mapped }) => mapped)) return false;
  return code.codings.some(
    (coding) => clip(coding.system, 160) === wanted.system && clip(coding.code) === wanted.code,
  );
}

/** A quick look at an encoded event: false where it cannot carry the code. */
export function mentions(event: Uint8Array, { code }: Wanted): boolean {
  // A worklist's code is cleaned: only what lies between blanks stands in the event as it is.
  const piece = code.split(' ').reduce((longest, one) => (one.length > longest.length ? one : longest), '');
  const bytes = Buffer.from(event.buffer, event.byteOffset, event.byteLength);
  return piece === '' || bytes.includes(piece);
}
