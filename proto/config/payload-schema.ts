/**
 * `payloads`: templates that say how to read the JSON of a device, and `devices`: what is known of single ones.
 * A template selects items of a payload; each that it takes becomes one event with all its observations, and one
 * for its alarm. Paths (json-path.ts) and predicates (cel-payload.ts) are checked with the whole config, because
 * their problems have a place inside the text.
 */
import { z } from 'zod';
import { alarmTypes, inactivations, phases, priorities, states, statuses } from './device-words.ts';
import { dateTime, ucum, uri } from './words.ts';

export const payloadLimits = { templatesMax: 32, observationsMax: 200, pathsMax: 8 } as const;

const path = z.string().meta({
  examples: ['$.deviceId'],
  description: 'A path into the payload: $.a.b, @.a, $.list[*], topic[1].',
});
const paths = z
  .union([path.transform((one) => [one]), z.array(path).min(1).max(payloadLimits.pathsMax)])
  .describe('A path, or several of which the first with a value counts.');
const predicate = z.string().meta({
  examples: ['text("@.type") == "hr"'],
  description: 'CEL over text(path), present(path) and topic; gives true or false.',
});

const identifier = z.union([
  paths.transform((from) => ({ from, system: '', type: '' })),
  z.strictObject({
    from: paths,
    system: z.string().default('').describe('A URI, or an assigning authority (identity.authorities).'),
    type: z.string().default('').describe('HL7 table 0203: MR, PI, VN …'),
  }),
]);

const fixedCoding = z.strictObject({ system: uri, code: z.string().min(1), display: z.string().default('') });
const coding = z.union([
  fixedCoding.transform((one) => ({ ...one, from: [] as string[] })),
  z
    .strictObject({ from: paths, system: z.string().default(''), display: z.string().default('') })
    .transform((one) => ({ ...one, code: '' })),
]);
const code = z
  .union([coding.transform((one) => [one]), z.array(coding).min(1).max(16)])
  .describe('A coding that stands here or that the payload has, or a list of codings of one thing.');

const value = z.union([
  paths.transform((from) => ({ from, coded: [] as z.output<typeof fixedCoding>[] })),
  z
    .strictObject({
      coded: z.union([fixedCoding.transform((one) => [one]), z.array(fixedCoding).min(1).max(16)]),
    })
    .transform(({ coded }) => ({ from: [] as string[], coded })),
]);

const unit = z.union([
  z.string().transform((text) => ({ text, ucum: '', from: [] as string[] })),
  z.strictObject({ text: z.string(), ucum }).transform((one) => ({ ...one, from: [] as string[] })),
  z.strictObject({ from: paths }).transform(({ from }) => ({ text: '', ucum: '', from })),
]);

/** A word of ours that stands here, or that the payload has, or that stands for what the payload has. */
function word<const T extends readonly [string, ...string[]]>(words: T) {
  return z.union([
    z
      .enum(words)
      .transform((is) => ({ is: is as string, from: [] as string[], words: {} as Record<string, string> })),
    z
      .strictObject({ from: paths, words: z.record(z.string(), z.enum(words)).default({}) })
      .transform(({ from, words: by }) => ({ is: '', from, words: by as Record<string, string> })),
  ]);
}

const observation = z.strictObject({
  each: path.optional().describe('Makes one observation of each value there; @ is that value.'),
  when: predicate.optional(),
  code,
  value,
  unit: unit.prefault(''),
  required: z.boolean().default(true).describe('false: an item without it is taken all the same.'),
  status: word(statuses).prefault('unknown'),
  interpretation: paths.optional(),
  referenceRange: paths.optional(),
  time: paths.optional().describe('Its own time, before that of the item.'),
});

const alarm = z.strictObject({
  when: predicate.optional(),
  id: identifier.optional().describe('The same through all phases of the alarm.'),
  code: code.optional(),
  text: paths.optional(),
  priority: word(priorities).optional(),
  phase: word(phases).optional(),
  state: word(states).optional(),
  inactivation: word(inactivations).optional(),
  type: word(alarmTypes).optional(),
  time: paths.optional(),
});

const place = z.strictObject({
  unit: z.string().default(''),
  room: z.string().default(''),
  bed: z.string().default(''),
  facility: z.string().default(''),
});

export const payloadTemplate = z.strictObject({
  each: path.default('$').describe('The items: each becomes an event. Default: the whole payload.'),
  when: predicate.optional().describe('Which of them are taken; default: all.'),
  device: identifier,
  patient: identifier.optional(),
  encounter: identifier.optional(),
  location: z
    .strictObject({
      unit: paths.optional(),
      room: paths.optional(),
      bed: paths.optional(),
      facility: paths.optional(),
    })
    .optional()
    .describe('Where the device says it stands; never identity.'),
  time: paths.optional(),
  correlation: paths.optional().describe('What ties events together: a session, a panel.'),
  panel: code.optional().describe('What all observations of an item are parts of.'),
  observations: z.array(observation).max(payloadLimits.observationsMax).default([]),
  alarm: alarm.optional(),
});

export const declaredDevice = z.strictObject({
  identifier: z.strictObject({
    system: z.string().default('').describe('As it stands in the events; without one: whatever the system.'),
    value: z.string().min(1),
  }),
  sources: z.array(z.string()).min(1).optional().describe('Only for these; default: all.'),
  patient: z
    .strictObject({
      system: uri.meta({ examples: ['urn:oid:2.16.756.5.30.1.123'] }),
      value: z.string().min(1),
      type: z.string().default(''),
    })
    .optional()
    .describe('Whose it is: identity, where the message names nobody.'),
  location: place.optional().describe('Where it stands; never identity.'),
  since: dateTime.optional(),
  until: dateTime.optional().describe('The first moment at which it is no longer so.'),
});

export type PayloadConfig = z.output<typeof payloadTemplate>;
export type DeclaredDeviceConfig = z.output<typeof declaredDevice>;
