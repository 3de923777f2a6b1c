/** What a gateway tells beside its events, put where it belongs; what it waits for is answered. */
import type { GatewayFrame } from '../../proto/gen/hilum/v1/session.ts';
import type { Live } from './live.ts';
import type { Hub } from './needs.ts';

/** Resolves when it is flushed. */
export async function takeReport(
  hub: Hub,
  { gateway, site, line }: Pick<Live, 'gateway' | 'site' | 'line'>,
  frame: NonNullable<GatewayFrame['frame']>,
): Promise<void> {
  switch (frame.$case) {
    case 'telemetry':
      await hub.telemetry(gateway, frame.value);
      break;
    case 'receipts':
      await hub.receipts(gateway, frame.value);
      break;
    case 'repeats':
      await hub.repeats(gateway, frame.value);
      break;
    case 'config':
      await hub.configReport(gateway, frame.value);
      break;
    case 'audit': {
      const through = await hub.audit(gateway, site, frame.value.entries);
      line.send({ frame: { $case: 'auditAck', value: { through } } });
      break;
    }
    case 'quarantine': {
      const through = await hub.quarantine(gateway, site, frame.value.entries);
      line.send({ frame: { $case: 'quarantineAck', value: { through } } });
      break;
    }
    case 'deliveries': {
      const through = await hub.deliveries(gateway, frame.value.entries);
      line.send({ frame: { $case: 'deliveryAck', value: { through } } });
      break;
    }
    default:
      // A newer gateway may say more than this build knows.
      break;
  }
}
