/** What a value costs the normalizer is by its length alone: else one message ends a worker, and goes to quarantine for its time. */
import t from 'tap';
import { meaningOf, understand } from '../../gateway/meaning.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { isPlausible } from '../../proto/units/plausible-unit.ts';

const meaning = meaningOf(configSchema.parse({}), 0);
/** Each takes some tens of milliseconds, and took tens of seconds. */
const hangMs = 3_000;

function ms(work: () => unknown): number {
  const beganMs = performance.now();
  work();
  return performance.now() - beganMs;
}

t.test('normalizer - device values that are almost a number, however long', async (t) => {
  const long = 80_000;
  for (const reading of [
    `"n": "${'0'.repeat(long)}Z"`,
    `"readings": [{"code": "heartRate", "value": "${'1'.repeat(long)}Z"}]`,
    `"readings": [{"code": "heartRate", "value": "${'\\t'.repeat(long)}x"}]`,
  ]) {
    const raw = Buffer.from(`{"device": "a", "alarm": {"id": "1"}, ${reading}}`);
    const record = JournalRecord.fromPartial({
      ...{ source: 'x', protocol: 'mqtt', raw, sha256: Buffer.alloc(32), topic: 'devices/a' },
      capturedAtUs: 1_767_225_600_000_000n,
    });
    const took = ms(() => understand(record, meaning));
    t.ok(took < hangMs, `${reading.slice(0, 40)}: ${took} ms`);
  }
});

t.test('normalizer - units of open brackets alone', async (t) => {
  for (const bracket of ['{', '[']) {
    const took = ms(() => isPlausible(bracket.repeat(80_000)));
    t.ok(took < hangMs, `${bracket}: ${took} ms`);
  }
  t.equal(isPlausible('10*3/uL{WBC}'), true);
  t.equal(isPlausible('mm[Hg]'), true);
});
