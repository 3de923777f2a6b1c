/**
 * The MLLP listener over real sockets and TLS: who is answered, when, in which order, and what it costs to
 * be wrong. The intake is in memory; its commits are the test's to settle.
 */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import t from 'tap';
import { controlIds } from '../../gateway/capture/mllp/answers.ts';
import type { Header } from '../../gateway/capture/mllp/header.ts';
import { MllpListener } from '../../gateway/capture/mllp/listener.ts';
import type { MllpLimits } from '../../gateway/capture/mllp/options.ts';
import { MemoryIntake } from '../kit/memory-intake.ts';
import { type Answer, MllpClient, sendOnce } from '../kit/mllp-client.ts';
import { frame } from '../kit/mllp-frame.ts';
import type { Owner } from '../kit/process.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';
import { createTestCa, selfSigned } from '../kit/tls.ts';
import { until, within } from '../kit/wait.ts';

interface Rig {
  intake: MemoryIntake;
  listener: MllpListener;
  port: number;
  logs: { code: string; fields: Record<string, unknown> }[];
}

interface RigOptions {
  limits?: Partial<MllpLimits>;
  tls?: tls.TlsOptions;
  allow?: (address: string) => boolean;
  onRefused?: 'close' | 'reject';
  refuses?: (header: Header) => string;
  clock?: { us: number; elapsedMs: number };
}

async function start(owner: Owner, options: RigOptions = {}): Promise<Rig> {
  const intake = new MemoryIntake();
  const logs: Rig['logs'] = [];
  const listener = new MllpListener(
    {
      name: 'lab',
      host: '127.0.0.1',
      port: 0,
      tls: options.tls,
      allow: options.allow ?? (() => true),
      onRefused: options.onRefused ?? 'close',
      limits: {
        frameBytesMax: 64 * 1024,
        connectionsMax: 50,
        connectionsPerAddressMax: 50,
        unansweredMax: 256,
        frameTimeoutMs: 60_000,
        idleTimeoutMs: 60_000,
        handshakeTimeoutMs: 5_000,
        ...options.limits,
      },
    },
    intake,
    {
      source: () => ({ name: 'lab', repeatWindowMs: 900_000, refuses: options.refuses ?? (() => '') }),
      urgency: () => 'routine',
      nextControlId: controlIds(Date.now() * 1000),
      nowUs: () => options.clock?.us ?? Date.now() * 1000,
      elapsedMs: () => options.clock?.elapsedMs ?? performance.now(),
      log: (_level, code, fields = {}) => logs.push({ code, fields }),
    },
  );
  const { port } = await listener.start();
  owner.teardown(() => listener.stop(0));
  return { intake, listener, port, logs };
}

function message(
  controlId: string,
  { accept = '', application = '', version = '2.5.1', end = '\r', more = '' } = {},
): Buffer {
  const segments = [
    `MSH|^~\\&|LAB|SITE|HILUM|CENTRE|20260301095500||ORU^R01^ORU_R01|${controlId}|P|${version}|||${accept}|${application}`,
    'PID|1||12345^^^SITE^MR||DOE^JANE',
    `OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F${more}`,
  ];
  return Buffer.from(segments.join(end) + end, 'latin1');
}

async function client(owner: Owner, port: number, more: object = {}): Promise<MllpClient> {
  const made = await MllpClient.connect({ port, answerTimeoutMs: 10_000, ...more });
  owner.teardown(() => made.destroy());
  return made;
}

/** A bare socket that notes all it hears. */
async function bare(
  owner: Owner,
  port: number,
  from = '127.0.0.1',
): Promise<{ socket: net.Socket; heard: () => string; closed: Promise<unknown> }> {
  const socket = net.connect({ port, host: '127.0.0.1', localAddress: from });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  owner.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return { socket, heard: () => Buffer.concat(chunks).toString('latin1'), closed };
}

t.test('mllp listener - a message is answered after its commit and not before', async (t) => {
  const { intake, port } = await start(t);
  intake.manual = true;
  const { socket, heard } = await bare(t, port);
  socket.write(frame(message('A1')));
  await until(() => intake.appended.length === 1, { what: 'the message reaching the journal' });
  // The listener has had every chance: it reads and answers a probe on another connection meanwhile.
  const other = await client(t, port);
  const answered = other.send(message('A2'));
  await until(() => intake.appended.length === 2, { what: 'the second message' });
  intake.appended[1]?.settle();
  t.equal((await answered).code, 'AA');
  t.equal(heard(), '', 'nothing before the commit');
  intake.appended[0]?.settle();
  await until(() => heard().includes('MSA|AA|A1'), { what: 'the answer' });
});

t.test('mllp listener - the journal gets the bytes between the framing', async (t) => {
  const { intake, port } = await start(t);
  const bytes = Buffer.concat([message('B1'), Buffer.from([0x5a, 0x7c, 0xff, 0x00, 0xe4, 0x0d])]);
  await sendOnce({ port }, bytes);
  const [record] = intake.records;
  t.ok(bytes.equals(Buffer.from(record?.raw ?? [])), 'also bytes that are no text');
  t.match(record, { source: 'lab', protocol: 'mllp', messageControlId: 'B1', classGuess: 'routine' });
  t.same(record?.repeat, {
    key: 'mllp\0lab\0LAB\0SITE\0B1',
    consult: true,
    window: { ms: 900_000 },
    otherBytes: 'conflict',
  });
});

