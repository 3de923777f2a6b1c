/** What reading one message needs beside its bytes, and what it leaves for the provenance. */
import type { ClinicalTime } from '../../../proto/gen/hilum/v1/event.ts';
import type { NormalizeContext } from '../outcome.ts';

export interface Scope {
  context: NormalizeContext;
  /** MSH-7's offset, +01:00, the default of the message's times; empty where it has none. */
  offset: string;
  /** Fields that could not be read as their type, with their place; never content. */
  remarks: string[];
  /** Code tables that fired. */
  rules: string[];
  /** The time read last: a report's rows mostly repeat it. */
  lastTime: { text: string; time: ClinicalTime } | undefined;
}

const remarksMax = 100;

export function remark(scope: Scope, text: string): void {
  if (scope.remarks.length < remarksMax && !scope.remarks.includes(text)) scope.remarks.push(text);
}

export function fired(scope: Scope, rule: string): void {
  if (!scope.rules.includes(rule)) scope.rules.push(rule);
}
