/**
 * Device messages: containment rows (an OBX without a value, MDS.VMD.CHAN in OBX-4) say what the
 * device is, and an alarm's attributes are rows of their own [IHE DEV TF-2 3.1, 3.4].
 */

import type { Alarm, ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { lookup } from '../lookup.ts';
import { said } from './coded.ts';
import type { Message } from './message.ts';
import { fresh } from './shapes.ts';

const identifiersMax = 100;
const mdc = 'urn:iso:std:iso:11073:10101';

/** Profile names and OIDs that devices give in MSH-21. */
const alarmProfile = /IHE[ _]PCD[ _]ACM|PCD-04|1\.3\.6\.1\.4\.1\.19376\.1\.6\.1\.4\./i;
const deviceProfile = /IHE[ _]PCD|Continua|PCD-01|1\.3\.6\.1\.4\.1\.19376\.1\.6\./i;

/** Why an ORU is a device's: its trigger, its profile, or MDC codes in its rows. */
export function deviceKind(message: Message, trigger: string): 'alarm' | 'device' | '' {
  if (trigger === 'R40' || trigger === 'R41') return 'alarm';
  const header = message.segments[0];
  const profiles = header?.whole(21) ?? '';
  if (profiles !== '') {
    if (alarmProfile.test(profiles)) return 'alarm';
    if (deviceProfile.test(profiles)) return 'device';
  }
  for (const segment of message.segments) {
    if (segment.name === 'OBR' && segment.text(4, 1, 3) === 'MDC' && segment.text(4) === '196616')
      return 'alarm';
    if (segment.name !== 'OBX') continue;
    return segment.text(3, 1, 3) === 'MDC' || segment.text(3, 1, 6) === 'MDC' ? 'device' : '';
  }
  return '';
}

export function finishDevice(event: ClinicalEvent, alarming = false): void {
  const device = fresh.device();
  for (const row of event.observations) {
    const contains = row.value === '' && row.valueCode === undefined && row.attachment === undefined;
    if (!contains && row.equipment.length === 0) continue;
    if (contains && device.type === undefined) {
      device.type = row.code;
      device.path = row.subId;
    }
    for (const one of row.equipment) {
      if (device.identifiers.length >= identifiersMax) break;
      if (!device.identifiers.some((known) => known.value === one.value && known.system === one.system)) {
        device.identifiers.push(one);
      }
    }
  }
  if (device.type !== undefined || device.identifiers.length > 0) event.device = device;
  if (alarming) event.alarm = alarmOf(event);
}

const priorities: Record<string, string> = { PH: 'high', PM: 'medium', PL: 'low', PN: 'none', PI: 'none' };
const types: Record<string, string> = { SP: 'physiological', ST: 'technical', SA: 'advisory' };

/** MDC attribute codes (and reference ids) of an alarm's rows. */
const attributes: Record<string, (alarm: Alarm, value: string) => void> = lookup({
  '68480': (alarm, value) => {
    alarm.sourceLocation = value;
  },
  '68481': (alarm, value) => {
    alarm.phase = word(value);
  },
  '68482': (alarm, value) => {
    alarm.state = word(value);
  },
  '68483': (alarm, value) => {
    alarm.inactivation = word(value);
  },
  '68484': (alarm, value) => {
    alarm.priority = priorities[value.toUpperCase()] ?? word(value);
  },
  '68485': (alarm, value) => {
    alarm.type = types[value.toUpperCase()] ?? word(value);
  },
});
const byName: Record<string, string> = lookup({
  MDC_ATTR_ALERT_SOURCE: '68480',
  MDC_ATTR_EVENT_PHASE: '68481',
  MDC_ATTR_ALARM_STATE: '68482',
  MDC_ATTR_ALARM_INACTIVATION_STATE: '68483',
  MDC_ATTR_ALARM_PRIORITY: '68484',
  MDC_ATTR_ALERT_TYPE: '68485',
  MDC_ATTR_AL_STATE: '68482',
  MDC_ATTR_AL_PRIORITY: '68484',
});

function alarmOf(event: ClinicalEvent): Alarm {
  const alarm = fresh.alarm();
  const { order } = event;
  // The first phase's filler number names the alarm through all its phases.
  const parent = order?.parents.find((one) => one.type === 'FILL' && one.value !== '0');
  alarm.identifier = parent ?? order?.filler;
  for (const row of event.observations) {
    const coding = row.code?.codings.find((one) => one.system === mdc) ?? row.code?.codings[0];
    const known = attributes[coding?.code ?? ''] ?? attributes[byName[coding?.display ?? ''] ?? ''];
    if (known !== undefined) {
      // A coded value (CWE) says its word in the first component.
      known(alarm, row.valueCode?.codings[0]?.code ?? row.value);
    } else if (alarm.code === undefined && row.value !== '') {
      alarm.code = row.code;
      alarm.text = row.value;
      alarm.raised = row.effective;
    }
  }
  alarm.code ??= order?.service ?? said('');
  alarm.raised ??= event.times?.observed;
  return alarm;
}

function word(value: string): string {
  return value.toLowerCase();
}
