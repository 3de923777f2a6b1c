/** The gateway's figures as Prometheus metrics; counters and states only. */
import type { MappingCircuit } from '../proto/gen/hilum/v1/session.ts';
import { refusalReasons } from './capture/refusals.ts';
import type { SourceClockState } from './clocks.ts';
import type { CriticalTally } from './criticals.ts';
import type { FailedRule } from './failed-rules.ts';
import type { Latency } from './latency.ts';
import type { Listener } from './listeners.ts';
import type { NotAccepted } from './not-accepted.ts';
import type { OnceTally } from './once-tallies.ts';
import { isWrongClock } from './process/clock-text.ts';
import type { Metric } from './process/status-server.ts';

export interface Figures {
  /** Each with its source; the other fields are the terms of custody. */
  custody: ({ source: string } & Record<string, number | string>)[];
  /** Messages for the local destinations, from the rows of their queues. */
  destinations: { destination: string; counts: { pending: number; delivered: number; dead: number } }[];
  lanes: { lane: string; first: number; last: number }[];
  room: { liveBytes: number; freeBytes: number };
  refusals: number;
  connected: boolean;
  latency: ReturnType<Latency['summary']>;
  listeners: readonly Pick<Listener, 'name' | 'counters' | 'refused'>[];
  clocks: readonly SourceClockState[];
  criticals: readonly CriticalTally[];
  once: readonly OnceTally[];
  failedRules: readonly FailedRule[];
  notAccepted: readonly NotAccepted[];
  circuits: readonly MappingCircuit[];
}

export function* gatewayMetrics(figures: Figures): Generator<Metric> {
  for (const { source, ...counts } of figures.custody) {
    for (const [term, value] of Object.entries(counts)) {
      yield {
        name: 'hilum_records',
        help: 'Records by source and what became of them.',
        type: 'gauge',
        labels: { source, term },
        value: Number(value),
      };
    }
  }
  for (const { destination, counts } of figures.destinations) {
    for (const term of ['pending', 'delivered', 'dead'] as const) {
      yield {
        name: 'hilum_destination_messages',
        help: 'Messages for a local destination and what became of them; dead is refused for good.',
        type: 'gauge',
        labels: { destination, term },
        value: counts[term],
      };
    }
  }
  for (const { lane, first, last } of figures.lanes) {
    yield {
      name: 'hilum_outbox_events',
      help: 'Events that the control plane has not acknowledged.',
      type: 'gauge',
      labels: { lane },
      value: last - first + 1,
    };
  }
  const { room } = figures;
  yield {
    name: 'hilum_journal_bytes',
    help: 'Bytes of the rows in the journal.',
    type: 'gauge',
    value: room.liveBytes,
  };
  yield {
    name: 'hilum_volume_free_bytes',
    help: 'Bytes free on the volume of the journal.',
    type: 'gauge',
    value: room.freeBytes,
  };
  yield {
    name: 'hilum_uplink_connected',
    help: '1 while the control plane is connected.',
    type: 'gauge',
    value: figures.connected ? 1 : 0,
  };
  yield {
    name: 'hilum_refused_total',
    help: 'Records that the journal did not take.',
    type: 'counter',
    value: figures.refusals,
  };
  for (const row of figures.latency) {
    for (const [quantile, value] of [
      ['0.5', row.p50Us],
      ['0.99', row.p99Us],
      ['1', row.maxUs],
    ] as const) {
      yield {
        name: 'hilum_latency_microseconds',
        help: 'Latency by class and hop.',
        type: 'gauge',
        labels: { class: row.class, hop: row.hop, quantile },
        value,
      };
    }
  }
  for (const listener of figures.listeners) {
    for (const [counter, value] of Object.entries(listener.counters())) {
      yield {
        name: 'hilum_listener',
        help: 'Counters of a listener.',
        type: 'gauge',
        labels: { listener: listener.name, counter },
        value,
      };
    }
    const refused = new Map(listener.refused().map(({ reason, count }) => [reason, count]));
    // Also those that there were none of yet: a series that begins with 1 shows no increase.
    for (const reason of refusalReasons) {
      yield {
        name: 'hilum_listener_refused_total',
        help: 'Connections that a listener did not take, or closed for what they may not do, by reason.',
        type: 'counter',
        labels: { listener: listener.name, reason },
        value: refused.get(reason) ?? 0,
      };
    }
  }
  yield* ofSources(figures);
}

function* ofSources({
  clocks,
  criticals,
  once,
  failedRules,
  notAccepted,
  circuits,
}: Figures): Generator<Metric> {
  for (const { source, field, count } of notAccepted) {
    yield {
      name: 'hilum_source_refused_total',
      help: 'Messages that the config of their source does not accept, by the field that says so; they were answered AR.',
      type: 'counter',
      labels: { source, field },
      value: count,
    };
  }
  for (const { source, rule, records } of failedRules) {
    yield {
      name: 'hilum_config_rule_failures_total',
      help: 'Records on which the condition of a rule of the config could not be evaluated, and counted as not met.',
      type: 'counter',
      labels: { source, rule },
      value: records,
    };
  }
  for (const { source, state, failures, untried } of circuits) {
    yield {
      name: 'hilum_mapping_circuit',
      help: '1 while the mapping of a source fails for every record, 2 while its records are not all tried.',
      type: 'gauge',
      labels: { source },
      value: state === 'open' ? 2 : 1,
    };
    for (const [what, value] of Object.entries({ failed: failures, untried })) {
      yield {
        name: 'hilum_mapping_circuit_records',
        help: 'Records of a source whose mapping fails: failed in a row, and put into quarantine untried.',
        type: 'gauge',
        labels: { source, what },
        value: Number(value),
      };
    }
  }
  for (const { source, verdict, aheadMs } of clocks) {
    if (verdict === 'unknown') continue;
    yield {
      name: 'hilum_source_clock_ahead_seconds',
      help: "The clock of a source's senders less the gateway's.",
      type: 'gauge',
      labels: { source },
      value: aheadMs / 1000,
    };
    yield {
      name: 'hilum_source_clock_wrong',
      help: '1 while the clock of a source, or its time zone, is wrong.',
      type: 'gauge',
      labels: { source },
      value: isWrongClock(verdict) ? 1 : 0,
    };
  }
  for (const { source, rule, ...counts } of once) {
    for (const [what, value] of Object.entries(counts)) {
      yield {
        name: 'hilum_once_events_total',
        help: 'Events that say what was said before, or something else of the same: left without an effect, or beside it.',
        type: 'counter',
        labels: { source, rule, what },
        value,
      };
    }
  }
  for (const { source, rule, marked, notApplied } of criticals) {
    yield {
      name: 'hilum_critical_results_total',
      help: 'Results that a rule of the config found critical.',
      type: 'counter',
      labels: { source, rule },
      value: marked,
    };
    for (const [why, value] of Object.entries(notApplied)) {
      yield {
        name: 'hilum_critical_rules_not_applied_total',
        help: 'How often a rule for critical results could not be applied, and why.',
        type: 'counter',
        labels: { source, rule, why },
        value,
      };
    }
  }
}
