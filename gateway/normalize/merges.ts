/** What an identity event ends, by its trigger: the mapping says it of the message, the memory follows it. */

/** What an identifier identifies. */
export type What = 'patient' | 'account' | 'visit';

/**
 * Trigger → what is retired [HL7 3.3.18, 3.3.30-3.3.51]. Where MRG names less, less is retired. MRG-1 is the patient
 * who ends where the trigger merges or renames patients; where it is about the account or the visit of one patient
 * (A35, A41, A42, A49, A50, A51), MRG-1 only says whose they are.
 */
export const retires: Readonly<Record<string, readonly What[]>> = {
  // The account or the visit that ends with the change of class [HL7 3.3.6].
  A06: ['account', 'visit'],
  A07: ['account', 'visit'],
  A18: ['patient', 'account', 'visit'],
  A30: ['patient'],
  A34: ['patient'],
  A35: ['account'],
  A36: ['patient', 'account'],
  A39: ['patient'],
  A40: ['patient'],
  A41: ['account'],
  A42: ['visit'],
  A46: ['patient'],
  A47: ['patient'],
  A48: ['patient'],
  A49: ['account'],
  A50: ['visit'],
  A51: ['visit'],
};

export function retiresPatient(trigger: string): boolean {
  return retires[trigger]?.includes('patient') ?? false;
}
