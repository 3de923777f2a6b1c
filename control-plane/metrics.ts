/** What the control plane tells Prometheus. */
import type { Metric } from '../gateway/process/status-server.ts';
import type { AdminApi } from './admin-api.ts';
import type { State } from './plane.ts';
import { sourceMetrics } from './telemetry/sources.ts';

export function* planeMetrics(
  { room, eventLog }: Pick<State, 'room' | 'eventLog'>,
  api: AdminApi,
): Generator<Metric> {
  yield {
    name: 'hilum_store_full',
    help: '1 while the volume is at its reserve and what gateways bring waits.',
    type: 'gauge',
    value: room.isFull ? 1 : 0,
  };
  for (const one of api.gateways()) {
    const labels = { gateway: one.gateway, site: one.site };
    yield {
      name: 'hilum_gateway_online',
      help: '1 while the gateway is connected.',
      type: 'gauge',
      labels,
      value: one.state === 'online' ? 1 : 0,
    };
  }
  yield* sourceMetrics(api.sources({ gateway: '', site: '' }));
  for (const { gateway, source, events, records, doubled, duplicates } of eventLog.counts()) {
    const labels = { gateway, source };
    yield {
      name: 'hilum_stored_events_total',
      help: 'Events in the log.',
      type: 'counter',
      labels,
      value: Number(events),
    };
    yield {
      name: 'hilum_stored_records_total',
      help: 'Records of which every event is stored.',
      type: 'counter',
      labels,
      value: Number(records),
    };
    yield {
      name: 'hilum_doubled_total',
      help: 'Records with more than one effect; must be 0.',
      type: 'counter',
      labels,
      value: Number(doubled),
    };
    yield {
      name: 'hilum_repeated_positions_total',
      help: 'Positions that came again and were not applied.',
      type: 'counter',
      labels,
      value: Number(duplicates),
    };
  }
}
