/** A gateway's sources as its newest report tells of them, one row each, and their metrics. */
import type { Metric } from '../../gateway/process/status-server.ts';
import { SourceRow } from '../../proto/gen/hilum/v1/admin.ts';
import type { Telemetry } from '../../proto/gen/hilum/v1/session.ts';
import type { GatewayRow } from '../../proto/gen/hilum/v1/store.ts';

export function sourcesOf({ gateway, site }: GatewayRow, report: Telemetry | undefined): SourceRow[] {
  if (report === undefined) return [];
  const { status, clocks, circuits, criticals, once, atUs: reportedAtUs } = report;
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
  for (const tally of once) of(tally.source).once.push(tally);
  return [...rows.values()].sort((a, b) => a.source.localeCompare(b.source));
}

export function* sourceMetrics(rows: readonly SourceRow[]): Generator<Metric> {
  for (const { gateway, site, source, clock, circuit, criticals, once } of rows) {
    const labels = { gateway, site, source };
    if (clock !== undefined && clock.verdict !== 'unknown') {
      yield {
        name: 'hilum_source_clock_ahead_seconds',
        help: "The clock of a source's senders less its gateway's.",
        type: 'gauge',
        labels,
        value: Number(clock.aheadUs) / 1e6,
      };
    }
    if (circuit !== undefined) {
      yield {
        name: 'hilum_mapping_circuit',
        help: '1 while the mapping of a source fails for every record, 2 while its records are not all tried.',
        type: 'gauge',
        labels,
        value: circuit.state === 'open' ? 2 : 1,
      };
    }
    for (const { rule, repeats, conflicts } of once) {
      for (const [what, value] of Object.entries({ repeats, conflicts })) {
        yield {
          name: 'hilum_once_events',
          help: "Events that say what was said before, or something else of the same, since the gateway's start.",
          type: 'gauge',
          labels: { ...labels, rule, what },
          value: Number(value),
        };
      }
    }
    for (const { rule, marked } of criticals) {
      yield {
        name: 'hilum_critical_results',
        help: "Results that a rule of the config found critical, since the gateway's start.",
        type: 'gauge',
        labels: { ...labels, rule },
        value: Number(marked),
      };
    }
  }
}
