/** Texts in a config that have a form of their own: each says in its error what to write. */
import { z } from 'zod';
import { readAddress } from '../address.ts';
import { charsetNames, encodingOf } from '../charset-names.ts';
import { loincSystem } from '../code-systems.ts';
import { isUcum } from '../units/ucum.ts';
import { durationDaysMax, durationMs } from './duration.ts';
import { nearest } from './nearest.ts';

export function text(check: (value: string) => [message: string, hint: string] | undefined, example: string) {
  return z
    .string()
    .superRefine((value, context) => {
      const wrong = check(value);
      if (wrong === undefined) return;
      context.addIssue({ code: 'custom', message: wrong[0], params: { hint: wrong[1] } });
    })
    .meta({ examples: [example] });
}

/** A key that a person chooses: it shows in file names, metrics and audit entries. */
export const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, {
  error: ({ input }) => `a name is letters, digits, "-", "_" and ".", at most 64${unseen(String(input))}`,
});

/** What came along from a web page or a word processor, and what a terminal does not show. */
function unseen(value: string): string {
  const found = /[\p{Cf}\p{Cc}]|(?! )\p{Zs}/u.exec(value)?.[0];
  if (found === undefined) return '';
  const code = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `; there is a character that cannot be seen (U+${code})`;
}

export const duration = text((value) => {
  if (durationMs(value) !== undefined) return undefined;
  if (/^0*[1-9]\d*(ms|s|m|h|d)$/.test(value))
    return [`"${clip(value)}" is too long`, `at most ${durationDaysMax}d`];
  return [`"${clip(value)}" is not a duration`, 'write a whole number from 1 on and ms, s, m, h or d: 30s'];
}, '30s').meta({ pattern: '^[0-9]{1,9}(ms|s|m|h|d)$', examples: ['30s'] });

export const zone = text((value) => {
  if (/^[A-Za-z]/.test(value)) {
    try {
      new Intl.DateTimeFormat('en', { timeZone: value });
      return undefined;
    } catch {
      // falls through to the words below
    }
  }
  const near = nearest(value, Intl.supportedValuesOf('timeZone'));
  return [
    `"${clip(value)}" is not an IANA time zone`,
    near === undefined ? 'for example: Europe/Berlin' : `did you mean "${near}"?`,
  ];
}, 'Europe/Berlin');

export const charset = text((value) => {
  if (encodingOf(value) !== undefined) return undefined;
  const near = nearest(value, charsetNames);
  return [
    `"${clip(value)}" is not a charset`,
    near === undefined ? 'for example: WINDOWS-1251, SHIFT_JIS, 8859/2' : `did you mean "${near}"?`,
  ];
}, 'WINDOWS-1251');

export const address = text((value) => {
  if ((readAddress(value)?.port ?? 0) > 0) return undefined;
  return [`"${clip(value)}" is not host:port`, 'for example: ehr.example.org:2575'];
}, 'ehr.example.org:2575');

export const oid = /^[0-2](?:\.(?:0|[1-9]\d*))+$/;

export const uri = text((value) => {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(value)) return undefined;
  const hint = oid.test(value)
    ? `write urn:oid:${value}`
    : 'for example: http://loinc.org, urn:oid:2.16.840.1.113883.3.1';
  return [`"${clip(value)}" is not a URI`, hint];
}, loincSystem);

export const ucum = text(
  (value) =>
    isUcum(value)
      ? undefined
      : [`"${clip(value)}" is not a UCUM unit`, 'case counts; for example: mg/dL, mmol/L, 10*9/L, mm[Hg]'],
  'mmol/L',
);

/** A moment: without an offset it would be another one at each site. */
export const dateTime = text(
  (value) =>
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(Date.parse(value))
      ? undefined
      : [`"${clip(value)}" is not a date and time with an offset`, 'for example: 2026-11-23T08:15:00+01:00'],
  '2026-11-23T08:15:00+01:00',
);

/** [MQTT-4.7.1-2] [MQTT-4.7.1-3] */
export const topicFilter = text((value) => {
  const levels = value.split('/');
  const bad = levels.findIndex((level, i) => {
    if (level.includes('#')) return level !== '#' || i !== levels.length - 1;
    return level.includes('+') && level !== '+';
  });
  if (value !== '' && bad === -1 && !value.includes('\u0000')) return undefined;
  return [
    `"${clip(value)}" is not a topic filter`,
    '+ stands for one whole level, # for the rest at the end',
  ];
}, 'devices/#');

/** Checked with the whole config, because its problems have a place inside the text. */
export const predicate = z.string().meta({
  examples: ['event.kind == "observation"'],
  description: 'CEL over `event` (the canonical event); gives true or false.',
});

function clip(value: string): string {
  return value.length > 40 ? `${value.slice(0, 40)}…` : value;
}
