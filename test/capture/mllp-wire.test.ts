/**
 * What a sender does on the wire beside one whole message a frame: batches, broken-off frames, framing bytes
 * inside text; and the control ids of our answers. Over real sockets, with the intake in memory.
 */
import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { controlIds } from '../../gateway/capture/mllp/answers.ts';
import { MllpListener } from '../../gateway/capture/mllp/listener.ts';
import { MemoryIntake } from '../kit/memory-intake.ts';
import type { Owner } from '../kit/process.ts';
import { until } from '../kit/wait.ts';

interface Rig {
  intake: MemoryIntake;
  listener: MllpListener;
  port: number;
  logs: { code: string; fields: Record<string, unknown> }[];
}

async function start(owner: Owner, nextControlId = controlIds(Date.now() * 1000)): Promise<Rig> {
  const intake = new MemoryIntake();
  const logs: Rig['logs'] = [];
  const listener = new MllpListener(
    {
      name: 'lab',
      host: '127.0.0.1',
      port: 0,
      allow: () => true,
      onRefused: 'close',
      limits: {
        frameBytesMax: 4096,
        connectionsMax: 20,
        connectionsPerAddressMax: 20,
        unansweredMax: 64,
        frameTimeoutMs: 60_000,
        idleTimeoutMs: 60_000,
        handshakeTimeoutMs: 5_000,
      },
    },
    intake,
    {
      source: () => ({ name: 'lab', repeatWindowMs: 900_000, refuses: () => '' }),
      urgency: () => 'routine',
      nextControlId,
      nowUs: () => Date.now() * 1000,
      elapsedMs: () => performance.now(),
      log: (_level, code, fields = {}) => logs.push({ code, fields }),
    },
  );
  const { port } = await listener.start();
  owner.teardown(() => listener.stop(0));
  return { intake, listener, port, logs };
}

/** A connection that sends bytes as they are and notes all it hears. */
async function sender(owner: Owner, port: number) {
  const socket = net.connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let closed = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  owner.teardown(() => socket.destroy());
  await once(socket, 'connect');
  const heard = () => Buffer.concat(chunks).toString('latin1');
  const answers = () => heard().split('\x1c\r').slice(0, -1);
  return {
    send: (text: string) => socket.write(Buffer.from(text, 'latin1')),
    heard,
    answers,
    closed: () => closed,
    answered: (count: number) => until(() => answers().length >= count, { what: `${count} answers` }),
  };
}

const msh = (id: string, more = '') => `MSH|^~\\&|LAB|S|H|C|20260301||ORU^R01|${id}|P|2.5.1${more}`;
const message = (id: string, text = 'x') => `${msh(id)}\rPID|1||7\rNTE|1||${text}\r`;
const raws = ({ intake }: Rig) => intake.records.map(({ raw }) => Buffer.from(raw).toString('latin1'));

t.test(
  'mllp wire - a batch in one frame is journaled whole and answered once, from its first message',
  async (t) => {
    const rig = await start(t);
    const { send, answers, answered } = await sender(t, rig.port);
    const batches = [
      `FHS|^~\\&|LAB\rBHS|^~\\&|LAB\r${message('B1')}${message('B2')}BTS|2\rFTS|1\r`,
      `BHS|^~\\&|LAB\r${message('B3')}BTS|1\r`,
      `BHS|^~\\&|LAB\n${message('B4').replaceAll('\r', '\n')}`,
      `${message('B5')}${message('B6')}`,
    ];
    for (const batch of batches) send(`\x0b${batch}\x1c\r`);
    await answered(batches.length);
    t.same(raws(rig), batches);
    t.same(
      answers().map((answer) => /\rMSA\|(.*)\r$/.exec(answer)?.[1]),
      ['AA|B1', 'AA|B3', 'AA|B4', 'AA|B5'],
    );
    t.same(
      rig.intake.records.map(({ messageControlId }) => messageControlId),
      ['B1', 'B3', 'B4', 'B5'],
    );
  },
);

t.test('mllp wire - a batch is answered in the mode of its first message', async (t) => {
  const rig = await start(t);
  const { send, answers, answered } = await sender(t, rig.port);
  send(`\x0bBHS|^~\\&|LAB\r${msh('E1', '|||AL|NE')}\rPID|1\r${message('E2')}BTS|2\r\x1c\r`);
  await answered(1);
  t.match(answers()[0], /\rMSA\|CA\|E1\r$/);
});

t.test('mllp wire - an acknowledgment with a message behind it in one frame is answered', async (t) => {
  const rig = await start(t);
  const ack = (id: string) => `MSH|^~\\&|EHR|S|H|C|20260301||ACK^R01^ACK|${id}|P|2.5\rMSA|AA|X\r`;
  const { send, answers, answered } = await sender(t, rig.port);
  const frames = [`${ack('A1')}${ack('A2')}`, `${ack('A3')}${message('M1')}`, message('M2')];
  for (const block of frames) send(`\x0b${block}\x1c\r`);
  await answered(2);
  t.same(
    answers().map((answer) => /\rMSA\|(.*)\r$/.exec(answer)?.[1]),
    ['AA|A3', 'AA|M2'],
    'acknowledgments alone are answered nothing',
  );
  t.same(raws(rig), frames);
});

