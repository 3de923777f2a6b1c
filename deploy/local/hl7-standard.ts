/**
 * The one door to `hl7-standard`: builder of sample traffic here, oracle in the tests for the
 * subset that it gets right (standard delimiters, CR line ends, no escapes). It has no types,
 * a quadratic parser and no encoding of what is set: nothing but our own texts goes in.
 */
import { createRequire } from 'node:module';

interface Hl7Standard {
  transform(done?: (error: unknown) => void): void;
  get(path: string, segment?: number, repetition?: number, subcomponent?: number): unknown;
  set(path: string, value: string, segment?: number): void;
  getSegments(name: string): { get(path: string): unknown }[];
  build(): string;
}

const Hl7 = createRequire(import.meta.url)('hl7-standard') as new (
  raw: string,
  options?: { lineEndings: string },
) => Hl7Standard;

/** A template with fields set (`PID.3.1`, or `OBX.5@1` for the second OBX); CR line ends. */
export function buildMessage(template: string, fields: Readonly<Record<string, string>>): string {
  const message = new Hl7(template, { lineEndings: '\r' });
  message.transform();
  for (const [path, value] of Object.entries(fields)) {
    const [field = '', segment = '0'] = path.split('@');
    message.set(field, value, Number(segment));
  }
  return `${message.build()}\r`;
}

/** Reads `PID.5.1` of the first such segment; empty where it is not there. */
export function oracle(raw: string): (path: string) => string {
  const message = parsed(raw);
  return (path) => {
    const found = message.get(path);
    return typeof found === 'string' ? found : '';
  };
}

/** Reads the wanted fields of the first or, where `every`, of all segments of a name: how fast it is, P6 tells. */
export function readFields(raw: string, wanted: readonly { path: string; every?: boolean }[]): unknown[] {
  const message = parsed(raw);
  return wanted.flatMap(({ path, every }) =>
    every ? message.getSegments(path.slice(0, 3)).map((one) => one.get(path)) : [message.get(path)],
  );
}

function parsed(raw: string): Hl7Standard {
  const message = new Hl7(raw);
  message.transform((error) => {
    if (error) throw error instanceof Error ? error : new Error('hl7-standard could not read the message');
  });
  return message;
}
