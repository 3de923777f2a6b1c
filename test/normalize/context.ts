/** A normalization context for tests, and a message from its lines. */
import type { MappedCode, NormalizeContext } from '../../gateway/normalize/outcome.ts';

export function testContext(over: Partial<NormalizeContext> = {}): NormalizeContext {
  return {
    source: 'lab',
    protocol: 'mllp',
    zone: 'Europe/Berlin',
    topic: '',
    capturedAtUs: 1_764_000_000_000_000n,
    attachmentBytesMax: 1 << 20,
    codes: { lookup: (): MappedCode | undefined => undefined },
    authorities: new Map(),
    ...over,
  };
}

export function er7(...lines: string[]): Buffer {
  return Buffer.from(`${lines.join('\r')}\r`, 'utf8');
}
