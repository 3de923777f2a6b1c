/** What reading one message needs beside its bytes, and what it leaves for the provenance. */
import type { ClinicalTime } from '../../../proto/gen/hilum/v1/event.ts';
import type { NormalizeContext } from '../outcome.ts';

export interface Scope {
  context: NormalizeContext;
  /** MSH-7's offset, +01:00, the default of the message's times; empty where it has none, or the source has a zone. */
  offset: string;
  /** Fields that could not be read as their type, with their place; never content. */
  remarks: string[];
  /** Code tables that fired. */
  rules: string[];
  /** The times read last: a report and its rows mostly repeat them. */
  times: KnownTime[];
}

/** A time and the bytes of the message that say it. */
export interface KnownTime {
  start: number;
  end: number;
  time: ClinicalTime;
}

const remarksMax = 100;

export function remark(scope: Scope, text: string): void {
  if (scope.remarks.length < remarksMax && !scope.remarks.includes(text)) scope.remarks.push(text);
}

export function fired(scope: Pick<Scope, 'rules'>, rule: string): void {
  if (!scope.rules.includes(rule)) scope.rules.push(rule);
}
