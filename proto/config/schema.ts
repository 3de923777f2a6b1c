/**
 * The config: what the control plane distributes and what gives meaning. Sockets, files, keys
 * and users are settings, never here. `Config` is what a config means once it is checked:
 * every default filled in, short forms written out. Durations stay as written (duration.ts).
 */
import { z } from 'zod';
import { loincSystem } from '../code-systems.ts';
import { criticalRule } from './critical-schema.ts';
import { durationMs, isTimer } from './duration.ts';
import { classes } from './event-words.ts';
import { mapping } from './mapping-schema.ts';
import { onceSection } from './once-schema.ts';
import { declaredDevice, payloadLimits, payloadTemplate } from './payload-schema.ts';
import { address, charset, duration, name, predicate, topicFilter, ucum, uri, zone } from './words.ts';

export { type Class, classes } from './event-words.ts';

const source = z.strictObject({
  listener: name.describe('The name of a listener in the settings of the gateway.'),
  kind: z
    .enum(['hl7v2', 'device'])
    .optional()
    .describe('What its messages are, for who reads this; how they are read the listener says.'),
  zone: zone
    .optional()
    .describe(
      'IANA zone for times without an offset. Otherwise the offset of MSH-7 counts, then the zone of the site.',
    ),
  charset: charset
    .optional()
    .describe('The charset of HL7 v2 messages whose MSH-18 is empty; otherwise UTF-8, else windows-1252.'),
  topics: z.array(topicFilter).min(1).optional().describe('MQTT topic filters that are this source.'),
  payloads: z
    .array(name)
    .min(1)
    .max(payloadLimits.templatesMax)
    .optional()
    .describe(
      'Templates for its JSON, in order; what none of them takes is tried in the built-in vitals shape.',
    ),
  reviewed: z
    .boolean()
    .default(true)
    .describe('false: its abnormal flags were never reviewed; results are at least urgent.'),
  class: z.enum(classes).optional().describe('A fixed class for everything from this source.'),
  accept: z
    .strictObject({
      processingIds: z.array(z.string()).min(1).optional().describe('MSH-11 values; others are refused.'),
      versions: z.array(z.string()).min(1).optional().describe('MSH-12 values; others are refused.'),
    })
    .prefault({}),
  repeatWindow: duration
    .default('15m')
    .describe('Same bytes under the same message control ID within this time are a repeat.'),
  clockSkew: duration
    .default('1m')
    .describe("Its senders' clocks may differ from the gateway's by this; more is warned of."),
});

const mapped = z.union([
  z
    .string()
    .min(1, { error: 'has no code: write what it means, or remove the line' })
    .transform((code) => ({ code, display: '' })),
  z.strictObject({
    code: z.string().min(1, { error: 'has no code: write what it means, or remove the line' }),
    display: z.string().default(''),
  }),
]);

const unmapped = z
  .enum(['keep', 'worklist'])
  .default('worklist')
  .describe('What has no entry stays itself; worklist also reports it, keep does not.');

const codeTable = z.strictObject({
  from: z
    .string()
    .min(1)
    .describe('The coding system as it is sent (L, 99LAB, MDC) or as it stands in the event (a URI).'),
  to: uri.describe('The system of the mapped codes.'),
  unmapped,
  map: z.record(z.string(), mapped),
});

const conversion = z.strictObject({
  system: uri.default(loincSystem).describe('The system of the code; default LOINC.'),
  code: z.string().min(1).describe('A code of the observation, sent or mapped.'),
  from: z
    .union([ucum.transform((one) => [one]), z.array(ucum).min(1)])
    .describe('The UCUM unit, or units, that values come in. No other is converted.'),
  to: ucum.describe('The UCUM unit that is wanted beside it.'),
  molecularWeight: z
    .number()
    .positive({ error: 'must be above 0' })
    .optional()
    .describe('g/mol; approves the step between a mass and an amount of substance.'),
});

const units = z.strictObject({
  map: z.record(z.string(), ucum).default({}).describe('Unit texts as they are sent → UCUM.'),
  unmapped,
  convert: z.record(name, conversion).default({}).describe('Units that are wanted beside the sent ones.'),
});

