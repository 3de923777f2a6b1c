/** Makes a code that many events may share (see proto/back-writer.ts). */
import { BackWriter, KeptCode } from '../../proto/back-writer.ts';
import type { Code } from '../../proto/gen/hilum/v1/event.ts';
import { writeCode } from '../../proto/gen/hilum/v1/event-writer.ts';

const writer = new BackWriter();

export function keptCode(code: Code): KeptCode {
  writer.clear();
  writeCode(writer, code);
  return new KeptCode(code, Uint8Array.from(writer.since(0)));
}
