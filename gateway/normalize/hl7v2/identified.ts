/** Identifiers: CX, EI, EIP, HD and bare numbers [HL7 2.A.14, 2.A.28]. */
import type { Identifier } from '../../../proto/gen/hilum/v1/event.ts';
import { identifierSystem } from '../identity.ts';
import { timeOf } from './clock.ts';
import type { Segment } from './message.ts';
import type { Parts } from './parts.ts';

export function identifier(value: string, type: string, system: string): Identifier {
  return { system, value, type, assigner: '', facility: '', start: '', end: '' };
}

/** HD in `parts`, its three elements beginning at `from`. */
export function systemOf(parts: Parts, from: number): string {
  const { context } = parts.message.scope;
  const namespace = parts.text(from);
  const universal = parts.text(from + 1);
  return identifierSystem(context.source, context.authorities, namespace, universal, parts.text(from + 2));
}

export function cxs(segment: Segment, field: number): Identifier[] {
  return segment.each(field, (parts) => cxOf(parts, segment, field));
}

export function cx(segment: Segment, field: number): Identifier | undefined {
  return segment.has(field) ? cxOf(segment.parts(field), segment, field) : undefined;
}

/** Bare numbers whose field says what they are: PID-19 SS, PID-20 DL. */
export function typed(type: string): (segment: Segment, field: number) => Identifier[] {
  return (segment, field) => cxs(segment, field).map((one) => (one.type === '' ? { ...one, type } : one));
}

function cxOf(parts: Parts, segment: Segment, field: number): Identifier | undefined {
  const value = parts.text(1);
  if (value === '') return undefined;
  const authority = parts.sub(4);
  const found = identifier(value, parts.text(5), systemOf(authority, 1));
  found.assigner = authority.text(1) || authority.text(2);
  found.facility = parts.sub(6).text(1);
  const start = parts.has(7) ? timeOf(parts.sub(7), 1, segment, field) : undefined;
  const end = parts.has(8) ? timeOf(parts.sub(8), 1, segment, field) : undefined;
  found.start = start?.value ?? '';
  found.end = end?.value ?? '';
  return found;
}

/** EI: value, namespace, universal id, its type; `type` is ours (PLAC, FILL …). */
export function ei(type = ''): (segment: Segment, field: number) => Identifier | undefined {
  return (segment, field) => (segment.has(field) ? eiOf(segment.parts(field), type) : undefined);
}

export function eis(type = ''): (segment: Segment, field: number) => Identifier[] {
  return (segment, field) => segment.each(field, (parts) => eiOf(parts, type));
}

/** EIP: a placer's and a filler's EI, each in subcomponents. */
export function eips(segment: Segment, field: number): Identifier[] {
  return segment.repetitions(field).flatMap((parts) => {
    const both = [eiOf(parts.sub(1), 'PLAC'), eiOf(parts.sub(2), 'FILL')];
    return both.filter((one) => one !== undefined);
  });
}

export function eiOf(parts: Parts, type: string): Identifier | undefined {
  const namespace = parts.text(2);
  const universal = parts.text(3);
  // Some senders leave the first component out and name only the universal id.
  const value = parts.text(1) || universal;
  if (value === '') return undefined;
  const found = identifier(value, type, systemOf(parts, 2));
  found.assigner = namespace || universal;
  return found;
}
