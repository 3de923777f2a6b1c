/** TCD, SID, INV: how an analyzer runs a test, and with what [HL7 13.4, IHE LAW]. */
import type { Analysis, Specimen, Substance } from '../../../proto/gen/hilum/v1/event.ts';
import { time } from './clock.ts';
import { code, codes } from './coded.ts';
import type { Draft } from './draft.ts';
import type { Handler } from './family.ts';
import { fresh } from './shapes.ts';
import { dilution, specimenOf } from './specimen.ts';
import { asSent, fill, type Table, word } from './table.ts';

const tcd: Table<Analysis> = [
  [1, 'service', code],
  [2, 'autoDilution', dilution],
  [3, 'rerunDilution', dilution],
  [4, 'preDilution', dilution],
  [5, 'diluentContent', dilution],
  [6, 'repeatAllowed', word],
  [7, 'reflexAllowed', word],
  [8, 'repeatStatus', code],
];

const sid: Table<Substance> = [
  [1, 'code', code],
  [2, 'lotNumber', word],
  [3, 'container', asSent],
  [4, 'manufacturer', code],
];

const inv: Table<Substance> = [
  [1, 'code', code],
  [2, 'statuses', codes],
  [3, 'type', code],
  [4, 'container', asSent],
  [12, 'expires', time],
  [16, 'lotNumber', word],
  [17, 'manufacturer', code],
];

export const analyzerTables = { TCD: tcd, SID: sid, INV: inv };

export const analyzerSegments: Record<string, Handler> = {
  TCD(draft, segment) {
    const analysis = fill(fresh.analysis(), tcd, segment);
    (rowOf(draft) ?? draft.order).analysis = analysis;
  },
  SID(draft, segment) {
    const substance = fill(fresh.substance(), sid, segment);
    const row = rowOf(draft);
    if (row === undefined) add(draft, substance);
    else row.substances.push(substance);
  },
  INV: (draft, segment) => add(draft, fill(fresh.substance(), inv, segment)),
};

/** Behind a result they are the result's, before any the order's and its specimen's. */
function rowOf({ event, seen, lastObservation }: Draft): Draft['lastObservation'] {
  return event !== undefined && seen.has('OBX') ? lastObservation : undefined;
}

/** Of the container in hand; orders share what was said of it before them. */
function add(draft: Draft, substance: Substance): void {
  const to: Specimen =
    draft.event === undefined && draft.ahead.specimen !== undefined
      ? draft.ahead.specimen
      : (draft.order.furtherSpecimens.at(-1) ?? specimenOf(draft.order));
  to.substances = [...to.substances, substance];
}
