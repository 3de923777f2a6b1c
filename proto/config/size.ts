/** `4KiB`, `16MiB`, `20GiB`, `512MB`, `1000` as bytes; undefined where it is none of these. */
export function parseSize(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,12})\s*(B|KiB|MiB|GiB|TiB|KB|MB|GB|TB)?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * (sizeUnits[(unit ?? 'B') as keyof typeof sizeUnits] ?? 1);
}

const sizeUnits = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
} as const;
