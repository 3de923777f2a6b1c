/**
 * Device messages [IHE DEV TF-2 3.1]. A row (OBX) without a value names a part of the device: OBX-4 is its place in
 * the containment MDS.VMD.CHAN, OBX-18 and PRT say which one it is. The other rows measure, and hang below a part:
 *
 *   1.0.0.0    69965^…_MDS     the monitor            components: 1      mds
 *   1.1.0.0    69642^…_VMD     its oximeter           components: 1.1    vmd
 *   1.1.1.1    150456^…        what that measured     devicePath: 1.1
 *
 * What an earlier OBR of the patient named holds too (containment.ts).
 *
 * All rows stay in `observations`, those of the containment too: they carry times and states.
 */
import { mdcSystem } from '../../../proto/code-systems.ts';
import type {
  ClinicalEvent,
  Code,
  Device,
  Identifier,
  Observation,
} from '../../../proto/gen/hilum/v1/event.ts';
import { devicesOf } from '../../../proto/row-device.ts';
import { numberOf, type Part, pathsTo, withoutZeros } from './containment.ts';
import type { Draft } from './draft.ts';
import type { Message } from './message.ts';
import { fresh } from './shapes.ts';

const identifiersMax = 100;
const levels = ['mds', 'vmd', 'channel'];

/** Profile names and OIDs that devices give in MSH-21. */
const alarmProfile = /IHE[ _]PCD[ _]ACM|PCD-04|1\.3\.6\.1\.4\.1\.19376\.1\.6\.1\.4\./i;
const deviceProfile = /IHE[ _]PCD|Continua|PCD-01|1\.3\.6\.1\.4\.1\.19376\.1\.6\./i;

/** Why an ORU is a device's: its trigger, its profile, or a row with an MDC code. */
export function deviceKind(message: Message, trigger: string): 'alarm' | 'device' | '' {
  if (trigger === 'R40' || trigger === 'R41') return 'alarm';
  const header = message.segments[0];
  const profiles = header?.whole(21) ?? '';
  if (profiles !== '') {
    if (alarmProfile.test(profiles)) return 'alarm';
    if (deviceProfile.test(profiles)) return 'device';
  }
  if (!message.chars.includes('MDC')) return '';
  let rows = 0;
  let later = false;
  let specimen = false;
  for (const segment of message.segments) {
    // What is measured on a specimen is a laboratory's, also where some of its rows have codes of devices.
    if (segment.name === 'SPM') specimen = true;
    if (
      segment.name === 'OBR' &&
      rows === 0 &&
      segment.text(4, 1, 3) === 'MDC' &&
      segment.text(4) === '196616'
    )
      return 'alarm';
    if (segment.name !== 'OBX' || later) continue;
    const first = rows++ === 0;
    if (segment.text(3, 1, 3) !== 'MDC' && !(first && segment.text(3, 1, 6) === 'MDC')) continue;
    if (first) return 'device';
    // Some devices have rows of their own, or of their gateway, before those of the standard.
    later = true;
  }
  return later && !specimen ? 'device' : '';
}

export function finishDevice(event: ClinicalEvent, draft: Draft): void {
  const { observations, order } = event;
  const own: Part[] = [];
  for (const row of observations) {
    for (const { devices } of row.performers) addNew(row.equipment, devices);
    if (!isComponent(row)) continue;
    const path = withoutZeros(row.subId.split('.'));
    const component = { path, level: levelOf(row.code, path), type: row.code, identifiers: row.equipment };
    own.push({ component, place: row.subId });
  }
  const parts = [...draft.partsAround(event, own), ...own];
  const byPath = new Map(parts.map(({ component }) => [component.path, component]));
  const device = fresh.device();
  device.components = parts.map(({ component }) => component);
  const whole = parts.find(({ component }) => component.level === 'mds') ?? parts[0];
  if (whole !== undefined) {
    device.type = whole.component.type;
    device.path = whole.place;
    addNew(device.identifiers, whole.component.identifiers);
  }
  for (const { devices } of order?.participants ?? []) addNew(device.identifiers, devices);
  for (const row of observations) {
    if (byPath.size > 0 && !isComponent(row)) row.devicePath = innermost(row.subId, byPath);
  }
  if (device.identifiers.length === 0) addNew(device.identifiers, namedWithin(event, device));
  if (parts.length > 0 || device.identifiers.length > 0) event.device = device;
}

/** Of a device that has no number of its own the one that all rows are of, else an inner part's. */
function namedWithin(event: ClinicalEvent, device: Device): readonly Identifier[] {
  const [only, ...others] = devicesOf({ ...event, device });
  if (only !== undefined) return others.length === 0 ? only : [];
  return device.components.find(({ identifiers }) => identifiers.length > 0)?.identifiers ?? [];
}

/** A row of the containment by its code, in a message that is no device's. */
export function namesPart(row: Observation): boolean {
  return isComponent(row) && row.code?.codings.some(({ system }) => system === mdcSystem) === true;
}

/** Partition 1 has the objects (MDS, VMD, channel), 8 the device specializations [11073-10101]. */
export function isComponent(row: Observation): boolean {
  if (row.value !== '' || row.valueCode !== undefined) return false;
  if (row.attachment !== undefined || row.samples !== undefined) return false;
  const depth = row.subId === '' ? 0 : withoutZeros(row.subId.split('.')).split('.').length;
  if (depth > levels.length) return false;
  const term = mdcTerm(row.code);
  const partition = Number(term.code) >>> 16;
  return partition === 1 || partition === 8 || /^MDC_(DEV|MOC_VMS)_/.test(term.name) || depth === 1;
}

/** The name of the term says it better than the place: some senders give every part the place of the MDS. */
function levelOf(code: Code | undefined, path: string): string {
  const { name } = mdcTerm(code);
  if (name.endsWith('_MDS') || name.startsWith('MDC_DEV_SPEC_PROFILE_')) return 'mds';
  if (name.endsWith('_VMD')) return 'vmd';
  if (/_CHAN(_|$)/.test(name)) return 'channel';
  return levels[path.split('.').length - 1] ?? '';
}

/** Code and reference id of the MDC coding; some senders swap the two. */
export function mdcTerm(code: Code | undefined): { code: string; name: string } {
  const coding = code?.codings.find((one) => one.system === mdcSystem) ?? code?.codings[0];
  if (coding === undefined) return { code: '', name: code?.text ?? '' };
  const swapped = /^\d+$/.test(coding.display) && !/^\d+$/.test(coding.code);
  return swapped
    ? { code: coding.display, name: coding.code }
    : { code: coding.code, name: coding.display || coding.code };
}

/** The innermost component around a row: 1.6.1.1 hangs below 1.6.1, else 1.6, else 1. */
export function innermost(subId: string, components: ReadonlyMap<string, unknown>): string {
  return pathsTo(subId).findLast((path) => components.has(path)) ?? '';
}

function addNew(to: Identifier[], more: readonly Identifier[]): void {
  for (const one of more) {
    if (to.length >= identifiersMax) return;
    if (!to.some((known) => numberOf(known) === numberOf(one))) to.push(one);
  }
}
