/**
 * MQTT QoS 1 load: distinct readings of about 200 bytes, PUBACK by packet identifier, one JSON line.
 *
 *   node load-mqtt.js --port P [--connections 16] [--window 20] [--rate R] [--seconds 5] [--topic devices]
 *                     [--ledger FILE] [--username U --password W] [--ca F [--cert F --key F]]
 *
 * Topics are TOPIC/CLIENT/reading, client identifiers kit-SEED-INDEX.
 */
import { parseArgs } from 'node:util';
import { SenderLedger, sha256 } from '../kit/ledger.ts';
import { readingMaker } from '../kit/messages.ts';
import { connectPacket, MqttReader, packetType, pingreq, publishPacket } from '../kit/mqtt-wire.ts';
import { loadFlags, loadOptions, runLoad } from './load.ts';
import { openLoadSocket, turnWriter } from './load-socket.ts';

const { values } = parseArgs({
  options: {
    ...loadFlags,
    topic: { type: 'string', default: 'devices' },
    source: { type: 'string', default: 'mqtt' },
    username: { type: 'string' },
    password: { type: 'string' },
  },
});
const make = readingMaker(Number(values.seed));
const ledger = values.ledger === undefined ? undefined : new SenderLedger(values.ledger);
// Of the payloads alone.
let sentBytes = 0;

const result = await runLoad(loadOptions(values), async (index, events) => {
  const socket = await openLoadSocket({ ...values, port: Number(values.port) });
  const write = turnWriter(socket);
  const clientId = `kit-${values.seed}-${index}`;
  const topic = `${values.topic}/${clientId}/reading`;
  const waiting = new Map<number, number>();
  let nextId = 0;
  const freeId = () => {
    do nextId = (nextId % 65_535) + 1;
    while (waiting.has(nextId));
    return nextId;
  };
  let admit: (code: number) => void = () => {};
  const admitted = new Promise<number>((resolve) => {
    admit = resolve;
  });
  const reader = new MqttReader((type, _flags, body) => {
    if (type === packetType.connack) admit(body[1] ?? 255);
    if (type !== packetType.puback) return;
    const packetId = body.readUInt16BE(0);
    const n = waiting.get(packetId);
    if (n === undefined) {
      events.failed('PUBACK of an unknown packet identifier');
      return;
    }
    waiting.delete(packetId);
    ledger?.answered(n, 'PUBACK');
    events.answered(n, true);
  });
  socket.on('data', (chunk: Buffer) => reader.push(chunk));
  socket.on('error', (error) => events.failed(error.message));
  socket.on('close', () => {
    admit(255);
    events.closed();
  });
  const { username, password } = values;
  const login = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
  socket.write(connectPacket({ clientId, keepaliveSeconds: 60, ...login }));
  const code = await admitted;
  if (code !== 0) throw new Error(`CONNECT refused: ${code}`);
  const ping = setInterval(() => socket.write(pingreq), 20_000);
  return {
    send: (n) => {
      const payload = make(n);
      sentBytes += payload.length;
      const packetId = freeId();
      waiting.set(packetId, n);
      const packet = publishPacket({ topic, payload, packetId });
      if (!ledger) {
        write(packet);
        return;
      }
      const entry = { n, controlId: `${topic}#${n}`, sha256: sha256(payload), bytes: payload.length };
      const more = { source: values.source, key: topic, connection: String(index) };
      ledger.sent({ ...entry, ...more }).then(() => write(packet), ledgerFailed);
    },
    close: () => {
      clearInterval(ping);
      socket.destroy();
    },
  };
});
ledger?.close();
for (const [kind, times] of Object.entries(result.errorKinds)) process.stderr.write(`${times} x ${kind}\n`);
console.log(JSON.stringify({ load: 'mqtt', sentBytes, ...result }));

// A send that is not in the ledger must not happen: the run is void.
function ledgerFailed(error: unknown): void {
  process.stderr.write(`ledger: ${String(error)}\n`);
  process.exit(74);
}
