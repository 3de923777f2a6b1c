/**
 * A unit as most write it, where another way of writing it says the same: 10³/µL and ·10^3/µL are 10^3/uL, mm^3 and
 * mm³ are mm3, ㎎/㎗ is mg/dl, sec. is sec, and a day is d in whichever language. Each step needs what those before it
 * leave.
 */
export function plainly(text: string): string {
  return steps.reduce((unit, [from, to]) => unit.replace(from, to as string), text);
}

type Step = readonly [from: RegExp, to: string | ((found: string, at: number, whole: string) => string)];

const ascii = new Map([...'⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺'].map((one, at) => [one, '0123456789-+'[at] ?? '']));

const steps: readonly Step[] = [
  [/^\s+|\s+$/g, ''],
  // Letters in one character (℃, ㎎) or as wide as a Chinese one.
  [/[℀-⅏㌀-㏿！-～]/g, (found) => found.normalize('NFKC')],
  [/[µμ]/g, 'u'],
  [/Ω/g, 'Ohm'],
  // cmH₂O
  [/[₀-₉]/g, (found) => String(found.charCodeAt(0) - 0x2080)],
  [/ ?\/ ?| per /g, '/'],
  [
    /[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+/g,
    (found, at, whole) => {
      const digits = [...found].map((one) => ascii.get(one) ?? one).join('');
      return /\d/.test(whole[at - 1] ?? '') ? `^${digits}` : digits;
    },
  ],
  // What the value and a power of ten are multiplied by; then the power: E9/L, 10 ^9, 10**9, 10(9), 10exp9.
  [/^(?:(?:[xX*×·•∙⋅]|mal|por|fois) ?[.·•∙⋅]?|\.) ?(?=10[ ^*(eE]|E\d)/, ''],
  [/^E\^?(?=\d{1,2}\/)/, '10^'],
  [/^10 ?(?:\^|\*\*?|exp) ?(?=[+-]?\d)/i, '10^'],
  [/^10\((\d{1,2})\)/, '10^$1'],
  // The body surface of a clearance: 1,73 m2, 1.73m*2, 1.73 m^2, 1.73 qm.
  [/\/mn(?=\/|$)/i, '/min'],
  [/\/1[.,]73(?: ?\.?(?:m ?[*^]? ?2|qm|sqm|sq\.? ?m))?$/i, '/{1.73_m2}'],
  [/([A-Za-z])\^([+-]?\d)/g, '$1$2'],
  [/([A-Za-z])\.(?=\/|$)/g, '$1'],
  // English, German, Dutch with Danish and Norwegian, Swedish, Finnish, Spanish and Portuguese, French, Italian, …
  [/\/(?:day|Tag|dag|dygn|døgn|vrk|dia|día|jour|giorno|die|doba|dobę|gün)$/i, '/d'],
  [/\/(?:hr|hrs|hour|Std|Stunde|uur|hora|heure|ora|saat)$/i, '/h'],
  [/\/(?:minute|minuut|minut|minuto|minuta)$/i, '/min'],
  [/\/24(?: ?(?:h|hr|hrs|hours|Std|Stunden|uur|horas|ore)|\.h)$/i, '/(24.h)'],
  [/\/(?:lt|ltr|liter|litre|litro)$/i, '/L'],
  [
    /(\/(?:m?g|m?mol)) ?(?:krea|kreat|kreatinin|crea|creat|creatinine|creatinina|créat|créatinine|cr)$/i,
    '$1{creat}',
  ],
];
