/**
 * The bare durable limit of P1 and P2: frames, LMDB group commit with two rounds in flight, an answer after
 * the commit, and nothing else. Prints "listening PORT". It is what no gateway on this disk can beat by much.
 *
 *   node bare-lmdb-mllp.js --dir DIR [--port 0] [--rounds 2] [--record-per-round] [--volatile]
 */
import net from 'node:net';
import { parseArgs } from 'node:util';
import { controlIdOf } from '../kit/hl7-peek.ts';
import { Deframer } from '../kit/mllp-frame.ts';
import { GroupCommit } from './group-commit.ts';

const { values } = parseArgs({
  options: {
    dir: { type: 'string' },
    port: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '2' },
    'record-per-round': { type: 'boolean', default: false },
    // Answers at once, without a store: what sockets and frames alone allow.
    volatile: { type: 'boolean', default: false },
  },
});
if (values.dir === undefined) throw new Error('--dir is missing');

const journal = new GroupCommit({
  folder: values.dir,
  roundsInFlight: Number(values.rounds),
  recordPerRound: values['record-per-round'],
});
const head = '\x0bMSH|^~\\&|BARE|BARE|KITLAB|KITSITE|20260301100000||ACK|1|P|2.5.1\rMSA|AA|';

const server = net.createServer({ noDelay: true }, (socket) => {
  // Answers of one round leave in one write.
  let answers = '';
  const answer = (controlId: string) => {
    if (answers === '') queueMicrotask(flush);
    answers += `${head}${controlId}\r\x1c\r`;
  };
  const flush = () => {
    if (!socket.destroyed) socket.write(answers, 'latin1');
    answers = '';
  };
  const deframer = new Deframer((message) => {
    const controlId = controlIdOf(message);
    if (values.volatile) answer(controlId);
    // lmdb copies the value in put; until then it must not be a view of a buffer that is reused.
    else journal.add(Buffer.from(message), () => answer(controlId));
  });
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => deframer.push(chunk));
});
server.listen(Number(values.port), '127.0.0.1', () => {
  console.log(`listening ${(server.address() as net.AddressInfo).port}`);
});
