/**
 * Decimals as people write them: exact, because what is reported to a clinician must not carry
 * the noise of binary floating point (0.1 + 0.2). A number is `coefficient` × 10^-`scale`.
 */
export interface Decimal {
  coefficient: bigint;
  /** Digits after the point, as written; may be negative for what comes out of a calculation. */
  scale: number;
}

/** `7.40`, `-3`, `+0.5`; undefined for everything else: `1,5`, `1e3`, `1:80`, ` 7`, `.5`. */
export function parseDecimal(text: string): Decimal | undefined {
  const [, sign, whole, fraction = ''] = /^([+-]?)(\d{1,40})(?:\.(\d{1,40}))?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const coefficient = BigInt(whole + fraction);
  return { coefficient: sign === '-' ? -coefficient : coefficient, scale: fraction.length };
}

/** The nearest decimal of so many significant digits, without zeros at its end. */
export function fromNumber(value: number, digits: number): Decimal {
  const [, sign, mantissa = '0', exponent = '0'] =
    /^(-?)([\d.]+)e([+-]\d+)$/.exec(value.toExponential(digits - 1)) ?? [];
  const bare = mantissa.replace('.', '').replace(/0+$/, '') || '0';
  const coefficient = BigInt(bare);
  return {
    coefficient: sign === '-' ? -coefficient : coefficient,
    scale: bare.length - 1 - Number(exponent),
  };
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return { coefficient: a.coefficient * b.coefficient, scale: a.scale + b.scale };
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { coefficient: raised(a, scale) + raised(b, scale), scale };
}

/** With exactly so many digits after the point; a half is rounded away from zero. */
export function writeDecimal(value: Decimal, decimals: number): string {
  const digits = rounded(value, decimals);
  const negative = digits < 0n;
  const text = String(negative ? -digits : digits).padStart(decimals + 1, '0');
  const whole = text.slice(0, text.length - decimals);
  const fraction = decimals === 0 ? '' : `.${text.slice(-decimals)}`;
  return `${negative ? '-' : ''}${whole}${fraction}`;
}

/** Digits that count: 0.0740 has 3, 100 has 3, 0 has 1. */
export function digitsOf({ coefficient }: Decimal): number {
  return String(coefficient < 0n ? -coefficient : coefficient).length;
}

function raised({ coefficient, scale }: Decimal, to: number): bigint {
  return coefficient * 10n ** BigInt(to - scale);
}

function rounded(value: Decimal, decimals: number): bigint {
  if (value.scale <= decimals) return raised(value, decimals);
  const unit = 10n ** BigInt(value.scale - decimals);
  const half = value.coefficient < 0n ? -(unit / 2n) : unit / 2n;
  return (value.coefficient + half) / unit;
}
