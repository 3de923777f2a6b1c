/** The normalizer's keeper beside a real journal and real threads. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { Circuits } from '../../gateway/circuits.ts';
import { Journal } from '../../gateway/journal/journal.ts';
import { Pipeline } from '../../gateway/pipeline.ts';
import { memoryKey } from '../../gateway/process/keys.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { envelopesOf } from '../../proto/wire.ts';
import { closeJournal, openJournal } from '../kit/journal.ts';
import { messageMaker } from '../kit/messages.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';
import { openPipeline, parsed } from './open-pipeline.ts';

t.test(
  'pipeline - a normalizer that cannot start is not started again at once, and works when it can',
  async (t) => {
    const nothing = () => {};
    const key = randomBytes(32);
    const journal = await Journal.open(
      {
        directory: folderOf(t),
        key,
        budgetBytes: 1024 ** 3,
        reserveBytes: 0,
        repeatEntriesMax: 1000,
        repeatAgeMs: 1e9,
        memoryEntriesMax: 1000,
        memoryBytesMax: 64 * 1024 ** 2,
        orderKeysOf: () => [],
      },
      {
        onFault: nothing,
        onAlarm: nothing,
        onRecords: nothing,
        onEvents: nothing,
        onDeliveries: nothing,
        onRepeat: nothing,
        onEpoch: nothing,
      },
    );
    const died: { atMs: number; code: string; error: unknown }[] = [];
    let normalized = 0;
    const pipeline = new Pipeline(
      journal,
      {
        gateway: 'g',
        site: 's',
        memoryKey: memoryKey(key),
        circuits: new Circuits({ nowUs: () => 0, elapsedMs: () => 0, onChange: nothing }),
      },
      {
        onAlarm: (code, { error }) => died.push({ atMs: performance.now(), code, error }),
        onNormalized: () => {
          normalized += 1;
        },
      },
    );
    t.teardown(async () => {
      await pipeline.stop(1000);
      await journal.stop();
      await journal.close();
    });
    // No config that was checked is like this; it stands for a program file that is gone, or no memory for a thread.
    pipeline.setConfig({ ...configSchema.parse({}), identity: 5 } as never, 7);
    pipeline.start();
    const { bytes, controlId } = messageMaker({ seed: 5, kind: 'oru' })(1);
    await journal.append({
      source: 'lab',
      protocol: 'mllp',
      raw: bytes,
      capturedAtUs: BigInt(Date.now()) * 1000n,
      classGuess: 'routine',
      messageControlId: controlId,
    });
    pipeline.pump();
    await until(() => died.length >= 4, { what: 'four that died', timeoutMs: 60_000 });
    t.same(new Set(died.map(({ code }) => code)), new Set(['normalizer-died']));
    t.match(died[0]?.error, /^\w+$/, 'a code or a name');
    const pauses = died.slice(1).map(({ atMs }, at) => atMs - (died[at]?.atMs ?? 0));
    t.ok(
      pauses.every((ms) => ms >= 1000),
      `${pauses.map(Math.round).join(', ')} ms between them`,
    );
    pipeline.setConfig(configSchema.parse({}), 8);
    await until(() => normalized === 1, { what: 'the record under a config that works', timeoutMs: 60_000 });
    t.equal(journal.lastQuarantined(1), 0, 'and it was never blamed');
  },
);

t.test(
  'pipeline - of a record that is read back from the disk no time is told at which it was flushed',
  async (t) => {
    const [directory, key] = [folderOf(t), randomBytes(32)];
    const make = messageMaker({ seed: 6, kind: 'oru' });
    const draft = (n: number) => ({
      source: 'lab',
      protocol: 'mllp' as const,
      raw: make(n).bytes,
      capturedAtUs: BigInt(Date.now()) * 1000n,
      classGuess: 'routine' as const,
      messageControlId: make(n).controlId,
    });
    const before = await openJournal(directory, { key });
    await before.journal.append(draft(1));
    await closeJournal(before);
    const { journal, pipeline } = await openPipeline(t, { directory, key });
    const startedAtUs = BigInt(Date.now()) * 1000n;
    pipeline.start();
    await journal.append(draft(2));
    const sent = () =>
      journal
        .lanes()
        .flatMap(({ lane }) => journal.parcel(lane, 1, 100, 1e6)?.chunks ?? [])
        .flatMap((chunk) => envelopesOf(chunk))
        .map((bytes) => Envelope.decode(bytes));
    await until(() => sent().length === 2, { what: 'both events', timeoutMs: 60_000 });
    const [readBack, fresh] = sent().sort((a, b) => Number(a.recordSequence - b.recordSequence));
    t.equal(readBack?.journaledAtUs, 0n);
    t.ok((readBack?.normalizedAtUs ?? 0n) >= startedAtUs, 'when it was normalized is known');
    t.ok((fresh?.journaledAtUs ?? 0n) >= startedAtUs, 'as is when one was flushed in this life');
  },
);

t.test(
  'pipeline - where the config decides the class, events of one patient have the order of their records',
  async (t) => {
    const seed = seedOfThisRun();
    t.comment(`seed ${seed}`);
    const random = seededRandom(seed);
    // All of one patient.
    const { journal, pipeline, normalized } = await openPipeline(t, { orderKeysOf: () => [1] });
    pipeline.setConfig(parsed('sources:\n  lab: { listener: mllp, class: urgent }\n'), 2);
    const make = messageMaker({ seed: 7, kind: 'oru' });
    const guesses = ['stat', 'urgent', 'routine', 'bulk'] as const;
    const records = 300;
    let appended = 0;
    let started = false;
    // Rounds of several guesses each; some wait while the first are normalized.
    while (appended < records) {
      const many = 1 + below(random, 40);
      const round = Array.from({ length: Math.min(many, records - appended) }, () => {
        appended += 1;
        return journal.append({
          source: 'lab',
          protocol: 'mllp' as const,
          raw: make(appended).bytes,
          capturedAtUs: BigInt(Date.now()) * 1000n,
          classGuess: guesses[below(random, guesses.length)] ?? 'routine',
          messageControlId: make(appended).controlId,
        });
      });
      await Promise.all(round);
      if (appended > 100 && !started) {
        started = true;
        pipeline.start();
      }
    }
    await until(() => normalized() === records, { what: 'all records', timeoutMs: 120_000 });
    const sequences = () =>
      (journal.parcel('urgent', 1, 1000, 1e8)?.chunks ?? [])
        .flatMap((chunk) => envelopesOf(chunk))
        .map((bytes) => Number(Envelope.decode(bytes).recordSequence));
    await until(() => sequences().length === records, { what: 'all events', timeoutMs: 60_000 });
    t.same(
      sequences(),
      [...sequences()].sort((one, other) => one - other),
    );
  },
);

t.test('pipeline - a STAT record waits behind one large message, and not behind the next ones', async (t) => {
  const { journal, pipeline, normalized } = await openPipeline(t);
  const text = 'x'.repeat(400 * 1024);
  const report = (id: string) =>
    Buffer.from(
      [
        `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|${id}|P|2.5.1`,
        'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE',
        `OBR|1||${id}|18842-5^Discharge^LN`,
        `OBX|1|TX|18842-5^Discharge^LN||${text}||||||F`,
        '',
      ].join('\r'),
    );
  const append = (id: string, raw: Buffer, classGuess: 'stat' | 'routine') =>
    journal.append({
      source: 'lab',
      protocol: 'mllp',
      raw,
      capturedAtUs: BigInt(Date.now()) * 1000n,
      classGuess,
      messageControlId: id,
    });
  const large = ['L1', 'L2', 'L3'];
  for (const id of large) await append(id, report(id), 'routine');
  pipeline.start();
  const stat = messageMaker({ seed: 8, kind: 'oruStat' })(1);
  await append('STAT', stat.bytes, 'stat');
  await until(() => normalized() === 4, { what: 'all of them', timeoutMs: 60_000 });
  const events = () =>
    journal
      .lanes()
      .flatMap(({ lane }) => journal.parcel(lane, 1, 100, 64 * 1024 * 1024)?.chunks ?? [])
      .flatMap((chunk) => envelopesOf(chunk))
      .map((bytes) => Envelope.decode(bytes));
  await until(() => events().length === 4, { what: 'their events', timeoutMs: 60_000 });
  const order = events().sort((a, b) => Number(a.normalizedAtUs - b.normalizedAtUs));
  t.same(
    order.map(({ recordSequence }) => Number(recordSequence)),
    [1, 4, 2, 3],
  );
});
