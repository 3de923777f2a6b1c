/** F16: the same message again has one effect and an answer each time; other bytes under its control ID are two, flagged. */
import { entryOf } from '../../kit/ledger.ts';
import { messageMaker } from '../../kit/messages.ts';
import { MllpClient } from '../../kit/mllp-client.ts';
import { idPacket, packetType, publishPacket } from '../../kit/mqtt-wire.ts';
import { mqttSession } from '../mqtt-session.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';

export const f16: Row = {
  id: 'F16',
  title: 'repeats: one effect, each answered',
  async run(context) {
    const rig = new Rig(context);
    await rig.start();
    const failures: string[] = [];
    const make = messageMaker({ seed: 3, kind: 'oru' });
    const client = await MllpClient.connect({ port: rig.mllpPort });
    const message = make(1);
    await rig.ledger.sent(entryOf(message, { source: 'mllp', key: message.patientId }));
    for (let time = 0; time < 3; time += 1) rig.ledger.answered(1, (await client.send(message.bytes)).code);
    // Other bytes under the same control ID: a second event; and that one again is a repeat of its own.
    const changed = {
      ...message,
      n: 2,
      bytes: Buffer.from(message.bytes.toString('latin1').replace('Quillon', 'Quillom'), 'latin1'),
    };
    await rig.ledger.sent(entryOf(changed, { source: 'mllp', key: message.patientId }));
    for (let time = 0; time < 2; time += 1) rig.ledger.answered(2, (await client.send(changed.bytes)).code);
    // Across a kill: answered, killed, sent again.
    const third = make(3);
    await rig.ledger.sent(entryOf(third, { source: 'mllp', key: third.patientId }));
    rig.ledger.answered(3, (await client.send(third.bytes)).code);
    client.destroy();
    await rig.killGateway();
    await rig.startGateway();
    const after = await MllpClient.connect({ port: rig.mllpPort });
    rig.ledger.answered(3, (await after.send(third.bytes)).code);
    await after.close();
    failures.push(...(await mqttRepeats(rig)));
    await send(rig, { first: 100, count: 50, connections: 2 }).done;
    await rig.connected();
    await rig.drained();
    const records = await rig.received();
    const conflicts = records.filter(({ conflict }) => conflict !== '').length;
    if (conflicts !== 1) failures.push(`${conflicts} events are flagged as conflict, not 1`);
    const mqtt = records.filter(({ source }) => source === 'mqtt').length;
    if (mqtt !== 4) failures.push(`${mqtt} readings have an effect, not 4`);
    const checked = await rig.oracle();
    return {
      failures: [...failures, ...checked.failures],
      figures: `repeats 4, conflicts ${conflicts}, readings ${mqtt} of 4, ${checked.summary}`,
    };
  },
};

/** QoS 1: a DUP on a resumed session is one, two equal readings are two. QoS 2: again before PUBREL is one. */
async function mqttRepeats(rig: Rig): Promise<string[]> {
  const payload = Buffer.from('{"device":"m1","time":"2026-11-23T08:00:00Z","heartRate":72}');
  const failures: string[] = [];
  const expect = (packet: { type: number } | undefined, type: number, what: string) => {
    if (packet?.type !== type) failures.push(`${what} was not answered`);
  };
  const connectOptions = { clientId: 'repeat-row', cleanSession: false };
  const publish = (packetId: number, qos: 1 | 2, dup: boolean) =>
    publishPacket({ topic: 'devices/m1', payload, qos, packetId, dup });
  const first = await mqttSession(rig.mqttPort, connectOptions);
  expect(await first.exchange(publish(7, 1, false)), packetType.puback, 'QoS 1');
  first.close();
  const second = await mqttSession(rig.mqttPort, connectOptions);
  expect(await second.exchange(publish(7, 1, true)), packetType.puback, 'the DUP of QoS 1');
  expect(await second.exchange(publish(8, 1, false)), packetType.puback, 'an equal reading');
  expect(await second.exchange(publish(9, 2, false)), packetType.pubrec, 'QoS 2');
  second.close();
  const third = await mqttSession(rig.mqttPort, connectOptions);
  expect(await third.exchange(publish(9, 2, true)), packetType.pubrec, 'QoS 2 again');
  expect(await third.exchange(idPacket(packetType.pubrel, 9)), packetType.pubcomp, 'PUBREL');
  // The id is free again: a new reading under it is a new reading.
  expect(await third.exchange(publish(9, 2, false)), packetType.pubrec, 'a new QoS 2 under a released id');
  expect(await third.exchange(idPacket(packetType.pubrel, 9)), packetType.pubcomp, 'its PUBREL');
  third.close();
  return failures;
}
