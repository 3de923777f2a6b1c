/** A date as a site writes it → HL7's own digits. `DD.MM.YYYY HH:mm` and 01.02.2026 07:05 give 202602010705. */

const parts = ['YYYY', 'MM', 'DD', 'HH', 'mm', 'ss'] as const;

/** Undefined where the text is not of this form. Whether there is such a day is not looked at here. */
export function readForm(text: string, form: string): string | undefined {
  const digits = new Map<string, string>();
  let at = 0;
  for (let index = 0; index < form.length; ) {
    const part = parts.find((one) => form.startsWith(one, index));
    const size = part?.length ?? 1;
    const said = text.slice(at, at + size);
    if (part === undefined ? said !== form[index] : !/^\d+$/.test(said) || said.length !== size)
      return undefined;
    if (part !== undefined) digits.set(part, said);
    at += size;
    index += size;
  }
  if (at !== text.length) return undefined;
  let whole = '';
  for (const part of parts) {
    const said = digits.get(part);
    if (said === undefined) break;
    whole += said;
  }
  return whole;
}
