/** RXV: an infusion's bolus, doses that the patient may take, and limits [HL7 2.8.1 4A.4.11]. */
import type { Infusion } from '../../../proto/gen/hilum/v1/event.ts';
import { unitWord } from './coded.ts';
import type { Segment } from './message.ts';
import { asSent, label, type Row, type Table, word } from './table.ts';

export const rxv: Table<Infusion> = [
  [2, 'bolusType', word],
  ...amount('bolus', 3),
  ...amount('bolusVolume', 5),
  [7, 'pcaType', word],
  ...amount('pca', 8),
  ...amount('pcaVolume', 10),
  ...amount('maximum', 12),
  ...amount('maximumVolume', 14),
  [16, 'maximumPer', asSent],
  [17, 'lockout', asSent],
  [18, (to, segment, field) => join(to, 'syringe', label(segment, field))],
  [19, (to, segment, field) => join(to, 'syringe', label(segment, field))],
  [20, (to, segment, field) => join(to, 'syringe', word(segment, field))],
  [21, (to, segment, field) => join(to, 'syringe', unitWord(segment, field))],
];

type Texts = Exclude<keyof Infusion, '_unknownFields'>;

/** An amount and, in the field behind it, its unit: they are nothing without each other. */
function amount(name: Texts, field: number): Row<Infusion>[] {
  return [
    [field, (to: Infusion, segment: Segment) => join(to, name, word(segment, field))],
    [field + 1, (to: Infusion, segment: Segment) => join(to, name, unitWord(segment, field + 1))],
  ];
}

function join(to: Infusion, name: Texts, text: string): void {
  to[name] = `${to[name]} ${text}`.trim();
}
