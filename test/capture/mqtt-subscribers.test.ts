/** What a subscriber gets, with which QoS. A real client and a real socket, an intake in memory. */
import { connectAsync } from 'mqtt';
import t from 'tap';
import { createMqttSource } from '../../gateway/capture/mqtt/broker.ts';
import { hashPassword } from '../../gateway/capture/mqtt/passwords.ts';
import { MemoryIntake } from '../kit/memory-intake.ts';
import { until } from '../kit/wait.ts';

type Qos = 0 | 1 | 2;

t.test(
  'mqtt subscribers - a message comes once, with the highest QoS of the filters that match and no higher [MQTT-3.3.5-1]',
  async (t) => {
    const password = await hashPassword('pw');
    const broker = createMqttSource(
      {
        name: 'mqtt',
        host: '127.0.0.1',
        port: 0,
        users: [{ name: 'display', password, publish: ['devices/#'], subscribe: ['devices/#'] }],
        sourceFor: () => 'mqtt',
        classFor: () => 'routine',
      },
      new MemoryIntake(),
      { log: () => {}, nowUs: () => BigInt(Date.now()) * 1000n, elapsedMs: () => performance.now() },
    );
    const { port } = await broker.start();
    t.teardown(() => broker.stop(1_000));
    const dial = async () => {
      const options = { username: 'display', password: 'pw', reconnectPeriod: 0 };
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, options);
      t.teardown(() => client.end(true));
      return client;
    };
    const device = await dial();
    const cases: [filters: Record<string, Qos>, got: Qos[]][] = [
      [{ 'devices/#': 0 }, [0, 0, 0]],
      [{ 'devices/#': 1 }, [0, 1, 1]],
      [{ 'devices/+/y': 1 }, [0, 1, 1]],
      [{ 'devices/x/y': 2 }, [0, 1, 2]],
      [{ 'devices/x/#': 2, 'devices/#': 0 }, [0, 1, 2]],
      [{ 'devices/#': 0, 'devices/x/y': 1, 'devices/+/y': 0, 'devices/z': 2 }, [0, 1, 1]],
    ];
    for (const [filters, wanted] of cases) {
      const display = await dial();
      const got: Qos[] = [];
      display.on('message', (_topic, _payload, { qos }) => got.push(qos));
      const said = JSON.stringify(filters);
      const granted = await display.subscribeAsync(
        Object.fromEntries(Object.entries(filters).map(([filter, qos]) => [filter, { qos }])),
      );
      t.same(
        granted.map(({ qos }) => qos),
        Object.values(filters),
        `${said} is granted as asked`,
      );
      for (const qos of [0, 1, 2] as const) await device.publishAsync('devices/x/y', 'x', { qos });
      // What came twice would have come before this one.
      await device.publishAsync('devices/x/y', 'x', { qos: 0 });
      await until(() => got.length >= 4, { what: 'all four', everyMs: 5 });
      t.same(got, [...wanted, 0], said);
      // The same filter again replaces the earlier one, with its QoS [MQTT-3.8.4-3].
      const [first = ''] = Object.keys(filters);
      await display.subscribeAsync(first, { qos: 2 });
      await device.publishAsync('devices/x/y', 'x', { qos: 2 });
      await until(() => got.length >= 5, { what: 'the fifth', everyMs: 5 });
      t.equal(got[4], 2, `${first} again, with QoS 2`);
      await display.endAsync();
    }
  },
);
