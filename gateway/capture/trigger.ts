/** What a message type and its trigger event (MSH-9) mean for the class, from their bytes. */
import { mergeTriggers } from '../../proto/merge-triggers.ts';
import { code } from './words.ts';

/**
 * `patient` is ADT, `schedule` SIU and SRM, whose events have no order; what an ORC says there is not their urgency.
 * `result` is ORU and its kin, `specimens` OUL.
 */
export type Kind =
  | 'bulk'
  | 'merge'
  | 'alarm'
  | 'patient'
  | 'schedule'
  | 'result'
  | 'specimens'
  | 'referral'
  | 'other';

const kinds: ReadonlyMap<number, Kind> = new Map(
  Object.entries({
    DFT: 'bulk',
    BAR: 'bulk',
    MFN: 'bulk',
    ADT: 'patient',
    SIU: 'schedule',
    SRM: 'schedule',
    REF: 'referral',
    RRI: 'referral',
    OUL: 'specimens',
    ORU: 'result',
    OPU: 'result',
    PRU: 'result',
  } as const).map(([type, kind]) => [code(type), kind]),
);
const merges: ReadonlySet<number> = new Set([...mergeTriggers.keys()].map(code));
/** R40 reports an alarm [IHE PCD-04], R41 what became of its notification [IHE PCD-05]. */
const [R40, R41] = [code('R40'), code('R41')];

/** @param type where MSH-9 begins */
export function kindOf(raw: Uint8Array, type: number, end: number, component: number): Kind {
  if (type < 0 || type + 3 > end) return 'other';
  const kind = kinds.get(three(raw, type)) ?? 'other';
  if (raw[type + 3] !== component) return kind;
  const trigger = three(raw, type + 4);
  if (kind === 'patient') return merges.has(trigger) ? 'merge' : kind;
  return kind === 'result' && (trigger === R40 || trigger === R41) ? 'alarm' : kind;
}

export function isNotification(raw: Uint8Array, type: number, component: number): boolean {
  return type >= 0 && raw[type + 3] === component && three(raw, type + 4) === R41;
}

/** Identities are joined, moved or parted. */
export function isMerge(raw: Uint8Array, at: number): boolean {
  return merges.has(three(raw, at));
}

function three(raw: Uint8Array, at: number): number {
  return (raw[at]! << 16) | (raw[at + 1]! << 8) | raw[at + 2]!;
}