t.test('mllp listener - without an MSH-10 nothing is ever a repeat', async (t) => {
  const { intake, port } = await start(t);
  const one = await client(t, port);
  await one.send(message(''));
  await one.send(message(''));
  t.equal(intake.records.length, 2);
  t.equal(intake.records[0]?.repeat, undefined);
});

t.test('mllp listener - several messages in one chunk are answered in their order', async (t) => {
  const { intake, port } = await start(t);
  intake.manual = true;
  const { socket, heard } = await bare(t, port);
  const ids = Array.from({ length: 20 }, (_, at) => `C${at}`);
  socket.write(Buffer.concat(ids.map((id) => frame(message(id)))));
  await until(() => intake.appended.length === 20, { what: 'all twenty' });
  // Settled backwards: the answers still leave in the order of the messages.
  for (const pending of intake.appended.toReversed()) pending.settle();
  const answered = () => [...heard().matchAll(/MSA\|AA\|(C\d+)/g)].map(([, id]) => id);
  await until(() => answered().length === 20, { what: 'twenty answers' });
  t.same(answered(), ids);
});

t.test('mllp listener - a message in chunks of any size is one message', async (t) => {
  const { intake, port } = await start(t);
  const seed = seedOfThisRun();
  t.comment(`seed ${seed} (HILUM_SEED=${seed} repeats this run)`);
  const random = seededRandom(seed);
  const one = await client(t, port, {
    split: (block: Buffer) => Array.from({ length: below(random, 30) }, () => below(random, block.length)),
  });
  for (let n = 0; n < 30; n += 1) {
    const answer = await one.send(message(`D${n}`));
    if (answer.code !== 'AA') t.fail(`D${n}: ${answer.code}`);
  }
  t.same(
    intake.controlIds,
    Array.from({ length: 30 }, (_, n) => `D${n}`),
  );
});

t.test('mllp listener - LF, CRLF and mixed segment ends are answered and kept as sent', async (t) => {
  const { intake, port } = await start(t);
  const one = await client(t, port);
  for (const [at, end] of ['\r', '\n', '\r\n'].entries()) {
    const bytes = message(`E${at}`, { end });
    const answer = await one.send(bytes);
    t.equal(answer.code, 'AA');
    t.ok(bytes.equals(Buffer.from(intake.records[at]?.raw ?? [])), JSON.stringify(end));
  }
});

t.test('mllp listener - a connection for each message', async (t) => {
  const { intake, listener, port } = await start(t);
  for (let n = 0; n < 25; n += 1) {
    const answer = await sendOnce({ port }, message(`F${n}`));
    if (answer.code !== 'AA') t.fail(answer.code);
  }
  t.equal(intake.records.length, 25);
  await until(() => listener.counters().connections === 0, { what: 'every connection being gone' });
  t.equal(listener.counters().connectionsTotal, 25);
});

t.test('mllp listener - a sender that half-closes after its message is still answered', async (t) => {
  const { intake, port } = await start(t);
  intake.manual = true;
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'connect');
  const gone = new Promise((resolve) => socket.once('end', () => resolve('ended')));
  socket.end(frame(message('HALF')));
  await until(() => intake.appended.length === 1, { what: 'the message' });
  intake.appended[0]?.settle();
  await within(gone, 5_000, 'the connection');
  t.match(Buffer.concat(chunks).toString('latin1'), /MSA\|AA\|HALF/, 'the answer comes before the end');
});

t.test('mllp listener - a load balancer’s probe costs nothing and logs nothing', async (t) => {
  const { intake, listener, port, logs } = await start(t);
  for (let n = 0; n < 10; n += 1) {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    if (n % 2 === 0) socket.end();
    else socket.resetAndDestroy();
    await once(socket, 'close');
  }
  const answer = await sendOnce({ port }, message('G1'));
  t.equal(answer.code, 'AA');
  await until(() => listener.counters().connections === 0, { what: 'every connection being gone' });
  t.equal(intake.records.length, 1);
  t.same(logs, []);
  t.match(listener.counters(), { unreadable: 0, oversize: 0, refused: 0 });
});

t.test('mllp listener - FS without CR is a whole message', async (t) => {
  const { port } = await start(t);
  const { socket, heard } = await bare(t, port);
  socket.write(Buffer.concat([Buffer.of(0x0b), message('H1'), Buffer.of(0x1c)]));
  await until(() => heard().includes('MSA|AA|H1'), { what: 'the answer' });
  socket.write(Buffer.concat([Buffer.of(0x0b), message('H2'), Buffer.of(0x1c), Buffer.from('\n')]));
  await until(() => heard().includes('MSA|AA|H2'), { what: 'the answer' });
});

