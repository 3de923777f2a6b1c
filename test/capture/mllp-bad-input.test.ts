/**
 * Bad input against the built gateway: the sender gets what MLLP has for that, the others go on, memory does
 * not move, every accepted message is an event or in quarantine, and nothing of a patient shows anywhere.
 */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { join, relative, resolve } from 'node:path';
import t from 'tap';
import { canary, messageMaker } from '../kit/messages.ts';
import { MllpClient, sendOnce } from '../kit/mllp-client.ts';
import { frame } from '../kit/mllp-frame.ts';
import { Site } from '../kit/site.ts';
import { until, within } from '../kit/wait.ts';

const site = await Site.start(t);
const port = await site.port('lab');
const good = messageMaker({ seed: 11, kind: 'oru' });
let next = 0;

/** A good message on a connection of its own is answered AA. */
async function others(): Promise<string> {
  next += 1;
  return (await sendOnce({ port, answerTimeoutMs: 10_000 }, good(next).bytes)).code;
}

/** Sends bytes as they are, half-closes nothing, and answers with what came until the peer closed or fell silent. */
async function exchange(
  bytes: Buffer,
  done: (heard: string) => boolean,
): Promise<{ heard: string; closed: boolean }> {
  const socket = net.connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let closed = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  await once(socket, 'connect');
  socket.write(bytes);
  const heard = () => Buffer.concat(chunks).toString('latin1');
  await until(() => closed || done(heard()), { what: 'an answer or a close', timeoutMs: 15_000 });
  socket.destroy();
  return { heard: heard(), closed };
}

const answered = (heard: string) => heard.endsWith('\x1c\r');

t.test('bad input - no MSH: closed without an answer, one line in the log, the others go on', async (t) => {
  const lines = () => site.printed().split('"code":"mllp-no-msh"').length - 1;
  const before = lines();
  const kinds = [
    `PID|1||${canary.mrnPrefix}1||${canary.family}`,
    'hello',
    '',
    'GET / HTTP/1.1\r\n\r\n',
    '<xml/>',
  ];
  for (const text of kinds) {
    const { heard, closed } = await exchange(frame(Buffer.from(text)), () => false);
    t.equal(closed, true, JSON.stringify(text));
    t.equal(heard, '');
  }
  // The line and the close come by different ways.
  await until(() => lines() - before >= kinds.length, { what: 'a line for each' });
  t.equal(lines() - before, kinds.length);
  t.equal(await others(), 'AA');
});

t.test('bad input - a delimiter that cannot be one: closed, or taken and accounted for', async (t) => {
  for (const head of ['MSHA^~\\&A', 'MSH|^^^^|', 'MSH ^~\\& ', 'MSH||||||']) {
    const { heard, closed } = await exchange(
      frame(Buffer.from(`${head}LAB|S|H|C|2026||ORU^R01|DELIM|P|2.5\r`)),
      answered,
    );
    if (closed) t.equal(heard, '', head);
    else t.match(heard, /MSA\|AA\|/, head);
  }
  const odd =
    'MSH#*@!%#LAB#S#H#C#20260301##ORU*R01*ORU_R01#ODDDELIM#P#2.5.1\rPID#1##77***KIT*MR##ODD*NAME\rOBR#1###2823-3*K*LN\rOBX#1#NM#2823-3*K*LN##4.1#mmol/L#####F\r';
  const { heard } = await exchange(frame(Buffer.from(odd)), answered);
  t.match(
    heard,
    /^\x0bMSH#\*@!%#H#C#LAB#S#.*\rMSA#AA#ODDDELIM\r\x1c\r$/,
    'delimiters that MSH declares are the message’s own',
  );
  const [event] = await until(
    async () => {
      const found = (await site.events()).filter(
        ({ provenance }) => provenance.messageControlId === 'ODDDELIM',
      );
      return found.length > 0 && found;
    },
    { what: 'its event', timeoutMs: 15_000, everyMs: 200 },
  );
  t.match(event, { kind: 'observation', observations: [{ value: '4.1', unit: 'mmol/L' }] });
});

