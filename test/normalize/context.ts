/** A normalization context for tests, and a message from its lines. */
import type { NormalizeContext } from '../../gateway/normalize/outcome.ts';
import { compileCodeTables, compileUnitTables } from '../../gateway/normalize/tables.ts';
import { configSchema } from '../../proto/config/schema.ts';

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
