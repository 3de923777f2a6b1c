/** Words that a device's payload may give for its results and alarms. Apart from the schema: the normalizer loads these alone. */
import type { Class } from './event-words.ts';

export const statuses = [
  'registered',
  'preliminary',
  'partial',
  'final',
  'corrected',
  'cancelled',
  'entered-in-error',
  'unknown',
] as const;
export const priorities = ['high', 'medium', 'low', 'none'] as const;
export const phases = [
  'start',
  'continue',
  'update',
  'escalate',
  'deescalate',
  'end',
  'present',
  'latched',
  'reset',
  'tpoint',
] as const;
export const states = ['active', 'inactive', 'latched'] as const;
export const inactivations = [
  'enabled',
  'audio-paused',
  'audio-off',
  'alarm-paused',
  'alarm-off',
  'alert-acknowledged',
  'off',
  'paused',
] as const;
export const alarmTypes = ['physiological', 'technical', 'advisory'] as const;

/** Among the flags of OBX-8, and where a word is expected [IHE DEV TF-2 3.4]. Not of results: PL is low there. */
export const priorityFlags: ReadonlyMap<string, (typeof priorities)[number]> = new Map([
  ['PH', 'high'],
  ['PM', 'medium'],
  ['PL', 'low'],
  ['PN', 'none'],
  ['PI', 'none'],
]);
export const typeFlags: ReadonlyMap<string, (typeof alarmTypes)[number]> = new Map([
  ['SP', 'physiological'],
  ['ST', 'technical'],
  ['SA', 'advisory'],
]);

/**
 * The whole life of an alarm has its class, its end too: an end that overtook its start would be
 * wrong. A priority that nobody stated is not a low one.
 */
export const alarmClasses: Readonly<Record<(typeof priorities)[number] | '', Class>> = {
  high: 'stat',
  medium: 'urgent',
  low: 'routine',
  none: 'routine',
  '': 'urgent',
};