t.test('mllp listener - the answer on the wire is one block of VT … FS CR', async (t) => {
  const { port } = await start(t);
  const { socket, heard } = await bare(t, port);
  socket.write(frame(message('I1', { version: '2.3' })));
  await until(() => heard().endsWith('\x1c\r'), { what: 'the answer' });
  t.match(
    heard(),
    /^\x0bMSH\|\^~\\&\|HILUM\|CENTRE\|LAB\|SITE\|\d{14}\.\d{3}\+0000\|\|ACK\^R01\^ACK\|[^|]{1,20}\|P\|2\.3\rMSA\|AA\|I1\r\x1c\r$/,
  );
});

t.test('mllp listener - enhanced mode on the wire: CA, then AA as its own message', async (t) => {
  const { port } = await start(t);
  const one = await client(t, port);
  const [accept, application] = await one.sendForAnswers(
    message('J1', { accept: 'AL', application: 'AL' }),
    2,
  );
  t.equal(accept?.code, 'CA');
  t.equal(application?.code, 'AA');
  t.not(accept?.ownControlId, application?.ownControlId, 'each has an MSH-10 of its own');
  t.match(accept?.bytes.toString('latin1'), /\|NE\|NE\r/);
  t.match(application?.bytes.toString('latin1'), /\|NE\|NE\r/);
});

t.test('mllp listener - NE/NE is journaled and nothing is sent', async (t) => {
  const { intake, port } = await start(t);
  const { socket, heard } = await bare(t, port);
  socket.write(frame(message('K1', { accept: 'NE', application: 'NE' })));
  socket.write(frame(message('K2')));
  await until(() => heard().includes('K2'), { what: 'the answer to the next one' });
  t.notOk(heard().includes('K1'));
  t.same(intake.controlIds, ['K1', 'K2']);
});

t.test('mllp listener - an inbound acknowledgment is journaled and never answered', async (t) => {
  const { intake, port } = await start(t);
  const { socket, heard } = await bare(t, port);
  const ack = 'MSH|^~\\&|EHR|S|H|C|20260301||ACK^R01^ACK|L1|P|2.5.1|||AL|AL\rMSA|AA|X9\r';
  socket.write(frame(Buffer.from(ack)));
  socket.write(frame(message('L2')));
  await until(() => heard().includes('MSA|AA|L2'), { what: 'the answer to the next one' });
  t.equal(heard().split('\x0b').length - 1, 1, 'one block in all');
  t.same(intake.controlIds, ['L1', 'L2']);
});

t.test('mllp listener - no readable MSH: the connection is closed without an answer', async (t) => {
  const { intake, listener, port, logs } = await start(t);
  for (const text of ['PID|1||CANARYPATIENT', '', 'MSH', '{"a":1}', 'MSH|^^^^|A|B']) {
    const { socket, heard, closed } = await bare(t, port);
    socket.write(frame(Buffer.from(text)));
    await closed;
    t.equal(heard(), '', JSON.stringify(text));
  }
  t.equal(listener.counters().unreadable, 5);
  t.equal(intake.appended.length, 0);
  t.equal(logs.length, 5, 'one line each');
  t.notOk(JSON.stringify(logs).includes('CANARYPATIENT'));
});

t.test('mllp listener - what came before an unreadable block is answered first', async (t) => {
  const { intake, port } = await start(t);
  intake.manual = true;
  const { socket, heard, closed } = await bare(t, port);
  socket.write(Buffer.concat([frame(message('N1')), frame(Buffer.from('nonsense')), frame(message('N2'))]));
  await until(() => intake.appended.length === 1, { what: 'the first message' });
  intake.appended[0]?.settle();
  await closed;
  t.match(heard(), /MSA\|AA\|N1/);
  t.same(intake.controlIds, ['N1'], 'what follows is not taken on this connection');
});

t.test(
  'mllp listener - wrong MSH-11 or MSH-12 for the source: AR or CR, and the connection stays',
  async (t) => {
    const refuses = (header: Header) => {
      if (header.component(11, 1) !== 'P') return 'MSH-11 is not accepted from this source';
      return header.component(12, 1) === '2.5.1' ? '' : 'MSH-12 is not accepted from this source';
    };
    const { intake, listener, port, logs } = await start(t, { refuses });
    const one = await client(t, port);
    const version = await one.send(message('O1', { version: '2.9' }));
    t.equal(version.code, 'AR');
    t.match(version.bytes.toString('latin1'), /MSA\|AR\|O1\|MSH-12 is not accepted/);
    const enhanced = await one.send(message('O2', { version: '2.9', accept: 'AL', application: 'NE' }));
    t.equal(enhanced.code, 'CR');
    const processing = await one.send(Buffer.from(message('O3').toString().replace('|O3|P|', '|O3|T|')));
    t.equal(processing.code, 'AR');
    t.equal((await one.send(message('O4'))).code, 'AA', 'a good one on the same connection');
    t.same(intake.controlIds, ['O4'], 'a refused message is not journaled');
    t.equal(listener.counters().refused, 3);
    t.equal(logs.filter(({ code }) => code === 'mllp-refused').length, 3);
  },
);

