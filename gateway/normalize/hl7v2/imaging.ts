/** The steps of an imaging procedure: IPC, and ZDS before there was one. */
import type { ImagingStep, Order } from '../../../proto/gen/hilum/v1/event.ts';
import { identifier } from '../identity.ts';
import { code, codes } from './coded.ts';
import { ei } from './identified.ts';
import { fresh } from './shapes.ts';
import { type Table, word } from './table.ts';

/** Imaging [HL7 4.5.6]. */
export const ipc: Table<ImagingStep> = [
  [1, 'accession', ei('ACSN')],
  [2, 'requestedProcedure', ei()],
  [3, 'study', ei()],
  [4, 'scheduledStep', ei()],
  [5, 'modality', code],
  [6, 'protocols', codes],
  [7, 'station', word],
  [8, 'location', code],
  [9, 'stationTitle', word],
];

/** The study that IHE's Scheduled Workflow names beside an ORM [IHE RAD TF-2 4.4.4.1.2.4]: RP, its first component the UID. */
export const zds: Table<Order> = [
  [
    1,
    (to, segment, field) => {
      const value = segment.text(field);
      if (to.imagingSteps.some(({ study }) => study?.value === value)) return;
      to.imagingSteps.push({ ...fresh.imagingStep(), study: identifier(value, '', 'urn:dicom:uid') });
    },
  ],
];