t.test('mllp wire - a batch without a message is closed without an answer', async (t) => {
  const rig = await start(t);
  const { send, heard, closed } = await sender(t, rig.port);
  send('\x0bFHS|^~\\&|LAB\rBHS|^~\\&|LAB\rBTS|0\rFTS|1\r\x1c\r');
  await until(() => closed(), { what: 'the close' });
  t.equal(heard(), '');
  t.equal(rig.intake.appended.length, 0);
  t.equal(rig.listener.counters().unreadable, 1);
});

t.test(
  'mllp wire - a frame that was broken off is dropped, counted and logged, the next is whole',
  async (t) => {
    const rig = await start(t);
    const { send, answers, answered } = await sender(t, rig.port);
    send(`\x0b${msh('CUT')}\rPID|1||SECRET\x0b${message('W1')}\x1c\r`);
    await answered(1);
    t.same(raws(rig), [message('W1')]);
    t.match(answers()[0], /\rMSA\|AA\|W1\r$/);
    send(`\x0b${msh('CUT').slice(0, 20)}\x0bBHS|^~\\&|LAB\r${message('W2')}BTS|1\r\x1c\r`);
    await answered(2);
    t.match(answers()[1], /\rMSA\|AA\|W2\r$/);
    t.equal(rig.listener.counters().brokenOff, 2);
    const lines = rig.logs.filter(({ code }) => code === 'mllp-broken-off');
    t.equal(lines.length, 1, 'one line a connection');
    t.notMatch(JSON.stringify(lines), /SECRET|CUT/);
  },
);

t.test('mllp wire - an answer never has a control byte of the message', async (t) => {
  const rig = await start(t);
  const { send, heard, answers, answered } = await sender(t, rig.port);
  send('\x0bMSH|^~\\&|LA\x0bB|S\x1cX|H|C|20260301||ORU^R\x0001|I\x1dD\x0b1|P|2.5\x07.1\rPID|1\r\x1c\r');
  await answered(1);
  const [answer = ''] = answers();
  t.match(answer, /\rMSA\|AA\|ID1\r$/);
  t.match(answer, /^\x0bMSH\|\^~\\&\|H\|C\|LAB\|SX\|/);
  t.notMatch(answer.slice(1).replaceAll('\r', ''), /[\x00-\x1f]/);
  t.equal(heard().split('\x0b').length, 2, 'one block');
});

t.test('mllp wire - delimiters that are control bytes are no readable MSH', async (t) => {
  const rig = await start(t);
  const { send, heard, closed } = await sender(t, rig.port);
  send('\x0bMSH\x01^~\\&\x01LAB\x01S\x01H\x01C\x01\x01\x01ORU^R01\x01I1\x01P\x012.5\rPID\x011\r\x1c\r');
  await until(() => closed(), { what: 'the close' });
  t.equal(heard(), '');
});

t.test('mllp wire - FS inside a text is content', async (t) => {
  const rig = await start(t);
  const { send, answers, answered } = await sender(t, rig.port);
  send(`\x0b${message('F1', 'a\x1cb\x1c\x1cc')}\x1c\r\x0b${message('F2')}\x1c\r`);
  await answered(2);
  t.same(raws(rig), [message('F1', 'a\x1cb\x1c\x1cc'), message('F2')]);
  t.equal(rig.listener.counters().strayBytes, 0);
  t.equal(answers().length, 2);
});

t.test('mllp wire - FS without CR ends a frame at once, with or without a next one behind it', async (t) => {
  const rig = await start(t);
  const { send, answered } = await sender(t, rig.port);
  send(`\x0b${message('N1')}\x1c`);
  await answered(1);
  send(`\x0b${message('N2')}\x1c\x0b${message('N3')}\x1c\n`);
  await answered(3);
  t.same(raws(rig), [message('N1'), message('N2'), message('N3')]);
});

t.test(
  'mllp wire - MSH-10 of the answers is unique over listeners and restarts and fits 20 characters',
  async (t) => {
    const startedUs = Date.UTC(2059, 0, 1) * 1000;
    const ids = controlIds(startedUs);
    const [one, two] = [await start(t, ids), await start(t, ids)];
    const seen: string[] = [];
    for (const rig of [one, two, one]) {
      const { send, answers, answered } = await sender(t, rig.port);
      send(`\x0b${message('U1')}\x1c\r\x0b${message('U2')}\x1c\r`);
      await answered(2);
      seen.push(...answers().map((answer) => answer.split('|')[9] ?? ''));
    }
    const restarted = controlIds(startedUs + 1000);
    for (let n = 0; n < 6; n += 1) seen.push(restarted());
    t.equal(seen.length, 12);
    t.equal(new Set(seen).size, 12, seen.join(' '));
    t.ok(seen.every((id) => /^H[0-9A-Z]{8}\.[0-9A-Z]{1,10}$/.test(id)));
  },
);
