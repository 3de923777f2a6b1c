/** What of the built-in vitals shape the gate looks at in the bytes, and the normalizer in what it has read. */

/** Members of an object that are never a reading, nor have readings in them. */
export const vitalsMembers: ReadonlySet<string> = new Set([
  ...['device', 'deviceId', 'patient', 'patientId', 'encounter', 'encounterId', 'location', 'time'],
  ...['timestamp', 'alarm', 'alarms', 'battery'],
]);

const noAlarm = new Set(['', 'none', 'false']);

/** A text in the place of an alarm: devices that write their state there send it all the time. */
export function saysNoAlarm(text: string): boolean {
  return noAlarm.has(text.trim().toLowerCase());
}
