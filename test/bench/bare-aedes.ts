/**
 * The first limit of P5: the broker that the gateway uses, without a commit. With --dir it commits inside
 * authorizePublish, the only hook before PUBACK. Prints "listening PORT".
 *
 *   node bare-aedes.js [--dir DIR] [--port 0]
 */
import net from 'node:net';
import { parseArgs } from 'node:util';
import { Aedes } from 'aedes';
import { GroupCommit } from './group-commit.ts';

const { values } = parseArgs({
  options: { dir: { type: 'string' }, port: { type: 'string', default: '0' } },
});
const journal = values.dir === undefined ? undefined : new GroupCommit({ folder: values.dir });
const broker = await Aedes.createBroker({
  authorizePublish: (_client, packet, callback) => {
    if (journal) journal.add(Buffer.from(packet.payload), () => callback(null));
    else callback(null);
  },
});
const server = net.createServer({ noDelay: true }, broker.handle);
server.listen(Number(values.port), '127.0.0.1', () => {
  console.log(`listening ${(server.address() as net.AddressInfo).port}`);
});
