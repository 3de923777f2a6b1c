/** What one message of segments tells: its events, and their resources, which must be valid. */
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { toBundle, toBundleText } from '../../proto/fhir/bundle.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { problemsOf } from '../fhir/validator.ts';
import { er7, testContext } from './context.ts';

export function events(type: string, ...segments: string[]): ClinicalEvent[] {
  const head = `MSH|^~\\&|CPOE|HOSP|LAB|HOSP|20261123081500||${type}|1|P|2.5.1`;
  const { events, reject } = normalizeHl7v2(er7(head, 'PID|1||7^^^HOSP^MR||A^B', ...segments), testContext());
  if (reject !== undefined) throw new Error(reject.reason);
  return events;
}

/** As plain JSON, so that numbers are what a reader of the text gets. */
export function resources(type: string, ...segments: string[]): Record<string, unknown>[] {
  return events(type, ...segments).flatMap((event) => {
    const text = toBundleText(event);
    const problems = problemsOf(text);
    if (problems.length > 0) throw new Error(problems.join('\n'));
    if (toBundle(event).entry.length === 0) throw new Error('nothing in the bundle');
    return (JSON.parse(text) as { entry: { resource: Record<string, unknown> }[] }).entry.map(
      ({ resource }) => resource,
    );
  });
}

/** Those of one type. */
export function only(type: string, all: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  return all.filter(({ resourceType }) => resourceType === type);
}

export function remarksOf(all: readonly ClinicalEvent[]): string[] {
  return all[0]?.provenance?.remarks ?? [];
}
