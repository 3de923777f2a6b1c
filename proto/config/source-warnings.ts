/** Sources that can never take what they are for: a value of `accept` that no sender writes. */
import type { Listeners } from './check.ts';
import { nearest } from './nearest.ts';
import { pathText } from './position.ts';
import type { Config } from './schema.ts';

/** [HL7 tables 0103 and 0104] */
const tables = {
  processingIds: { field: 'MSH-11', number: '0103', values: ['P', 'T', 'D'] },
  versions: {
    field: 'MSH-12',
    number: '0104',
    values: [
      ...['2.0', '2.0D', '2.1', '2.2', '2.3', '2.3.1', '2.3.2', '2.4', '2.5', '2.5.1', '2.5.2', '2.6'],
      ...['2.7', '2.7.1', '2.8', '2.8.1', '2.8.2', '2.9', '2.9.1'],
    ],
  },
} as const;

/** Which listener brings what. */
const kinds = { mllp: 'hl7v2', mqtt: 'device' } as const;

/** A `kind` that the listener does not bring: it changes nothing. Sentences; for who knows the listeners. */
export function kindWarnings({ sources }: Config, listeners: Listeners): string[] {
  return Object.entries(sources).flatMap(([name, { kind, listener }]) => {
    const type = listeners[listener];
    if (kind === undefined || type === undefined || kinds[type] === kind) return [];
    return [
      `${pathText(['sources', name, 'kind'])}: the listener "${listener}" is ${type.toUpperCase()}, which brings ${kinds[type]}: ${kind} has no effect.`,
    ];
  });
}

/** Sentences. The config has been checked. */
export function sourceWarnings({ sources }: Config): string[] {
  return [...idleKeys(sources), ...strangeValues(sources)];
}

/** Topics make it a source of JSON, and these keys are of HL7 v2. */
function idleKeys(sources: Config['sources']): string[] {
  return Object.entries(sources).flatMap(([name, { topics, charset, accept }]) => {
    if (topics === undefined) return [];
    const idle = {
      charset,
      'accept.processingIds': accept.processingIds,
      'accept.versions': accept.versions,
    };
    return Object.entries(idle).flatMap(([key, value]) =>
      value === undefined
        ? []
        : [
            `${pathText(['sources', name, ...key.split('.')])} has no effect: a source with topics brings JSON, and this is of HL7 v2.`,
          ],
    );
  });
}

function strangeValues(sources: Config['sources']): string[] {
  return Object.entries(sources).flatMap(([name, { accept }]) =>
    (['processingIds', 'versions'] as const).flatMap((key) =>
      (accept[key] ?? []).flatMap((value, at) => {
        const { field, number, values } = tables[key];
        if ((values as readonly string[]).includes(value)) return [];
        const near = values.find((one) => sameFigures(one, value)) ?? nearest(value, values);
        const place = pathText(['sources', name, 'accept', key, at]);
        const meant = near === undefined ? `it has ${values.join(', ')}` : `did you mean "${near}"?`;
        return [
          `${place}: "${value}" is no ${field} of HL7 table ${number} (${meant}); a message with another value than those listed is refused.`,
        ];
      }),
    ),
  );
}

/** `251`, `v2.5.1` */
function sameFigures(one: string, other: string): boolean {
  const figures = (text: string) => text.replace(/\D/g, '');
  return figures(one) !== '' && figures(one) === figures(other);
}
