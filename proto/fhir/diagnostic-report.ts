/** DiagnosticReport: what an order's results are together. */
import { coded, concept, hl7System, identifiers, instant, notStated, timed } from './datatypes.ts';
import type { Draft } from './draft.ts';
import type { Element } from './json.ts';
import { supersededExtension } from './own-extensions.ts';
import { actors } from './practitioner.ts';
import { reportStatus } from './tables.ts';

export function addReport(draft: Draft): void {
  const { kind, order, times, status, superseded } = draft.event;
  if (kind !== 'observation' || order === undefined) return;
  const { participants } = order;
  draft.add('report', {
    resourceType: 'DiagnosticReport',
    extension: supersededExtension(superseded),
    identifier: identifiers([order.filler, order.placer]),
    basedOn: draft.requests.slice(0, 1),
    status: reportStatus[status] ?? 'unknown',
    category: section(order.diagnosticSection),
    code: concept(order.service) ?? notStated,
    ...draft.about(order),
    ...timed('effective', times?.observed, times?.observedEnd),
    issued: instant(times?.issued),
    performer: actors(draft, participants, 'performing'),
    resultsInterpreter: actors(draft, participants, 'interpreting'),
    specimen: draft.specimens,
    result: draft.results,
  });
}

/** OBR-24 [HL7 table 0074]. */
function section(sent: string): Element[] | undefined {
  if (sent === '') return undefined;
  return [/^[A-Z]{2,4}$/.test(sent) ? coded(hl7System('v2-0074'), sent) : { text: sent }];
}
