/**
 * What capture looks at on the thread that answers everybody costs by its length alone, whatever a sender makes of it.
 * Each of these took from 18 s to hours.
 */
import t from 'tap';
import { createFramer } from '../../gateway/capture/mllp/framer.ts';
import { guessClass } from '../../gateway/capture/mqtt/urgency.ts';
import { orderKeysOf } from '../../gateway/capture/order-key.ts';

/** Milliseconds; they take some tens. */
const hangMs = 3_000;

function took<T>(work: () => T): { ms: number; made: T } {
  const beganMs = performance.now();
  const made = work();
  return { ms: performance.now() - beganMs, made };
}

const guess = (payload: string) =>
  took(() => guessClass('devices/a', Buffer.from(payload), { isHint: false, isVital: () => false }));

t.test('urgency - a text of very many digits that is no number', async (t) => {
  const { ms, made } = guess(
    `{"device":"a","alarm":{"id":"x","priority":"high"},"n":"${'0'.repeat(60_000)}Z"}`,
  );
  t.equal(made, 'stat');
  t.ok(ms < hangMs, `${ms} ms`);
});

t.test('urgency - very many words in lists of lists', async (t) => {
  const words = `${Array(200_000).fill('"a"').join(',')}`;
  for (const levels of [1, 30, 1_000]) {
    const nested = `${'['.repeat(levels)}${words}${']'.repeat(levels)}`;
    const { ms, made } = guess(`{"device":"a","alarm":{"id":"x","priority":${nested}}}`);
    t.equal(made, 'urgent', 'a word that nobody knows');
    t.ok(ms < hangMs, `${levels} levels: ${ms} ms`);
  }
  t.equal(guess('{"device":"a","alarm":{"id":"x","priority":[[["high"]]]}}').made, 'stat');
});

t.test('order keys - a batch of very many patients', async (t) => {
  const patients = 300_000;
  const raw = Buffer.from(
    `MSH|^~\\&|A|B|C|D|2026||ADT^A08|1|P|2.5\r${Array.from({ length: patients }, (_, at) => `PID|1||${at}\rPID|1||${at}\r`).join('')}`,
  );
  const { ms, made } = took(() =>
    orderKeysOf({
      source: 'adt',
      protocol: 'mllp',
      raw,
      capturedAtUs: 0n,
      classGuess: 'routine',
      messageControlId: '1',
    }),
  );
  t.equal(new Set(made).size, made.length, 'each once');
  t.ok(made.length > patients * 0.99, `${made.length} keys`);
  t.ok(ms < hangMs, `${ms} ms`);
});

t.test('framer - a large frame that comes byte by byte, and nothing but beginnings', async (t) => {
  const framer = createFramer(16 * 1024 * 1024);
  framer.push(Buffer.concat([Buffer.from('\x0bMSH|'), Buffer.alloc(15 * 1024 * 1024, 'a')]));
  const byByte = took(() => {
    for (let n = 0; n < 100_000; n += 1) framer.push(Buffer.from('b'));
  });
  t.ok(byByte.ms < hangMs, `100,000 bytes: ${byByte.ms} ms`);
  t.equal(framer.pendingBytes(), 1 + 4 + 15 * 1024 * 1024 + 100_000);
  const beginnings = took(() => {
    const other = createFramer(16 * 1024 * 1024);
    for (let n = 0; n < 240; n += 1) other.push(Buffer.alloc(64 * 1024, 0x0b));
  });
  t.ok(beginnings.ms < hangMs, `15 MiB of VT: ${beginnings.ms} ms`);
});
