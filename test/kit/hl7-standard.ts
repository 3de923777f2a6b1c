/**
 * The one door to `hl7-standard`, which is an oracle for the subset that it gets right: standard
 * delimiters, CR line ends, one repetition, no escapes. It has no types and a quadratic parser.
 */
import { createRequire } from 'node:module';

interface Hl7Standard {
  transform(done: (error: unknown) => void): void;
  get(path: string, segment?: number, repetition?: number, subcomponent?: number): unknown;
  getSegments(name: string): { get(path: string): unknown }[];
}

const Hl7 = createRequire(import.meta.url)('hl7-standard') as new (raw: string) => Hl7Standard;

/** Reads `PID.5.1` of the first such segment; empty where it is not there. */
export function oracle(raw: string): (path: string) => string {
  const message = new Hl7(raw);
  message.transform((error) => {
    if (error) throw error instanceof Error ? error : new Error('hl7-standard could not read the message');
  });
  return (path) => {
    const found = message.get(path);
    return typeof found === 'string' ? found : '';
  };
}