t.test('mllp listener - a sender that is refused again and again does not fill the log', async (t) => {
  const { listener, port, logs } = await start(t, { refuses: () => 'not accepted from this source' });
  const one = await client(t, port);
  for (let n = 1; n <= 200; n += 1) t.equal((await one.send(message(`R${n}`))).code, 'AR');
  t.equal(listener.counters().refused, 200, 'all are counted');
  t.equal(logs.filter(({ code }) => code === 'mllp-refused').length, 120, 'in a minute');
  const large = message('L1', { more: 'X'.repeat(100_000) });
  for (let n = 1; n <= 130; n += 1) await sendOnce({ port }, large);
  t.equal(listener.counters().oversize, 130);
  t.equal(logs.filter(({ code }) => code === 'mllp-oversize').length, 120);
});

t.test('mllp listener - an MSH of any length is answered by its fields', async (t) => {
  const { intake, port } = await start(t, {
    refuses: (header) => (header.field(11) === 'T' ? 'not production' : ''),
  });
  const long = (controlId: string, processing: string, accept = '') =>
    Buffer.from(
      `MSH|^~\\&|LAB|S|H|C|20260301|${'k'.repeat(4_200)}|ORU^R01|${controlId}|${processing}|2.5.1|||${accept}\rPID|1\r`,
    );
  const { socket, heard } = await bare(t, port);
  for (const one of [long('M1', 'P'), long('M1', 'P'), long('M2', 'T'), long('M3', 'D', 'AL')])
    socket.write(frame(one));
  await until(() => heard().split('MSA|').length === 5, { what: 'four answers' });
  t.same(
    [...heard().matchAll(/\|(\w)\|(2\.5\.1)[^\r]*\rMSA\|([^|\r]*)\|([^|\r]*)/g)].map(([, ...found]) => found),
    [
      ['P', '2.5.1', 'AA', 'M1'],
      ['P', '2.5.1', 'AA', 'M1'],
      ['T', '2.5.1', 'AR', 'M2'],
      ['D', '2.5.1', 'CA', 'M3'],
    ],
  );
  t.same(intake.controlIds, ['M1', 'M3'], 'the second M1 is a repeat');
});

t.test('mllp listener - over the limit with a readable MSH: AE or CE, then closed', async (t) => {
  const { intake, listener, port, logs } = await start(t);
  for (const [accept, code] of [
    ['', 'AE'],
    ['AL', 'CE'],
  ] as const) {
    const one = await client(t, port);
    const answer = await one.send(message('P1', { accept, more: 'X'.repeat(100_000) }));
    t.equal(answer.code, code);
    t.equal(answer.controlId, 'P1');
    await one.closed;
  }
  const { socket, heard, closed } = await bare(t, port);
  const headers = Buffer.from(`FHS|^~\\&|LAB|${'f'.repeat(30_000)}\rBHS|^~\\&|LAB|${'b'.repeat(30_000)}\r`);
  socket.write(frame(Buffer.concat([headers, message('P1', { more: 'X'.repeat(100_000) })])));
  await closed;
  t.match(heard(), /\rMSA\|AE\|P1\|/, 'behind the headers of a batch');
  t.equal(intake.appended.length, 0);
  t.equal(listener.counters().oversize, 3);
  t.equal(logs.filter(({ code }) => code === 'mllp-oversize').length, 3);
});

t.test('mllp listener - over the limit without an MSH: closed, no answer', async (t) => {
  const { port } = await start(t);
  const { socket, heard, closed } = await bare(t, port);
  socket.write(Buffer.concat([Buffer.of(0x0b), Buffer.alloc(200_000, 'x')]));
  await closed;
  t.equal(heard(), '');
});

t.test('mllp listener - a refusing journal: no answer and a closed connection', async (t) => {
  const { intake, listener, port } = await start(t);
  for (const code of ['reserve', 'budget', 'fault', 'draining'] as const) {
    intake.refusal = code;
    const one = await client(t, port);
    await t.rejects(one.send(message('Q1')), { name: 'NoAnswer', reason: 'closed' }, code);
  }
  intake.refusal = undefined;
  t.equal((await sendOnce({ port }, message('Q1'))).code, 'AA', 'and it is taken when there is room again');
  t.equal(listener.counters().refused, 4);
});

t.test('mllp listener - refusals are told once a second, though the wall clock was set back', async (t) => {
  const clock = { us: Date.now() * 1000, elapsedMs: 5 };
  const { intake, port, logs } = await start(t, { onRefused: 'reject', clock });
  intake.refusal = 'budget';
  const sender = await client(t, port);
  const refuse = async () => t.equal((await sender.send(message('RS'))).code, 'AR');
  await refuse();
  clock.us -= 3_600_000_000;
  await refuse();
  clock.elapsedMs += 1_000;
  await refuse();
  t.match(logs, [
    { code: 'mllp-not-journaled', fields: { count: 1 } },
    { code: 'mllp-not-journaled', fields: { count: 2 } },
  ]);
});

