/**
 * F10: times without an offset, where the clocks change: each has the instant that its zone gives it and says
 * that the zone was assumed, a doubtful one is marked, and neither depends on the zone of the process.
 */
import { stream } from '../../../control-plane/ctl/client.ts';
import type { ClinicalTime } from '../../../proto/gen/hilum/v1/event.ts';
import { MllpClient } from '../../kit/mllp-client.ts';
import { everything, Rig, send } from '../rig.ts';
import type { Row, RowContext } from '../row.ts';

interface Expected {
  readonly sent: string;
  readonly value: string;
  readonly assumed: string;
  readonly ambiguity: '' | 'gap' | 'fold';
}

/** From the calendars of 2026, not from our own reading of them. */
const zones: Record<string, readonly Expected[]> = {
  'Europe/Berlin': [
    local('20260115083000', '2026-01-15T08:30:00+01:00'),
    local('20260715083000', '2026-07-15T08:30:00+02:00'),
    local('20260329015959', '2026-03-29T01:59:59+01:00'),
    local('20260329023000', '2026-03-29T02:30:00+01:00', 'gap'),
    local('20260329030000', '2026-03-29T03:00:00+02:00'),
    local('20261025023000', '2026-10-25T02:30:00+02:00', 'fold'),
    local('20261025030000', '2026-10-25T03:00:00+01:00'),
  ],
  'America/New_York': [
    local('20260115083000', '2026-01-15T08:30:00-05:00'),
    local('20260715083000', '2026-07-15T08:30:00-04:00'),
    local('20260308023000', '2026-03-08T02:30:00-05:00', 'gap'),
    local('20261101013000', '2026-11-01T01:30:00-04:00', 'fold'),
    local('20261101023000', '2026-11-01T02:30:00-05:00'),
    // Clocks that change in Berlin do not change here.
    local('20260329023000', '2026-03-29T02:30:00-04:00'),
  ],
  // No zone was configured: the default is said like any other.
  '': [
    local('20260715083000', '2026-07-15T08:30:00+00:00'),
    local('20260329023000', '2026-03-29T02:30:00+00:00'),
  ],
};

/** What a sender says itself is never touched, in any zone. */
const given: readonly Expected[] = [
  { sent: '20261025023000+0200', value: '2026-10-25T02:30:00+02:00', assumed: '', ambiguity: '' },
  { sent: '20261025023000+0100', value: '2026-10-25T02:30:00+01:00', assumed: '', ambiguity: '' },
  { sent: '20260329', value: '2026-03-29', assumed: '', ambiguity: '' },
];

export const f10: Row = {
  id: 'F10',
  title: 'clock changes: no time is guessed silently, in whatever zone the process runs',
  async run(context) {
    const rig = new Rig(context);
    await rig.start({ env: { TZ: '' } });
    await send(rig, { first: 0, count: 20, connections: 2 }).done;
    const failures: string[] = [];
    const wanted = new Map<string, Expected & { zone: string }>();
    let n = 1_000_000;
    for (const [at, process] of processZones(context).entries()) {
      if (at > 0) {
        await rig.killGateway();
        await rig.startGateway({ env: { TZ: process } });
        await rig.connected();
      }
      for (const zone of Object.keys(zones)) {
        const outcome = await rig.push(zone === '' ? 'sources: {}\n' : `site: { zone: ${zone} }\n`);
        if (outcome !== 'applied') failures.push(`the zone ${zone} was not applied: ${outcome}`);
        const client = await MllpClient.connect({ port: rig.mllpPort });
        for (const one of [...(zones[zone] as readonly Expected[]), ...given]) {
          // Twice, as it is half past two twice: two events, whatever their times say.
          for (let times = 0; times < 2; times += 1, n += 1) {
            const controlId = `TIME${n}`;
            wanted.set(controlId, { ...one, assumed: one.assumed === '' ? '' : zone || 'UTC', zone });
            await rig.tell(client, { n, controlId, bytes: report(controlId, one.sent) });
          }
        }
        await client.close();
        // A config holds for records that are normalized after it.
        await rig.drained();
      }
    }
    const found = await observedTimes(rig);
    for (const [controlId, { sent, value, assumed, ambiguity, zone }] of wanted) {
      const times = found.get(controlId) ?? [];
      const where = `${sent} in ${zone || 'no zone'} (${controlId})`;
      if (times.length !== 1) failures.push(`${where}: ${times.length} events`);
      const [time] = times;
      if (time?.value !== value) failures.push(`${where}: ${time?.value} instead of ${value}`);
      if (time?.assumed !== assumed) failures.push(`${where}: assumed ${time?.assumed || 'nothing'}`);
      if (time?.ambiguity !== ambiguity) failures.push(`${where}: ${time?.ambiguity || 'no mark'}`);
    }
    const checked = await rig.oracle();
    const marked = [...wanted.values()].filter(({ ambiguity }) => ambiguity !== '').length;
    return {
      failures: [...failures.slice(0, 20), ...checked.failures],
      figures: `${wanted.size} times, ${marked} of them doubtful, process zones ${processZones(context).length}, ${checked.summary}`,
    };
  },
};

function processZones({ short }: RowContext): string[] {
  // '' is a TZ without a zone, which is UTC to the C library; the gateway must not care.
  return short ? ['', 'America/New_York'] : ['', 'America/New_York', 'Europe/Berlin', 'Pacific/Apia'];
}

function local(sent: string, value: string, ambiguity: Expected['ambiguity'] = ''): Expected {
  return { sent, value, assumed: 'zone', ambiguity };
}

function report(controlId: string, observed: string): Buffer {
  const lines = [
    // Without an offset here too: MSH-7 with one would be the message's default.
    `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261101||ORU^R01^ORU_R01|${controlId}|P|2.5.1`,
    'PID|1||4711^^^HOSP^MR||CANARYPATIENT^QUILLON',
    'OBR|1||F1|2823-3^Potassium^LN',
    `OBX|1|NM|2823-3^Potassium^LN||4.0|mmol/L|||||F|||${observed}`,
  ];
  return Buffer.from(`${lines.join('\r')}\r`, 'latin1');
}

async function observedTimes(rig: Rig): Promise<Map<string, ClinicalTime[]>> {
  const connection = rig.admin();
  const found = new Map<string, ClinicalTime[]>();
  const request = { ...everything, fromStart: true };
  for await (const { event } of stream(connection, connection.client.streamEvents(request))) {
    const time = event?.observations[0]?.effective;
    const controlId = event?.provenance?.messageControlId ?? '';
    if (time === undefined) continue;
    found.set(controlId, [...(found.get(controlId) ?? []), time]);
  }
  connection.close();
  return found;
}
