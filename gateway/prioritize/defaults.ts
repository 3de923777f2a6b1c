/**
 * The built-in class rules, as data. They apply where no rule of the config matched.
 *
 * The class is the highest that any of these tables gives:
 *   the kind of the event → the priority of its orders → the flags of its results, and of those that they replace →
 *   its alarm
 * except for `charge` and `master-file`, which stay bulk whatever else they carry: the charge
 * for a STAT test is not itself urgent.
 *
 * capture/urgency.ts reads the same fields straight from the bytes; a test holds the two together.
 */
import type { Class } from '../../proto/config/schema.ts';
import { isStat, isUrgent } from '../../proto/priority-words.ts';

export { alarmClasses } from '../../proto/config/device-words.ts';
export { criticalFlags } from '../../proto/critical-flags.ts';

/** What the tables below read; capture's scan must read every one of the HL7 fields. */
export const fieldsRead = {
  /** OBR-4, OBX-3 and OBX-5 only for what makes a result an alarm and says its priority. */
  hl7v2: ['MSH-9', 'OBR-27', 'TQ1-9', 'ORC-7', 'OBX-8', 'OBR-15', 'SPM-11', 'RF1-2', 'ARQ-12'],
  /** `order` and `medication` stand for their further ones, too. */
  event: [
    'kind',
    'order.priority',
    'order.timing.priority',
    'order.specimen.roles',
    'referral.priority',
    'schedule.priority',
    'observations.interpretations',
    'observations.interpretationCodes',
    // Known from earlier messages: capture's scan cannot tell, and such a record is normalized in its turn.
    'supersessions.critical',
    'alarm.priority',
  ],
} as const;

export const kindClasses: Readonly<Record<string, Class>> = {
  // Movements feed bed management and registration, where five minutes are fine. Not `urgent`: they
  // come in bursts (shift change, night census) and would stand before the results that matter.
  admission: 'routine',
  // Until a merge has arrived, results are filed under a patient who no longer exists.
  merge: 'urgent',
  observation: 'routine',
  order: 'routine',
  document: 'routine',
  schedule: 'routine',
  medication: 'routine',
  immunization: 'routine',
  referral: 'routine',
  problem: 'routine',
  // Money and tables: large, nightly, read by nobody at the bedside.
  charge: 'bulk',
  'master-file': 'bulk',
  // Vitals come again in seconds; what must not wait comes as an alarm.
  'device-observation': 'routine',
  // By its priority, below.
  'device-alarm': 'routine',
  // A device that fell silent no longer alarms. `urgent`, not `stat`: a switch that fails
  // silences a whole ward at once, and that burst must not delay a real alarm.
  'device-silence': 'urgent',
};

/** Whatever else such an event carries. */
export const fixedKinds: ReadonlySet<string> = new Set(['charge', 'master-file']);

/** As it is sent for an order, a referral or an appointment. */
export const priorityClasses: readonly { pattern: RegExp; class: Class }[] = [
  { pattern: isStat, class: 'stat' },
  { pattern: isUrgent, class: 'urgent' },
];

/**
 * Who got or accepted an alarm [IHE PCD-05] keeps it from going to the next one, and nobody has to run. Not above its
 * alarm's class, so that it never comes before it.
 */
export const notificationCeiling: Class = 'urgent';

/** A result whose source was never reviewed may be critical without a flag that we know. */
export const unreviewedFloor: Class = 'urgent';

/** A will says that a client is gone, not what became of the patient; a broker restart sends thousands. */
export const willCeiling: Class = 'urgent';