t.test('mllp listener - a refusing journal with onRefused: reject is answered AR or CR', async (t) => {
  const { intake, port } = await start(t, { onRefused: 'reject' });
  intake.refusal = 'budget';
  t.equal((await sendOnce({ port }, message('R1'))).code, 'AR');
  t.equal((await sendOnce({ port }, message('R2', { accept: 'AL', application: 'NE' }))).code, 'CR');
  intake.refusal = 'fault';
  const one = await client(t, port);
  await t.rejects(one.send(message('R3')), { name: 'NoAnswer' }, 'a storage fault is never answered');
});

t.test('mllp listener - onRefused: reject closes where the message asks for no answer', async (t) => {
  const { intake, port } = await start(t, { onRefused: 'reject' });
  intake.manual = true;
  for (const [accept, application] of [
    ['NE', 'NE'],
    ['SU', 'SU'],
  ]) {
    const { socket, heard, closed } = await bare(t, port);
    const before = intake.appended.length;
    socket.write(frame(message('F1')));
    socket.write(frame(message('F2', { accept: accept as string, application: application as string })));
    await until(() => intake.appended.length === before + 2, { what: 'both' });
    intake.appended[before + 1]?.refuse('reserve');
    intake.appended[before]?.settle();
    await within(closed, 5_000, 'the connection');
    t.match(heard(), /MSA\|AA\|F1\r/, 'what is owed still goes out');
    t.notMatch(heard(), /F2/);
  }
});

t.test('mllp listener - when one commit fails, nothing later on the connection is answered', async (t) => {
  const { intake, port } = await start(t);
  intake.manual = true;
  const { socket, heard, closed } = await bare(t, port);
  socket.write(Buffer.concat([frame(message('S1')), frame(message('S2'))]));
  await until(() => intake.appended.length === 2, { what: 'both messages' });
  intake.appended[0]?.refuse('fault');
  intake.appended[1]?.settle();
  await closed;
  t.equal(heard(), '');
});

t.test('mllp listener - a sender that does not wait is paused, not dropped', async (t) => {
  const { intake, port } = await start(t, { limits: { unansweredMax: 8 } });
  intake.manual = true;
  const { socket, heard } = await bare(t, port);
  const ids = Array.from({ length: 400 }, (_, at) => `T${at}`);
  // In writes of their own, so that more than one chunk is read.
  for (const id of ids) socket.write(frame(message(id, { more: '^'.repeat(2000) })));
  await until(() => intake.appended.length >= 8, { what: 'the first messages' });
  let most = 0;
  let settled = 0;
  await until(
    () => {
      most = Math.max(most, intake.appended.length - settled);
      if (settled < intake.appended.length) {
        intake.appended[settled]?.settle();
        settled += 1;
      }
      return settled === 400;
    },
    { what: 'all 400 messages', timeoutMs: 30_000, everyMs: 1 },
  );
  await until(() => heard().split('MSA|AA|T').length - 1 === 400, { what: 'all 400 answers' });
  // One chunk of 64 KiB holds some thirty of these beyond the bound.
  t.ok(most <= 8 + 40, `at most ${most} were taken unanswered`);
});

