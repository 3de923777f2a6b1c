/**
 * Trigger events that join, move or part identities [HL7 3.3.18, 3.3.24, 3.3.30-3.3.51]. Capture lets them overtake,
 * the mapping tells of them, and the memory follows them.
 */

/** What an identifier identifies. */
export type What = 'patient' | 'account' | 'visit';

export interface MergeTrigger {
  readonly action: 'merge' | 'change-identifier' | 'move' | 'link' | 'unlink';
  /**
   * Where MRG names less, it is of less. MRG-1 is the patient who ends where the trigger merges or renames patients;
   * where it is about the account or the visit of one patient, MRG-1 only says whose they are.
   */
  readonly of: readonly What[];
}

const entries: readonly [string, MergeTrigger['action'], ...What[]][] = [
  ['A18', 'merge', 'patient', 'account', 'visit'],
  ['A24', 'link', 'patient'],
  ['A30', 'merge', 'patient'],
  ['A34', 'merge', 'patient'],
  ['A35', 'merge', 'account'],
  ['A36', 'merge', 'patient', 'account'],
  ['A37', 'unlink', 'patient'],
  ['A39', 'merge', 'patient'],
  ['A40', 'merge', 'patient'],
  ['A41', 'merge', 'account'],
  ['A42', 'merge', 'visit'],
  ['A43', 'move', 'patient'],
  ['A44', 'move', 'account'],
  ['A45', 'move', 'visit'],
  ['A46', 'change-identifier', 'patient'],
  ['A47', 'change-identifier', 'patient'],
  ['A48', 'change-identifier', 'patient'],
  ['A49', 'change-identifier', 'account'],
  ['A50', 'change-identifier', 'visit'],
  ['A51', 'change-identifier', 'visit'],
];

export const mergeTriggers: ReadonlyMap<string, MergeTrigger> = new Map(
  entries.map(([trigger, action, ...of]) => [trigger, { action, of }]),
);

/** The account or the visit that ends with the change of class [HL7 3.3.6]. */
const changesOfClass: ReadonlySet<string> = new Set(['A06', 'A07']);

/** What ends by the trigger: nothing where it moves, links or parts. */
export function retiredBy(trigger: string): readonly What[] {
  if (changesOfClass.has(trigger)) return ['account', 'visit'];
  const found = mergeTriggers.get(trigger);
  return found !== undefined && endsSomething(found.action) ? found.of : [];
}

export function endsSomething(action: string): boolean {
  return action === 'merge' || action === 'change-identifier';
}
