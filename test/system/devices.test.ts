/** A payload template pushed to a gateway: what a device publishes becomes events, what explodes goes to quarantine. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { mqttSession } from '../faults/mqtt-session.ts';
import { Rig } from '../faults/rig.ts';
import { packetType, publishPacket } from '../kit/mqtt-wire.ts';
import { projectRoot } from '../kit/paths.ts';
import { seededRandom } from '../kit/random.ts';
import { runProgram } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const folder = t.testdir();
const rig = new Rig({
  folder,
  dist: join(projectRoot, 'dist'),
  short: true,
  seed: 1,
  random: seededRandom(1),
  teardown: (cleanup) => t.teardown(cleanup),
  progress: () => undefined,
});
await rig.start();
const context = join(folder, 'control-plane', 'admin.json');
const ctl = (...args: string[]) => runProgram('ctl', ['--context', context, ...args]);
const json = async <T>(...args: string[]): Promise<T> =>
  JSON.parse((await ctl(...args, '-o', 'json')).stdout) as T;

const config = `
sources:
  mllp: { listener: mllp }
  pumps: { listener: mqtt, topics: [devices/pumps/#], payloads: [pump] }
payloads:
  pump:
    each: $.channels[*]
    when: text("@.mode") != "test" && text("$..nothing") == ""
    device: "topic[2]"
    time: $.sent
    observations:
      - code: { system: "urn:iso:std:iso:11073:10101", code: "157784", display: MDC_FLOW_FLUID_PUMP }
        value: "@.rate"
        unit: { text: ml/h, ucum: mL/h }
devices:
  bay-3: { identifier: { value: p-3 }, patient: { system: "urn:oid:1.2.3", value: "4711" } }
`;

async function publish(packetId: number, payload: string): Promise<void> {
  const session = await mqttSession(rig.mqttPort, { clientId: `pump-${packetId}` });
  const answer = await session.exchange(
    publishPacket({ topic: 'devices/pumps/p-3', payload: Buffer.from(payload), qos: 1, packetId }),
  );
  session.close();
  if (answer?.type !== packetType.puback) throw new Error('no PUBACK');
}

t.test('payload templates - pushed as config, they read what a device publishes', async (t) => {
  const path = join(folder, 'pumps.yaml');
  writeFileSync(path, config);
  t.equal((await ctl('config', 'push', path, '--site', 'faults', '--reason', 'pumps')).code, 0);
  await publish(1, '{"sent":"2026-11-23T08:15:00Z","channels":[{"rate":12.50},{"mode":"test","rate":9}]}');
  const events = await until(
    async () => {
      const found = await json<object[]>('events', '--source', 'pumps');
      return found.length > 0 && found;
    },
    { what: 'the reading', timeoutMs: 20_000 },
  );
  t.equal(events.length, 1);
  t.match(events[0], {
    kind: 'device-observation',
    device: { identifiers: [{ value: 'p-3' }] },
    patient: { identifiers: [{ system: 'urn:oid:1.2.3', value: '4711' }] },
    deviceAssociation: { basis: 'declared', declaredBy: 'bay-3' },
    observations: [{ value: '12.50', unit: 'ml/h', code: { codings: [{ code: '157784' }] } }],
    provenance: { mappingVersion: /config@\d+$/, remarks: ['items that no payload template took: 1'] },
  });
});

t.test(
  'payload templates - a payload that explodes is answered, quarantined with its reason, and harms no other',
  async (t) => {
    const channels = Array.from({ length: 3_000 }, () => '{"rate":1}').join(',');
    await publish(2, `{"channels":[${channels}]}`);
    await publish(3, '{"sent":"2026-11-23T08:16:00Z","channels":[{"rate":13}]}');
    const entries = await until(
      async () => {
        const found = await json<{ code: string; reason: string }[]>('quarantine', 'list');
        return found.length > 0 && found;
      },
      { what: 'the quarantined payload', timeoutMs: 20_000 },
    );
    t.match(entries, [
      {
        source: 'pumps',
        code: 'mapping-failed',
        reason:
          /^The payload template "pump" was too much for this payload: its paths looked at more than 500000 values/,
      },
    ]);
    await until(async () => (await json<object[]>('events', '--source', 'pumps')).length === 2, {
      what: 'the next reading',
      timeoutMs: 20_000,
    });
  },
);
