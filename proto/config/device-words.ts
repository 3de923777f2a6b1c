/** Words that a device's payload may give for its results and alarms. Apart from the schema: the normalizer loads these alone. */

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
