/**
 * When a drug is to be taken. A message says it with the drug (RXE-1, RXG-3, TQ1 behind RXG) and with the order (TQ1,
 * ORC-7), and each may hold what the other leaves out; what they say differently stands in words beside what leads.
 */
import type { ClinicalEvent, Medication, Timing } from '../gen/hilum/v1/event.ts';

export interface Step {
  readonly timing: Timing;
  /** What the other place says of it, in words. */
  readonly also: readonly string[];
}

export function stepsOf({ order, provenance }: ClinicalEvent, from: Medication): Step[] {
  const own = distinct(from.timing);
  // What is to be given at one time has its own [HL7 4A.3.10].
  if (from.act === 'give' && own.length > 0) return own.map((timing) => ({ timing, also: [] }));
  const ordered = distinct(order?.timing ?? []);
  // Since 2.5 RXE-1 is only kept beside TQ1; before, it is the pharmacy's own beside what was ordered [HL7 4A.4.4.1].
  const since25 = /^2\.(?:[5-9]|\d\d)/.test(provenance?.version ?? '');
  const [leading, other] = since25 ? [ordered, own] : [own, ordered];
  return Array.from({ length: Math.max(leading.length, other.length) }, (_, at) =>
    joined(leading[at], other[at] ?? (other.length === 1 ? spokenOf(other[0]) : undefined)),
  );
}

/** Each once: the old field and the segment that took its place may say the same. */
export function distinct(all: readonly Timing[]): Timing[] {
  const found: Timing[] = [];
  for (const one of all) {
    const last = found.at(-1);
    if (last !== undefined && isSame(last, one)) found[found.length - 1] = joined(last, one).timing;
    else found.push(one);
  }
  return found;
}

/** As often, and nothing of the one contradicts the other; what follows on another is a step of its own. */
function isSame(one: Timing, other: Timing): boolean {
  if (one.conjunction !== '' || amount(one.quantity) !== amount(other.quantity)) return false;
  if ((one.repeat === '') !== (other.repeat === '')) return false;
  if (one.repeat === '' && (one.start === undefined || other.start === undefined)) return false;
  return joined(one, other).also.length === 0;
}

const texts = [
  'quantity',
  'repeat',
  'duration',
  'relative',
  'occurrences',
  'occurrenceDuration',
  'text',
  'condition',
] as const;
const times = ['start', 'end'] as const;

function joined(leading: Timing | undefined, other: Timing | undefined): Step {
  if (leading === undefined || other === undefined) return { timing: (leading ?? other) as Timing, also: [] };
  const timing = { ...leading };
  const differing: string[] = [];
  const spoken: string[] = [];
  for (const name of texts) {
    const [here, there] = [leading[name], other[name]];
    if (here === '') timing[name] = there;
    else if (there !== '' && !says(name, here, there))
      (name === 'text' || name === 'condition' ? spoken : differing).push(plain(there));
  }
  for (const name of times) {
    timing[name] ??= other[name];
    const there = other[name]?.value ?? '';
    if (there !== '' && timing[name]?.value !== there) differing.push(`${name} ${there}`);
  }
  const day = other.timesOfDay.join(' ');
  if (leading.timesOfDay.length === 0) timing.timesOfDay = other.timesOfDay;
  else if (day !== '' && day !== leading.timesOfDay.join(' ')) differing.push(`at ${day}`);
  if (leading.sequences.length === 0) timing.sequences = other.sequences;
  timing.conjunction ||= other.conjunction;
  timing.priority ||= other.priority;
  return {
    timing,
    also: [...(differing.length > 0 ? [`also sent: ${differing.join(', ')}`] : []), ...spoken],
  };
}

/** Of one timing beside several: its words hold for all of them. */
function spokenOf(from: Timing | undefined): Timing | undefined {
  if (from === undefined) return undefined;
  const nothing = { quantity: '', repeat: '', duration: '', relative: '', occurrences: '' };
  const none = { start: undefined, end: undefined, timesOfDay: [], sequences: [] };
  return { ...from, ...nothing, ...none, occurrenceDuration: '', conjunction: '', priority: '' };
}

function says(name: (typeof texts)[number], here: string, there: string): boolean {
  if (here === there) return true;
  if (name === 'quantity') return amount(there) === '' || amount(here) === amount(there);
  // QD beside QD^Daily^HL70335.
  return name === 'repeat' && here.split(/[\^&]/)[0]?.toUpperCase() === there.toUpperCase();
}

/** Once the amount is the amount. */
function amount(quantity: string): string {
  return /^0*1(\.0*)?$/.test(quantity) ? '' : quantity;
}

/** Without the separators that it was sent with. */
export function plain(sent: string): string {
  return sent.replace(/[\^&\s]+/g, ' ').trim();
}
