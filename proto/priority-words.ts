/** How urgent a word is that stands for a priority: capture looks for it in the bytes, normalizer and classifier in the event. */

/**
 * Table 0485, and the same words in TQ-6 [HL7 2.3 4.4.6]. T is timing critical. P is before surgery. Table 0280 has the
 * same S and A for referrals. Long words, ST, CITO, U and URG are no codes, but are sent.
 */
export const statWords = ['S', 'ST', 'STAT', 'CITO', 'T'] as const;
export const urgentWords = ['A', 'ASAP', 'P', 'U', 'URG', 'URGENT'] as const;
/** With a number behind it or none: TS30 is within 30 seconds, TM within minutes, TH within hours. */
export const statTimes = ['TS', 'TM'] as const;
export const urgentTimes = ['TH'] as const;

/** Of a word in capitals. */
export const isStat = pattern(statWords, statTimes);
export const isUrgent = pattern(urgentWords, urgentTimes);

function pattern(words: readonly string[], times: readonly string[]): RegExp {
  return new RegExp(`^(?:${words.join('|')}|(?:${times.join('|')})\\d*)$`);
}