t.test('bad input - invalid UTF-8 is answered, kept byte for byte, and costs no other', async (t) => {
  const bytes = Buffer.concat([
    Buffer.from(
      'MSH|^~\\&|LAB|S|H|C|20260301||ORU^R01^ORU_R01|BADUTF8|P|2.5.1||||||UNICODE UTF-8\rPID|1||88^^^KIT^MR||',
    ),
    Buffer.from([0xc3, 0x28, 0xff, 0xfe, 0xe2, 0x82]),
    Buffer.from('^X\rOBR|1|||2823-3^K^LN\rOBX|1|NM|2823-3^K^LN||4.1|mmol/L|||||F\r'),
  ]);
  t.equal((await sendOnce({ port }, bytes)).code, 'AA');
  const found = await until(
    async () => {
      const events = await site.events('--raw', '--reason', 'test');
      const event = events.find(({ provenance }) => provenance.messageControlId === 'BADUTF8');
      if (event !== undefined) return Buffer.from(event.raw ?? '', 'base64');
      const entries = await site.ask<{ id: string; messageControlId: string }[]>('quarantine', 'list');
      const entry = entries.find(({ messageControlId }) => messageControlId === 'BADUTF8');
      if (entry === undefined) return undefined;
      return (await site.ctl('quarantine', 'show', entry.id, '--payload', '--reason', 'test')).bytes;
    },
    { what: 'its event or its own quarantine entry', timeoutMs: 15_000, everyMs: 200 },
  );
  t.ok(found.equals(bytes), 'what is kept is what was sent');
  t.equal(await others(), 'AA');
});

t.test('bad input - a frame that never ends does not keep others out', async (t) => {
  const sockets = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write('\x0bMSH|^~\\&|LAB|');
      return socket;
    }),
  );
  for (let n = 0; n < 5; n += 1) t.equal(await others(), 'AA');
  for (const socket of sockets) socket.destroy();
});

