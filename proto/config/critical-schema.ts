/**
 * `critical`: results that are critical although no flag says so. A rule is a range of numbers for one
 * code in one unit, or words in a result's text. Limits are decimals as text, compared exactly.
 */
import { z } from 'zod';
import { loincSystem } from '../code-systems.ts';
import { parseDecimal } from '../units/decimal.ts';
import { text, ucum, uri } from './words.ts';

export const criticalLimits = { rulesMax: 2_000, textsMax: 50, textCharactersMax: 100 } as const;

const decimal = text(
  (value) =>
    parseDecimal(value) === undefined
      ? [`"${value.slice(0, 40)}" is not a decimal number`, 'for example: "6.0"']
      : undefined,
  '6.0',
);

/** `18y`, `6mo`, `2w`, `28d` */
const age = text(
  (value) =>
    /^\d{1,4}(y|mo|w|d)$/.test(value)
      ? undefined
      : [`"${value.slice(0, 40)}" is not an age`, 'write a whole number and y, mo, w or d: 18y'],
  '18y',
);

const said = z
  .array(z.string().trim().min(1).max(criticalLimits.textCharactersMax))
  .min(1)
  .max(criticalLimits.textsMax);

export const criticalRule = z.strictObject({
  system: uri.default(loincSystem).describe('The system of the code; default LOINC.'),
  code: z
    .string()
    .min(1)
    .optional()
    .describe('A code of the observation, sent or mapped; needed for limits.'),
  unit: ucum.optional().describe('The UCUM unit of the limits. A result in another one is not compared.'),
  below: decimal.optional().describe('Critical below this.'),
  above: decimal.optional().describe('Critical above this.'),
  contains: said.optional().describe('Critical where the text of the result has one of these, in any case.'),
  words: said.optional().describe('The same, as whole words.'),
  age: z
    .strictObject({
      from: age.optional().describe('From this age on.'),
      to: age.optional().describe('Up to, and not with, this age.'),
    })
    .optional(),
  sex: z.enum(['female', 'male', 'other']).optional(),
});

export type CriticalConfig = z.output<typeof criticalRule>;
