/** A normalization context for tests, a message from its lines, and what that gives. */
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import type { NormalizeContext } from '../../gateway/normalize/outcome.ts';
import { compileCodeTables, compileUnitTables } from '../../gateway/normalize/tables.ts';
import { configSchema } from '../../proto/config/schema.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';

const builtIn = configSchema.parse({});

export function testContext(over: Partial<NormalizeContext> = {}): NormalizeContext {
  return {
    source: 'lab',
    protocol: 'mllp',
    zone: 'Europe/Berlin',
    topic: '',
    capturedAtUs: 1_764_000_000_000_000n,
    attachmentBytesMax: 1 << 20,
    limits: builtIn.limits,
    codes: compileCodeTables(builtIn),
    units: compileUnitTables(builtIn),
    authorities: new Map(),
    ...over,
  };
}

export function er7(...lines: string[]): Buffer {
  return Buffer.from(`${lines.join('\r')}\r`, 'utf8');
}

/** Of a message that has these segments behind its MSH and no others. Throws where it is refused. */
export function eventsOf(type: string, ...segments: string[]): ClinicalEvent[] {
  const head = `MSH|^~\\&|A|B|C|D|20260314101500+0100||${type}|1|P|2.6`;
  const { events, reject } = normalizeHl7v2(er7(head, ...segments), testContext());
  if (reject !== undefined) throw new Error(reject.reason);
  return events;
}

/** The first of them. */
export function eventOf(type: string, ...segments: string[]): ClinicalEvent {
  const [one] = eventsOf(type, ...segments);
  if (one === undefined) throw new Error('no event');
  return one;
}
