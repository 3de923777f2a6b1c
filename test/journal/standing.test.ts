/**
 * Who may be normalized before what came earlier, where a config's own rules decide the class: nobody whose
 * patient has an earlier record that waits.
 */
import t from 'tap';
import type { Class, RecordDraft } from '../../gateway/capture/intake.ts';
import { orderKeysOf } from '../../gateway/capture/order-key.ts';
import { Standing } from '../../gateway/journal/standing.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';

function mllp(raw: string, source = 'lab'): RecordDraft {
  const bytes = Buffer.from(raw, 'latin1');
  return {
    source,
    protocol: 'mllp',
    raw: bytes,
    capturedAtUs: 0n,
    classGuess: 'routine',
    messageControlId: '',
  };
}

const head = 'MSH|^~\\&|A|B|C|D|20260101||ORU^R01|1|P|2.5\r';

t.test('order key - the first identifier of the patient, whatever else the message says', async (t) => {
  const [key] = orderKeysOf(mllp(`${head}PID|1||4711^^^H^MR~99^^^S||DOE^JANE\rOBR|1\r`));
  t.ok(key, 'there is one');
  t.same(orderKeysOf(mllp(`${head}PID|||4711^^^OTHER\nOBX|1\n`)), [key], 'with other segments and line ends');
  t.same(orderKeysOf(mllp(head.replaceAll('|', '#').concat('PID###4711^^^H#\r'))), [key], 'other delimiters');
  t.notSame(orderKeysOf(mllp(`${head}PID|||4711\r`, 'adt')), [key], 'another source is another namespace');
  t.notSame(orderKeysOf(mllp(`${head}PID|||4712\r`)), [key]);
  t.same(orderKeysOf(mllp(`${head}OBX|1|ST|X||SEE PID 4711|\r`)), [], 'nobody is named');
  t.same(orderKeysOf(mllp(`${head}PID|1\r`)), []);
  t.equal(orderKeysOf(mllp(`${head}PID|||4711\rMRG|0815^^^H\r`)).length, 2, 'a merge is of both patients');
  const device = { ...mllp('{}'), protocol: 'mqtt' as const, topic: 'devices/a', client: 'c' };
  t.equal(orderKeysOf(device).length, 1);
  t.notSame(orderKeysOf({ ...device, topic: 'devices/b' }), orderKeysOf(device));
});

t.test(
  'standing - a row may overtake unless a patient of it stands earlier under another guess',
  async (t) => {
    const standing = new Standing();
    standing.add('routine', 1, [11, 12]);
    standing.add('routine', 3, [13]);
    standing.add('stat', 5, [14]);
    t.equal(standing.mayOvertake('stat', 5, 5), true, 'nobody else of this patient');
    standing.add('stat', 6, [12]);
    t.equal(standing.mayOvertake('stat', 6, 6), false, 'an earlier routine record of the patient stands');
    standing.add('routine', 7, [14]);
    t.equal(standing.mayOvertake('stat', 5, 5), true, 'a later one is in nobody’s way');
    standing.add('stat', 8, [14]);
    t.equal(standing.mayOvertake('stat', 8, 8), false, 'but in that of what came after it');
    standing.remove('routine', 1);
    t.equal(standing.mayOvertake('stat', 6, 6), true, 'it was normalized');
  },
);

t.test('standing - while a row of an earlier life stands, nothing overtakes', async (t) => {
  const standing = new Standing();
  standing.recovered(1);
  standing.add('stat', 5, [14]);
  t.equal(standing.mayOvertake('stat', 5, 5), false);
  standing.remove('routine', 1);
  t.equal(standing.mayOvertake('stat', 5, 5), true);
});

t.test('standing - whatever overtakes, each patient keeps the order of arrival', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed} (HILUM_SEED=${seed} repeats this run)`);
  const random = seededRandom(seed);
  const standing = new Standing();
  const queues: Record<'stat' | 'routine', { sequence: number; patient: number }[]> = {
    stat: [],
    routine: [],
  };
  const done = new Map<number, number>();
  let overtakes = 0;
  let sequence = 0;
  const finish = (guess: 'stat' | 'routine') => {
    const row = queues[guess].shift();
    if (row === undefined) return;
    if ((done.get(row.patient) ?? 0) > row.sequence)
      t.fail(`${row.sequence} of patient ${row.patient} came late`);
    done.set(row.patient, row.sequence);
    standing.remove(guess as Class, row.sequence);
  };
  for (let step = 0; step < 20_000; step += 1) {
    if (random() < 0.52) {
      sequence += 1;
      const guess = random() < 0.3 ? 'stat' : 'routine';
      const patient = 1 + below(random, 200);
      queues[guess].push({ sequence, patient });
      standing.add(guess, sequence, [patient]);
      continue;
    }
    const [stat, routine] = [queues.stat[0], queues.routine[0]];
    if (stat !== undefined && standing.mayOvertake('stat', stat.sequence, stat.sequence)) {
      if (routine !== undefined && routine.sequence < stat.sequence) overtakes += 1;
      finish('stat');
    } else if (stat !== undefined && (routine === undefined || stat.sequence < routine.sequence))
      finish('stat');
    else finish('routine');
  }
  t.ok(overtakes > 1_000, `${overtakes} overtook`);
});
