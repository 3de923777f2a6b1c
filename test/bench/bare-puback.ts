/**
 * The second limit of P5: MQTT 3.1.1 framing, LMDB group commit, PUBACK after the commit, nothing else.
 * Prints "listening PORT".
 *
 *   node bare-puback.js --dir DIR [--port 0]
 */
import net from 'node:net';
import { parseArgs } from 'node:util';
import { connackPacket, idPacket, MqttReader, packetType, pingresp, readPublish } from '../kit/mqtt-wire.ts';
import { GroupCommit } from './group-commit.ts';

const { values } = parseArgs({
  options: { dir: { type: 'string' }, port: { type: 'string', default: '0' } },
});
if (values.dir === undefined) throw new Error('--dir is missing');
const journal = new GroupCommit({ folder: values.dir });

const server = net.createServer({ noDelay: true }, (socket) => {
  // Acknowledgments of one round leave in one write.
  let acks: Buffer[] = [];
  const acknowledge = (packetId: number) => {
    if (acks.length === 0) {
      queueMicrotask(() => {
        if (!socket.destroyed) socket.write(acks.length === 1 ? acks[0]! : Buffer.concat(acks));
        acks = [];
      });
    }
    acks.push(idPacket(packetType.puback, packetId));
  };
  const reader = new MqttReader((type, flags, body) => {
    if (type === packetType.connect) socket.write(connackPacket());
    else if (type === packetType.pingreq) socket.write(pingresp);
    else if (type === packetType.disconnect) socket.end();
    else if (type === packetType.publish) {
      const { packetId, payload } = readPublish(flags, body);
      journal.add(Buffer.from(payload), () => packetId !== undefined && acknowledge(packetId));
    }
  });
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => reader.push(chunk));
});
server.listen(Number(values.port), '127.0.0.1', () => {
  console.log(`listening ${(server.address() as net.AddressInfo).port}`);
});