t.test(
  'mllp listener - a frame that does not end is closed after its time, a quick sender is not',
  async (t) => {
    const { port, logs } = await start(t, { limits: { frameTimeoutMs: 300 } });
    const quick = await client(t, port);
    const slow = await bare(t, port);
    slow.socket.write('\x0bMSH|^~\\&|');
    let open = true;
    void slow.closed.then(() => {
      open = false;
    });
    let sent = 0;
    while (open && sent < 5_000) {
      const { code } = await quick.send(message(`U${sent}`));
      if (code !== 'AA') t.fail(`U${sent}: ${code}`);
      sent += 1;
      if (sent % 5 === 0) slow.socket.write('x');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await slow.closed;
    t.equal(slow.heard(), '');
    t.equal(logs.filter(({ code }) => code === 'mllp-frame-timeout').length, 1);
  },
);

t.test('mllp listener - an idle connection is closed after its time', async (t) => {
  const { port, logs } = await start(t, { limits: { idleTimeoutMs: 200 } });
  const { closed } = await bare(t, port);
  await closed;
  t.match(logs, [{ code: 'mllp-idle' }]);
});

t.test('mllp listener - caps on connections, in all and for one address', async (t) => {
  const { listener, port, logs } = await start(t, { limits: { connectionsPerAddressMax: 3 } });
  const kept = [await client(t, port), await client(t, port), await client(t, port)];
  const { closed, heard } = await bare(t, port);
  await closed;
  t.equal(heard(), '');
  t.match(logs.at(-1), { code: 'mllp-connection-refused' });
  for (let again = 0; again < 130; again += 1) await (await bare(t, port)).closed;
  t.match(listener.refused(), [{ reason: 'limit', count: 131 }], 'whoever comes again and again is counted');
  const lines = logs.filter(({ code }) => code === 'mllp-connection-refused');
  t.equal(lines.length, 120, 'and does not fill the log');
  for (const [at, one] of kept.entries())
    t.equal((await one.send(message(`V${at}`))).code, 'AA', 'others go on');
  await kept[0]?.close();
  await until(() => listener.counters().connections === 2, { what: 'a place being free' });
  t.equal((await sendOnce({ port }, message('V9'))).code, 'AA');

  const all = await start(t, { limits: { connectionsMax: 2 } });
  await client(t, all.port);
  await client(t, all.port);
  const third = await bare(t, all.port);
  await third.closed;
  t.equal(all.listener.counters().refused, 1);
});

t.test('mllp listener - frames without a header do not fill the log, however many come', async (t) => {
  const { listener, port, logs } = await start(t);
  for (let again = 0; again < 130; again += 1) {
    const { socket, closed } = await bare(t, port);
    socket.write(Buffer.from('\x0bhello\x1c\r'));
    await closed;
  }
  t.equal(listener.counters().unreadable, 130, 'the count has all');
  t.equal(logs.filter(({ code }) => code === 'mllp-no-msh').length, 120);
});

t.test('mllp listener - an address outside the range is refused', async (t) => {
  const { intake, port } = await start(t, { allow: (address) => address !== '127.0.0.1' });
  const { socket, closed } = await bare(t, port);
  socket.write(frame(message('W1')));
  await closed;
  t.equal(intake.appended.length, 0);
});

t.test('mllp listener - stop finishes the commits in hand and sends their answers', async (t) => {
  const { intake, listener, port } = await start(t);
  intake.manual = true;
  const { socket, heard, closed } = await bare(t, port);
  socket.write(frame(message('X1')));
  await until(() => intake.appended.length === 1, { what: 'the message' });
  const stopped = listener.stop(10_000);
  intake.appended[0]?.settle();
  await stopped;
  await closed;
  t.match(heard(), /MSA\|AA\|X1/);
  await t.rejects(sendOnce({ port, connectTimeoutMs: 1_000 }, message('X2')), 'nobody listens any more');
  await listener.stop(0);
  t.pass('stopping twice is safe');
});

t.test('mllp listener - stop at its deadline does not wait for a stuck commit', async (t) => {
  const { intake, listener, port } = await start(t);
  intake.manual = true;
  const { socket, heard } = await bare(t, port);
  socket.write(frame(message('Y1')));
  await until(() => intake.appended.length === 1, { what: 'the message' });
  await listener.stop(50);
  t.equal(heard(), '', 'not answered');
});

t.test('mllp listener - a reset in the middle of a message costs that message alone', async (t) => {
  const { intake, listener, port } = await start(t);
  const half = await client(t, port);
  await half.writeRaw(Buffer.concat([Buffer.of(0x0b), message('Z1').subarray(0, 60)]));
  half.destroy('rst');
  await half.closed;
  t.equal((await sendOnce({ port }, message('Z2'))).code, 'AA');
  t.same(intake.controlIds, ['Z2']);
  await until(() => listener.counters().connections === 0, { what: 'every connection being gone' });
});

t.test('mllp listener - stray bytes between frames are counted and cost nothing', async (t) => {
  const { listener, port } = await start(t);
  const { socket, heard } = await bare(t, port);
  socket.write('GARBAGE');
  socket.write(frame(message('SB')));
  await until(() => heard().includes('MSA|AA|SB'), { what: 'the answer' });
  t.equal(listener.counters().strayBytes, 7);
});

t.test(
  'mllp listener - what comes without framing is told by its kind, once a minute, and never by its content',
  async (t) => {
    const clock = { us: Date.now() * 1000, elapsedMs: 5 };
    const { listener, port, logs, intake } = await start(t, { clock });
    // With VT in it: ec_point_formats is extension 11.
    const hello = Buffer.from('16030100c8010000c403034e4f5448494e47000b000403000102', 'hex');
    for (const [seen, bytes, closes] of [
      ['http', Buffer.from('GET /patients/DOE HTTP/1.1\r\nHost: x\r\n\r\n'), true],
      ['tls', hello, true],
      ['unframed-text', message('DOE1'), false],
      ['bytes', Buffer.from('DOE^JANE'), false],
    ] as const) {
      const before = listener.counters().strayBytes;
      for (let n = 0; n < 2; n += 1) {
        const { socket, heard, closed } = await bare(t, port);
        socket.write(bytes);
        if (closes) await closed;
        else {
          await until(() => listener.counters().strayBytes > before, { what: 'the bytes' });
          socket.write(frame(message(`${seen}${n}`)));
          await until(() => heard().includes(`MSA|AA|${seen}${n}`), {
            what: 'the answer to a frame behind it',
          });
        }
      }
      const lines = logs.splice(0).map(({ code, fields }) => ({ code, ...fields }));
      t.match(lines, [{ code: 'mllp-not-framed', listener: 'lab', address: '127.0.0.1', seen, advice: /./ }]);
      t.equal(lines.length, 1, `one line for ${seen}`);
      t.notMatch(JSON.stringify(lines), /DOE|JANE|patients/);
    }
    t.equal(intake.records.length, 4);
    clock.elapsedMs += 60_000;
    const again = await bare(t, port);
    again.socket.write(hello);
    await again.closed;
    t.equal(logs.length, 1, 'and again after a minute');
  },
);

// ── TLS ────────────────────────────────────────────────────────────────────────────────────────────

t.test('mllp listener over tls - required, optional and no client certificate', async (t) => {
  const ca = await createTestCa('Hospital CA');
  const server = await ca.issue({ commonName: 'gateway' });
  const sender = await ca.issue({ commonName: 'lab' });
  const impostor = await selfSigned({ commonName: 'lab' });
  const expired = await ca.issue({ commonName: 'lab', notAfter: new Date(Date.now() - 60_000) });
  const base = { cert: server.certPem, key: server.keyPem, minVersion: 'TLSv1.2' as const };
  const trusting = { ca: ca.certPem, servername: 'localhost' };
  const as = ({ certPem, keyPem }: { certPem: string; keyPem: string }) => ({
    ...trusting,
    cert: certPem,
    key: keyPem,
  });
  const sends = (port: number, options: tls.ConnectionOptions): Promise<Answer> =>
    sendOnce({ port, tls: options, answerTimeoutMs: 5_000 }, message('TLS1'));

  const none = await start(t, { tls: base });
  t.equal((await sends(none.port, trusting)).code, 'AA', 'TLS without client certificates');
  await t.rejects(
    sends(none.port, { servername: 'localhost' }),
    'a sender that does not trust the CA goes away',
  );
  const plain = await bare(t, none.port);
  plain.socket.write(frame(message('PLAIN')));
  await plain.closed;
  t.notOk(none.intake.controlIds.includes('PLAIN'), 'plain MLLP on a TLS port is not taken');
  await t.rejects(
    sends(none.port, {
      ...trusting,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    }),
    'TLS 1.1',
  );

  const required = await start(t, {
    tls: { ...base, ca: ca.certPem, requestCert: true, rejectUnauthorized: true },
  });
  t.equal((await sends(required.port, as(sender))).code, 'AA', 'required: a good certificate');
  await t.rejects(sends(required.port, trusting), 'required: none');
  await t.rejects(sends(required.port, as(impostor)), 'required: self-signed');
  await t.rejects(sends(required.port, as(expired)), 'required: expired');
  t.equal(required.intake.records.length, 1);
  const reasons = () =>
    required.logs.filter(({ code }) => code === 'mllp-tls-refused').map(({ fields }) => fields?.reason);
  await until(() => reasons().length === 3, { what: 'a line in the log for each' });
  t.same(
    reasons(),
    ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED'],
    'each says what was wrong with its certificate',
  );

  const optional = await start(t, {
    tls: { ...base, ca: ca.certPem, requestCert: true, rejectUnauthorized: false },
  });
  t.equal((await sends(optional.port, as(sender))).code, 'AA', 'optional: a good certificate');
  t.equal((await sends(optional.port, trusting)).code, 'AA', 'optional: none');
  await t.rejects(sends(optional.port, as(impostor)), 'optional: a wrong one is refused');
  await t.rejects(sends(optional.port, as(expired)), 'optional: an expired one is refused');
  // Equal bytes: the second is a repeat of the first.
  t.equal(optional.intake.appended.length, 2);
});

t.test('mllp listener over tls - renewed certificates are for new connections', async (t) => {
  const [oldCa, newCa] = [await createTestCa('Old CA'), await createTestCa('New CA')];
  const [oldServer, newServer] = [
    await oldCa.issue({ commonName: 'g' }),
    await newCa.issue({ commonName: 'g' }),
  ];
  const { listener, port } = await start(t, { tls: { cert: oldServer.certPem, key: oldServer.keyPem } });
  const before = await client(t, port, { tls: { ca: oldCa.certPem, servername: 'localhost' } });
  listener.renew({ cert: newServer.certPem, key: newServer.keyPem });
  t.equal((await before.send(message('RN1'))).code, 'AA', 'the open connection goes on');
  const after = await client(t, port, { tls: { ca: newCa.certPem, servername: 'localhost' } });
  t.equal((await after.send(message('RN2'))).code, 'AA');
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`mllp listener over ${version} - a sender that half-closes is still answered`, async (t) => {
    const ca = await createTestCa();
    const server = await ca.issue({ commonName: 'gateway' });
    const { intake, listener, port } = await start(t, {
      tls: { cert: server.certPem, key: server.keyPem },
    });
    intake.manual = true;
    const halfOpen = { allowHalfOpen: true, minVersion: version, maxVersion: version };
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      ca: ca.certPem,
      servername: 'localhost',
      ...halfOpen,
    });
    t.teardown(() => socket.destroy());
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'secureConnect');
    const [gone, halfClosed] = [once(socket, 'end'), once(socket, 'finish')];
    // close_notify and FIN follow the messages at once; the commits come after both.
    socket.end(Buffer.concat([frame(message('HALF1')), frame(message('HALF2'))]));
    await until(() => intake.appended.length === 2, { what: 'the messages' });
    await within(halfClosed, 5_000, 'the half-close');
    for (const { settle } of intake.appended) settle();
    await within(gone, 5_000, 'the connection');
    const heard = Buffer.concat(chunks).toString('latin1');
    t.match(heard, /MSA\|AA\|HALF1[\s\S]*MSA\|AA\|HALF2/, 'both answers come before the end');
    await until(() => listener.counters().connections === 0, { what: 'nothing being left open' });
  });
}