t.test('bad input - a message of 100 MB: AE, closed, and memory does not move', async (t) => {
  const anonymousMib = () =>
    Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${site.gateway?.pid}/status`, 'utf8'))?.[1]) / 1024;
  // The first large message pays for buffers that are kept.
  const warm = await MllpClient.connect({ port });
  await warm.send(Buffer.concat([good(900_000).bytes, Buffer.alloc(8 * 1024 ** 2, 'x')]));
  await warm.close();
  await site.drained();
  const beforeMib = anonymousMib();
  let mostMib = beforeMib;
  const watch = setInterval(() => {
    mostMib = Math.max(mostMib, anonymousMib());
  }, 20);
  t.teardown(() => clearInterval(watch));
  const socket = net.connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let closed = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const gone = new Promise<void>((done) => {
    socket.once('close', () => {
      closed = true;
      done();
    });
  });
  await once(socket, 'connect');
  socket.write('\x0bMSH|^~\\&|BIG|S|H|C|20260301||ORU^R01|BIG100|P|2.5.1\rOBX|1|TX|x||');
  const chunk = Buffer.alloc(1024 * 1024, 'A');
  let sentMib = 0;
  for (; sentMib < 100 && !closed; sentMib += 1) {
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => undefined), gone]);
  }
  await within(gone, 15_000, 'the connection');
  clearInterval(watch);
  t.match(Buffer.concat(chunks).toString('latin1'), /MSA\|AE\|BIG100\|The message is over the size limit/);
  t.ok(sentMib < 100, `cut off after ${sentMib} MiB`);
  t.comment(`memory ${beforeMib.toFixed(0)} → at most ${mostMib.toFixed(0)} MiB`);
  t.ok(mostMib - beforeMib <= 64, `rose by ${(mostMib - beforeMib).toFixed(0)} MiB`);
  t.equal(await others(), 'AA');
});

const corpus = resolve(process.env.HILUM_CORPUS ?? '../shared/corpus', 'hl7v2');
const files = existsSync(corpus)
  ? readdirSync(corpus, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => /fuzz-|malformed/.test(relative(corpus, file)))
      .sort()
  : [];

t.test(
  'bad input - every fuzz and malformed file of the corpus is answered or closed, and accounted for',
  { skip: files.length === 0 && 'corpus not present (HILUM_CORPUS)' },
  async (t) => {
    const before = await site.custodyOf('lab');
    let positive = 0;
    let closings = 0;
    for (const file of files) {
      const bytes = readFileSync(file);
      // What holds framing bytes of its own is several frames on the wire: it is not one message any more.
      const whole = !bytes.includes(0x0b) && !bytes.includes(0x1c);
      // The marker after it tells silence (an acknowledgment, NE/NE) from a hang.
      const marker = good(500_000 + positive + closings).bytes;
      const id = good(500_000 + positive + closings).controlId;
      const { heard, closed } = await exchange(Buffer.concat([frame(bytes), frame(marker)]), (text) =>
        text.includes(`|${id}\r`),
      );
      if (closed) closings += 1;
      else positive += 1;
      if (whole && closed && heard.includes('MSA'))
        t.fail(`${relative(corpus, file)} was answered and closed`);
    }
    t.comment(`${files.length} files: ${positive} taken, ${closings} closed`);
    t.ok(positive > 0 && closings > 0, 'both ways of ending are seen');
    t.equal(await others(), 'AA', 'a good one after all of them');
    await site.drained();
    const after = await site.custodyOf('lab');
    t.ok(after.accepted > before.accepted);
    t.match(after, { pending: 0, missing: 0 });
    t.equal(after.accepted, after.delivered + after.quarantined, 'each is an event or in quarantine');
    t.equal(site.gateway?.exit, undefined, 'the daemon never ended');
  },
);

t.test('bad input - what is in quarantine has a code and a reason that a person reads', async (t) => {
  const entries = await site.ask<{ code: string; reason: string; source: string }[]>('quarantine', 'list');
  t.ok(entries.length > 0);
  for (const { code, reason, source } of entries) {
    if (!/^[a-z]+(-[a-z]+)*$/.test(code) || !/^[A-Z].{10,}\.$/s.test(reason) || source !== 'lab')
      t.fail(`${code}: ${reason}`);
  }
});

t.test(
  'bad input - the canary patient shows in no log, metric, status, error text or file at rest',
  async (t) => {
    t.ok(good(1).bytes.includes(canary.family), 'the canary was in what was sent');
    const places: Record<string, Buffer> = {
      'what the daemons printed': Buffer.from(site.printed()),
      '/metrics': Buffer.from(await site.http('/metrics')),
      '/status': Buffer.from(await site.http('/status')),
      'the control plane’s /metrics': Buffer.from(
        await (await fetch(`http://${site.planeHttp}/metrics`)).text(),
      ),
      'the control plane’s /status': Buffer.from(
        await (await fetch(`http://${site.planeHttp}/status`)).text(),
      ),
      'an unknown page': Buffer.from(await site.http(`/${canary.family}`)),
      'a failed trace': Buffer.from((await site.ctl('trace', 'unknown')).stderr),
      'quarantine list': Buffer.from((await site.ctl('quarantine', 'list', '--all', '-o', 'json')).stdout),
      'audit list': Buffer.from((await site.ctl('audit', 'list', '-o', 'json')).stdout),
      gateways: Buffer.from((await site.ctl('gateways', '-o', 'json')).stdout),
      journal: readFileSync(join(site.gatewayData, 'journal', 'data.mdb')),
      store: readFileSync(join(site.planeData, 'store', 'data.mdb')),
      'the environment': readFileSync(`/proc/${site.gateway?.pid}/environ`),
    };
    const { family, given, street, mrnPrefix } = canary;
    // In 17 MB of sealed bytes any four stand by chance in one run of 250; behind the prefix is a 0 or a 1.
    const words = [family, given, street, `${mrnPrefix}0`, `${mrnPrefix}1`];
    for (const [place, bytes] of Object.entries(places)) {
      for (const word of words) {
        if (bytes.includes(word)) t.fail(`${word} shows in ${place}`);
      }
      t.ok(bytes.length > 0, `${place} was looked at`);
    }
  },
);
