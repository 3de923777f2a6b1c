/** The flags of OBX-8 that say critical: capture looks for them in the bytes, the classifier in the event. */

/**
 * Table 0078: HH and LL are beyond panic limits, AA is very abnormal. The others are not in the table, but are what
 * laboratory systems send for "critical"; a false alarm costs less than a missed one. Where a flag is a CWE, its other
 * codings and its texts say it as well, with or without a code; several flags in one text have commas between them.
 *
 * Not here is what some systems mean as critical and others as merely abnormal: `++`, `--` (strongly raised or lowered)
 * and `*H`. `<` and `>` (off the instrument's scale), H, L and A alone are everyday results. A config decides.
 */
export const criticalFlags: ReadonlySet<string> = new Set([
  'HH',
  'LL',
  'AA',
  'C',
  'CH',
  'CL',
  'HC',
  'LC',
  // An asterisk behind the letter is the mark of VistA and Meditech; before two letters it adds nothing.
  'H*',
  'L*',
  '*HH',
  '*LL',
  'HH*',
  'LL*',
  // Extremely raised and lowered, above `++` and `--` [LDT 8422].
  '!H',
  '!L',
  '!+',
  '!-',
  // The words, and how the codes are displayed [v3-ObservationInterpretation].
  'CRIT',
  'CRITICAL',
  'KRITISCH',
  'PANIC',
  'CRIT HIGH',
  'CRIT LOW',
  'CRITICAL HIGH',
  'CRITICAL LOW',
  'CRITICAL ABNORMAL',
  'CRITICALLY HIGH',
  'CRITICALLY LOW',
  'PANIC HIGH',
  'PANIC LOW',
]);
