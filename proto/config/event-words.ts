/** Words that fields of an event have, and no others. */

/** The most urgent first. Each has a budget, and a lane of its own in the journal and on the wire. */
export const classes = ['stat', 'urgent', 'routine', 'bulk'] as const;
export type Class = (typeof classes)[number];

export function perClass<T>(make: (one: Class) => T): Record<Class, T> {
  return { stat: make('stat'), urgent: make('urgent'), routine: make('routine'), bulk: make('bulk') };
}

/** What an event may be [proto/EVENT.md]. */
export const eventKinds: readonly string[] = [
  ...['admission', 'observation', 'order', 'document', 'schedule', 'medication', 'immunization', 'charge'],
  ...['referral', 'problem', 'master-file', 'merge', 'device-observation', 'device-alarm', 'device-silence'],
];

/** Of a result, and of the event that reports it. */
const resultStatuses = [
  ...['registered', 'preliminary', 'partial', 'final', 'corrected', 'cancelled', 'entered-in-error'],
  ...['unknown', ''],
];

/**
 * Fields that hold one of a few words: a typing error, or the code that the message had, would make a rule that
 * never matches. Each that an event can have is here, the empty one for fields that can be left out [proto/EVENT.md].
 */
export const closedWords: Readonly<Record<string, readonly string[]>> = {
  'ClinicalEvent.kind': eventKinds,
  'ClinicalEvent.class': classes,
  'ClinicalEvent.status': [
    ...[...resultStatuses, 'requested', 'accepted', 'in-progress', 'completed', 'rejected'],
    ...['booked', 'rescheduled', 'noshow'],
  ],
  'Observation.status': resultStatuses,
  'Encounter.status': ['planned', 'arrived', 'in-progress', 'onleave', 'finished', 'cancelled', ''],
  'Alarm.priority': ['high', 'medium', 'low', 'none', ''],
  'Provenance.protocol': ['mllp', 'mqtt', 'http', 'file'],
};