t.test('mllp listener over tls - a peer that leaves in the handshake leaves nothing behind', async (t) => {
  const ca = await createTestCa();
  const server = await ca.issue({ commonName: 'gateway' });
  const { listener, port, logs } = await start(t, {
    tls: { cert: server.certPem, key: server.keyPem },
    limits: { handshakeTimeoutMs: 60_000 },
  });
  const { socket, closed } = await bare(t, port);
  // The first bytes of a ClientHello, then FIN: the listener ends its half at once and does not wait for more.
  socket.end(Buffer.from('160301020001', 'hex'));
  await within(closed, 5_000, 'the connection');
  await until(() => logs.some(({ code }) => code === 'mllp-tls-refused'), { what: 'a line in the log' });
  t.equal(listener.counters().connectionsTotal, 0);
});

t.test('mllp listener over tls - connections that never shake hands do not keep others out', async (t) => {
  const ca = await createTestCa();
  const server = await ca.issue({ commonName: 'gateway' });
  const { port } = await start(t, {
    tls: { cert: server.certPem, key: server.keyPem },
    limits: { handshakeTimeoutMs: 300 },
  });
  const silent = await Promise.all(Array.from({ length: 10 }, () => bare(t, port)));
  const answer = await sendOnce({ port, tls: { ca: ca.certPem, servername: 'localhost' } }, message('HS1'));
  t.equal(answer.code, 'AA');
  const gone = within(Promise.all(silent.map(({ closed }) => closed)), 5_000, 'the silent connections');
  await t.resolves(gone, 'the silent ones are gone after their time');
});

