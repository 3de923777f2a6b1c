/** A gateway's sources as its newest report tells of them, one row each. */
import { SourceRow } from '../../proto/gen/hilum/v1/admin.ts';
import type { Telemetry } from '../../proto/gen/hilum/v1/session.ts';
import type { GatewayRow } from '../../proto/gen/hilum/v1/store.ts';

export function sourcesOf({ gateway, site }: GatewayRow, report: Telemetry | undefined): SourceRow[] {
  if (report === undefined) return [];
  const { status, clocks, circuits, criticals, atUs: reportedAtUs } = report;
  const rows = new Map<string, SourceRow>();
  const of = (source: string): SourceRow => {
    let row = rows.get(source);
    if (row === undefined) {
      row = SourceRow.fromPartial({ gateway, site, source, reportedAtUs });
      rows.set(source, row);
    }
    return row;
  };
  for (const { source, ...share } of status?.shares ?? []) Object.assign(of(source), share);
  for (const clock of clocks) of(clock.source).clock = clock;
  for (const circuit of circuits) of(circuit.source).circuit = circuit;
  for (const tally of criticals) of(tally.source).criticals.push(tally);
  return [...rows.values()].sort((a, b) => a.source.localeCompare(b.source));
}