const enrichment = z
  .strictObject({
    enabled: z.boolean().default(true),
    maxAge: z
      .strictObject({
        patient: duration.default('90d').describe('Identifiers, name, birth date, sex.'),
        encounter: duration.default('7d').describe('Visit number, class, location, attending.'),
        previous: duration.default('90d').describe('Earlier values of the same observation.'),
      })
      .prefault({})
      .describe('What ADT said longer ago than this is left out.'),
    previous: z.boolean().default(true).describe('Earlier values of the same observation, in `previous`.'),
    census: z
      .boolean()
      .default(false)
      .describe(
        'true: everybody who is here is known, as after `hilum-gateway census`; of others nothing is missing.',
      ),
  })
  .describe('What the site’s own ADT said completes events that do not say it, in `context`.');

const classRule = z.strictObject({
  name,
  when: predicate,
  class: z.enum(classes),
  reason: z.string().optional(),
});

const classSection = z
  .union([
    z.array(classRule).transform((rules) => ({ defaults: true, rules })),
    z.strictObject({
      defaults: z.boolean().default(true).describe('false: the built-in rules do not apply after these.'),
      rules: z.array(classRule).default([]),
    }),
  ])
  .describe('In order; the first that matches wins, then the built-in rules apply.');

const destination = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('mllp'),
    address,
    tls: z.boolean().default(false),
    timeout: duration
      .refine((value) => durationMs(value) === undefined || isTimer(value), {
        error: 'a timeout is at most 24d',
        params: { hint: 'no timer waits longer' },
      })
      .default('30s')
      .describe('For the acknowledgment.'),
    order: z
      .enum(['source', 'none'])
      .default('source')
      .describe('none: urgent messages may overtake others of their source.'),
  }),
]);

const route = z.strictObject({
  when: predicate.default('true'),
  sources: z.array(name).min(1).optional().describe('Only from these sources.'),
  to: z
    .union([name.transform((one) => [one]), z.array(name).min(1)])
    .describe('A destination or a list of them.'),
  send: z.enum(['original']).default('original').describe('The bytes as they came.'),
});

export const configSchema = z.strictObject({
  site: z.strictObject({ zone: zone.default('UTC') }).prefault({}),
  sources: z.record(name, source).default({}),
  payloads: z.record(name, payloadTemplate).default({}).describe('How to read the JSON of devices.'),
  devices: z.record(name, declaredDevice).default({}).describe('Whose a device is, and where it stands.'),
  codes: z.record(name, codeTable).default({}),
  units: units.prefault({}),
  identity: z.strictObject({ authorities: z.record(z.string(), uri).default({}) }).prefault({}),
  mappings: z.record(name, mapping).default({}).describe('What a site reads otherwise, or beside.'),
  critical: z
    .record(name, criticalRule)
    .default({})
    .describe('Results that are critical although no flag says so.'),
  enrichment: enrichment.prefault({}),
  once: onceSection.prefault({}),
  classes: classSection.prefault([]),
  budgets: z
    .strictObject({
      stat: duration.default('5s'),
      urgent: duration.default('30s'),
      routine: duration.default('5m'),
      bulk: duration.default('1h'),
    })
    .prefault({})
    .describe('From capture to delivery, for each class.'),
  limits: z
    .strictObject({
      segmentsMax: z
        .number()
        .int()
        .min(100)
        .max(200_000)
        .default(10_000)
        .describe('Segments of one HL7 v2 message.'),
      fieldBytesMax: z
        .number()
        .int()
        .min(1024)
        .max(16 * 1024 * 1024)
        .default(32 * 1024)
        .describe('Bytes of one field; a field of an OBX or NTE may be a document and have 16 MiB.'),
    })
    .prefault({})
    .describe('A message over one of these was answered and goes to quarantine, whole.'),
  destinations: z.record(name, destination).default({}),
  routes: z.record(name, route).default({}),
});

export type Config = z.output<typeof configSchema>;
export type { CriticalConfig } from './critical-schema.ts';
export type { DeclaredDeviceConfig, PayloadConfig } from './payload-schema.ts';
export type SourceConfig = Config['sources'][string];