t.test(
  'mllp listener over tls - more silent connections than the cap do not lock the port for ever',
  async (t) => {
    const ca = await createTestCa();
    const server = await ca.issue({ commonName: 'gateway' });
    const { listener, port, logs } = await start(t, {
      tls: { cert: server.certPem, key: server.keyPem },
      limits: { connectionsMax: 2, handshakeTimeoutMs: 200 },
    });
    await Promise.all(Array.from({ length: 70 }, () => bare(t, port)));
    const told = (wanted: string) => logs.filter(({ code }) => code === wanted).length;
    await until(
      () => told('mllp-tls-refused') >= 2 && told('mllp-tls-refused') + told('mllp-connection-refused') >= 70,
      {
        what: 'the silent ones being refused or given up',
      },
    );
    await until(() => listener.counters().connections === 0, { what: 'their places being free' });
    const sent = sendOnce(
      { port, tls: { ca: ca.certPem, servername: 'localhost' }, connectTimeoutMs: 3_000 },
      message('LOCK'),
    );
    await t.resolves(sent, 'a good sender is served once their time is over');
  },
);

t.test(
  'mllp listener over tls - who has not spoken yet is counted, and takes no place of others',
  async (t) => {
    const ca = await createTestCa();
    const server = await ca.issue({ commonName: 'gateway' });
    const { listener, port, logs } = await start(t, {
      tls: { cert: server.certPem, key: server.keyPem },
      limits: { connectionsMax: 10, connectionsPerAddressMax: 3, handshakeTimeoutMs: 60_000 },
      allow: (address) => address !== '127.0.0.8',
    });
    const silent = await Promise.all(Array.from({ length: 100 }, () => bare(t, port, '127.0.0.9')));
    await until(() => listener.counters().refused === 97, { what: 'all but three being refused' });
    t.equal(listener.counters().connections, 3, 'those are in the counters');
    t.match(listener.refused(), [{ reason: 'limit', count: 97, address: '127.0.0.9' }]);
    await (await bare(t, port, '127.0.0.8')).closed;
    t.match(
      listener.refused(),
      [{ reason: 'address', count: 1 }, { reason: 'limit' }],
      'before any handshake',
    );
    const sent = await sendOnce({ port, tls: { ca: ca.certPem, servername: 'localhost' } }, message('OTHER'));
    t.equal(sent.code, 'AA', 'another address is served meanwhile');
    for (const { socket } of silent) socket.destroy();
    await until(() => listener.counters().connections === 0, { what: 'their places being free' });
    t.notOk(logs.some(({ code }) => code === 'mllp-accept-failed'));
  },
);

t.test('mllp listener over tls - stop does not wait for a handshake', async (t) => {
  const ca = await createTestCa();
  const server = await ca.issue({ commonName: 'gateway' });
  const { listener, port } = await start(t, {
    tls: { cert: server.certPem, key: server.keyPem },
    limits: { handshakeTimeoutMs: 3_600_000 },
  });
  const { closed } = await bare(t, port);
  await until(() => listener.counters().connections === 1, { what: 'the connection' });
  await within(listener.stop(3_600_000), 60_000, 'the stop');
  await within(closed, 60_000, 'the end of the connection');
  t.equal(listener.counters().connections, 0);
});
