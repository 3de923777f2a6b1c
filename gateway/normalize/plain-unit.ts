/**
 * A unit as most write it, where another way of writing it says the same: 10³/µL and ·10^3/µL are 10^3/uL, mm^3 and
 * mm³ are mm3, sec. is sec, and a day is d in whichever language.
 */
export function plainly(text: string): string {
  return text
    .replace(/[µμ]/g, 'u')
    .replace(/[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (raised, at: number) => {
      const digits = [...raised].map((one) => ascii.get(one) ?? one).join('');
      return /\d/.test(text[at - 1] ?? '') ? `^${digits}` : digits;
    })
    .replace(times, '')
    .replace(/([A-Za-z])\^([+-]?\d)/g, '$1$2')
    .replace(/([A-Za-z])\.(?=\/|$)/g, '$1')
    .replace(aDay, '/d')
    .replace(/\/24\.h$/, '/(24.h)');
}

const ascii = new Map([...'⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺'].map((one, at) => [one, '0123456789-+'[at] ?? '']));

/** What the number before a power of ten is multiplied with it by; the number itself is the value. */
const times = /^(?:(?:[xX*×·•∙⋅]|mal|por|fois) ?[.·•∙⋅]?|\.) ?(?=10[\^*])/;

/** English, German, Dutch and Danish and Norwegian (dag, døgn), Swedish, Finnish. */
const aDay = /\/ ?(?:day|Tag|dag|dygn|døgn|vrk)$/i;
