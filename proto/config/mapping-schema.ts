/**
 * `mappings`: what a site reads otherwise than the built-in mappings of HL7 v2, or beside them. Fields, places and
 * predicates are checked with the whole config (check-mappings.ts), because their problems have a place in the text.
 */
import { z } from 'zod';
import { name, predicate, text } from './words.ts';

export const mappingLimits = { mappingsMax: 200, linesMax: 200, wordsMax: 1_000, textMax: 1_000 } as const;

const place = z
  .string()
  .max(40)
  .meta({ examples: ['ZBX-3.1'], description: 'segment[nth]-field[repetition].component.subcomponent' });

/** `DD.MM.YYYY HH:mm`: what the letters stand for, everything else stands for itself. */
const dateForm = text(
  (value) =>
    value.length <= 40 && value.split('YYYY').length === 2
      ? undefined
      : [
          `"${value.slice(0, 40)}" is not a form of a date`,
          'made of YYYY, MM, DD, HH, mm and ss: DD.MM.YYYY',
        ],
  'DD.MM.YYYY',
);

const read = z.strictObject({
  from: z
    .union([place.transform((one) => [one]), z.array(place).min(1).max(8)])
    .describe('A place, or several: the first that has a value.'),
  case: z.enum(['upper', 'lower']).optional(),
  date: dateForm
    .optional()
    .describe('The form of a date; it becomes HL7 v2’s own. One of another form fails.'),
  map: z
    .record(z.string(), z.string().max(mappingLimits.textMax))
    .optional()
    .describe('Words as they are sent → words that are set; others stay themselves.'),
});

const given = z.strictObject({ const: z.string().min(1).max(mappingLimits.textMax).describe('This text.') });

const scalar = z.union([place.transform((one) => ({ from: [one] })), read, given]);

const line = z.union([
  scalar,
  z.strictObject({ fields: z.record(z.string(), scalar) }).describe('A message by its fields.'),
]);

export const mapping = z.strictObject({
  source: z
    .union([name.transform((one) => [one]), z.array(name).min(1)])
    .optional()
    .describe('Only from this source, or these.'),
  when: predicate.optional(),
  set: z.record(z.string(), line).describe('Field of the event → where it comes from.'),
});

export type MappingConfig = z.output<typeof mapping>;
export type MappingScalar = z.output<typeof scalar>;
