/** An event that the line to the control plane could not carry: its record is put aside, and its lane goes on. */
import t from 'tap';
import { parseSettings } from '../../gateway/settings.ts';
import { wireLimits } from '../../proto/limits.ts';
import { encodeBatchFrame } from '../../proto/wire.ts';
import { until } from '../kit/wait.ts';
import { openPipeline, parsed } from './open-pipeline.ts';

const mebibyte = 1024 ** 2;

/** Ten copies of the text: what is short on the way in may be long on the way out. */
const copying = `sources: { lab: { listener: mllp } }
mappings:
  copies:
    source: lab
    set:
${Array.from({ length: 10 }, (_, n) => `      extensions.copy${n}: { from: OBX-5 }`).join('\n')}
`;

const result = (id: string, textBytes: number) =>
  Buffer.from(
    [
      `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|${id}|P|2.5.1`,
      'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE',
      'OBR|1||F1|18842-5^Discharge^LN',
      `OBX|1|TX|18842-5^Discharge^LN||${'x'.repeat(textBytes)}||||||F`,
      '',
    ].join('\r'),
  );

t.test('too large - what one message to the centre cannot carry has no place in a lane', async (t) => {
  const { journal, pipeline, normalized } = await openPipeline(t);
  pipeline.setConfig(parsed(copying), 1);
  const append = (id: string, textBytes: number) =>
    journal.append({
      source: 'lab',
      protocol: 'mllp',
      raw: result(id, textBytes),
      capturedAtUs: BigInt(Date.now()) * 1000n,
      classGuess: 'routine',
      messageControlId: id,
    });
  // In one row, which is one job: it has the time of several.
  await Promise.all([append('BEFORE', 10), append('LARGE', 3 * mebibyte), append('BEHIND', mebibyte / 2)]);
  pipeline.start();
  await until(() => normalized() === 3, { what: 'the three', timeoutMs: 60_000 });
  await until(() => journal.custodyTotals()[0]?.counts.quarantined === 1, {
    what: 'the large one in quarantine',
    timeoutMs: 60_000,
  });
  const parcel = await until(
    () => {
      const sent = journal.parcel('routine', 1, 10, 64 * mebibyte);
      return sent?.count === 2 && sent;
    },
    { what: 'the two others in their lane', timeoutMs: 60_000 },
  );
  const lanes = journal.lanes().filter(({ last }) => last > 0);
  t.match(lanes, [{ lane: 'routine', first: 1, last: 2 }]);
  const put = journal.quarantined(2);
  t.match(put, { code: 'too-large', record: { messageControlId: 'LARGE' } });
  t.match(put?.reason, /^An event of this message would have 36\.0 MiB together .* carries 31\.9 MiB/);
  t.equal(journal.quarantined(1) ?? journal.quarantined(3), undefined);
  t.match(journal.custodyTotals(), [{ counts: { accepted: 3, pending: 2, quarantined: 1 } }]);
  const { first, chunks, queuedAtUs } = parcel;
  const frame = encodeBatchFrame({
    epoch: journal.epoch,
    lane: 'routine',
    firstSequence: BigInt(first),
    queuedAtUs,
    sentAtUs: 0n,
    chunks,
  });
  t.ok(frame.length < wireLimits.messageBytesMax);
});

t.test(
  'too large - a batch of many messages has the time for them, up to as many as a record may have',
  async (t) => {
    const { journal, pipeline } = await openPipeline(t);
    const batch = (messages: number) => {
      const each = (n: number) => `MSH|^~\\&|A|B|||||ADT^A08|${n}||2.5\rPID|||${n % 9}\r`;
      return Buffer.from(
        `BHS|^~\\&|A|B\r${Array.from({ length: messages }, (_, n) => each(n)).join('')}BTS|${messages}\r`,
      );
    };
    const [, tooMany] = await Promise.all(
      [5_000, wireLimits.recordEventsMax + 1].map((messages) =>
        journal.append({
          source: 'lab',
          protocol: 'mllp',
          raw: batch(messages),
          capturedAtUs: BigInt(Date.now()) * 1000n,
          classGuess: 'routine',
          messageControlId: `${messages}`,
        }),
      ),
    );
    pipeline.start();
    const counts = () => journal.custodyTotals()[0]?.counts;
    await until(() => counts()?.quarantined === 1, { what: 'one in quarantine', timeoutMs: 120_000 });
    await until(() => journal.lanes().some(({ last }) => last === 5_000), {
      what: 'the events of the other',
      timeoutMs: 120_000,
    });
    const put = await until(() => journal.quarantined(Number(tooMany?.sequence)), { what: 'its row' });
    t.match(put, { code: 'too-large', reason: /more than 32768 events.*has to split it/ });
    t.match(counts(), { accepted: 2, pending: 1, quarantined: 1 });
  },
);

t.test('too large - a listener cannot be set to take what no message to the centre carries', async (t) => {
  const of = (type: string, size: string) =>
    parseSettings(`listeners: { one: { type: ${type}, listen: '127.0.0.1:0', ${size} } }`, 'settings.yaml');
  for (const [type, name] of [
    ['mllp', 'frameBytesMax'],
    ['mqtt', 'packetBytesMax'],
  ] as const) {
    t.match(of(type, `${name}: 31MiB`).listeners.one, { [name]: '31MiB' });
    t.throws(() => of(type, `${name}: 32MiB`), { message: /listeners\.one\.\w+: .*at most 31MiB/ });
  }
});
