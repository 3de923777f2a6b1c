/** Codings that carry no more than a system, a code and its text: literals, since most messages hold many. */
import type { Coding } from '../../proto/gen/hilum/v1/event.ts';

/** @param mapped it was not sent: a table, a template or the reading of a unit gives it */
export function codingOf(system: string, code: string, display = '', mapped = false): Coding {
  return { system, code, display, version: '', name: '', mapped, valueSet: '', valueSetVersion: '' };
}
