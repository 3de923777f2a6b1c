/** Damaged messages give events or a reject, never an exception. HILUM_SEED replays a run. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { testContext } from './context.ts';
import { samples } from './samples.ts';

const rounds = 2000;
const seed = Number(process.env.HILUM_SEED ?? Date.now() % 2 ** 31);

/** mulberry32 */
function random(state: number): () => number {
  let a = state >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let x = Math.imul(a ^ (a >>> 15), 1 | a);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

const spice = [
  '|',
  '^',
  '~',
  '\\',
  '&',
  '\r',
  '\n',
  '""',
  '\u0000',
  '\u000b',
  '\u001c',
  '\\X',
  '\\.br\\',
  'MSH|',
  'é',
];

t.test(`fuzz - ${rounds} damaged messages never throw (seed ${seed})`, (t) => {
  const next = random(seed);
  const pick = (count: number): number => Math.floor(next() * count);
  const raws = Object.values(samples);
  const context = testContext();
  const tally = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    let bytes = Buffer.from(raws[pick(raws.length)] ?? '');
    for (let times = 1 + pick(8); times > 0; times--) {
      const at = pick(bytes.length + 1);
      const to = Math.min(bytes.length, at + pick(30));
      const other = Buffer.from(raws[pick(raws.length)] ?? '');
      const from = pick(other.length);
      const insert = [
        Buffer.alloc(0),
        Buffer.from([pick(256)]),
        Buffer.from(spice[pick(spice.length)] ?? ''),
        other.subarray(from, from + pick(80)),
      ][pick(4)] as Buffer;
      bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(next() < 0.5 ? at : to)]);
    }
    try {
      const { events, reject } = normalizeHl7v2(bytes, context);
      for (const event of events) ClinicalEvent.encode(event).finish();
      const outcome = reject?.code ?? 'events';
      tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
      if (events.length === 0 && reject === undefined) throw new Error('neither events nor a reject');
      if (reject?.code === 'mapping-failed') throw new Error(reject.reason);
    } catch (error) {
      t.fail(`round ${round} of seed ${seed}: ${error instanceof Error ? error.message : 'threw'}`, {
        message: bytes.toString('base64'),
      });
    }
  }
  t.comment(JSON.stringify(Object.fromEntries(tally)));
  t.ok((tally.get('events') ?? 0) > 100, 'some still give events');
  t.end();
});

t.test('fuzz - any bytes at all are safe', (t) => {
  const next = random(seed + 1);
  for (let round = 0; round < 500; round++) {
    const noise = Buffer.from(
      Array.from({ length: Math.floor(next() * 300) }, () => Math.floor(next() * 256)),
    );
    const { reject } = normalizeHl7v2(noise, testContext());
    if (reject === undefined) t.fail(`seed ${seed + 1} round ${round}`);
  }
  t.equal(normalizeHl7v2(new Uint8Array(0), testContext()).reject?.code, 'no-msh');
  t.end();
});
