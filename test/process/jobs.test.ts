/** Which job of the normalizer is next, and which may be written, beside a real journal and without a worker. */
import t from 'tap';
import { type Job, Jobs } from '../../gateway/jobs.ts';
import type { Journal } from '../../gateway/journal/journal.ts';
import { closeJournal, openJournal } from '../kit/journal.ts';
import { folderOf } from '../kit/site.ts';
import { recordOf } from '../kit/taken.ts';

/** A message control ID begins with the patient. */
const patientOf = (id: string) => id.charCodeAt(0);

async function opened(t: { teardown(work: () => Promise<void>): unknown } & Parameters<typeof folderOf>[0]) {
  const one = await openJournal(folderOf(t), {
    orderKeysOf: ({ messageControlId }) => [patientOf(messageControlId)],
  });
  t.teardown(() => closeJournal(one));
  const jobs = new Jobs(one.journal, () => false);
  return { journal: one.journal, jobs };
}

function append(journal: Journal, classGuess: 'stat' | 'routine', ...ids: string[]) {
  return Promise.all(
    ids.map((messageControlId) =>
      journal.append({
        source: 'lab',
        protocol: 'mllp',
        raw: Buffer.from(messageControlId),
        capturedAtUs: 1_764_000_000_000_000n,
        classGuess,
        messageControlId,
      }),
    ),
  );
}

/** The records of the group that goes to the worker. */
function send(job: Job | undefined): string[] | undefined {
  return job?.groups.shift()?.map((record) => recordOf(record).messageControlId);
}

const idsOf = (jobs: Iterable<Job>) =>
  Array.from(jobs, ({ rows }) =>
    rows.flatMap(({ records }) => records.map((record) => recordOf(record).messageControlId)),
  );

for (const unsent of [false, true]) {
  const what = unsent ? 'was not sent' : 'is in the worker';
  t.test(
    `jobs - one that was taken in order and ${what} is done in order, whatever config came since`,
    async (t) => {
      const { journal, jobs } = await opened(t);
      jobs.strict = true;
      await Promise.all([append(journal, 'routine', 'Q1'), append(journal, 'stat', 'Q2')]);
      const first = jobs.next(0);
      if (!unsent) t.same(send(first), ['Q1', 'Q2']);
      jobs.strict = false;
      await append(journal, 'stat', 'Q3');
      if (unsent) {
        t.equal(jobs.next(0), first, 'Q3 does not go before Q2');
        t.same(send(first), ['Q1', 'Q2']);
      }
      t.equal(jobs.next(1), undefined, 'Q3 waits until Q2 is written');
      t.same(idsOf(jobs.complete((job) => job === first)), []);
      t.same(idsOf(jobs.complete(() => false)), [['Q1', 'Q2']]);
      t.same(send(jobs.next(1)), ['Q3']);
      t.same(idsOf(jobs.complete(() => false)), [['Q3']]);
    },
  );
}

t.test('jobs - a STAT record of another patient still goes first meanwhile', async (t) => {
  const { journal, jobs } = await opened(t);
  jobs.strict = true;
  await append(journal, 'routine', 'P1', 'P2');
  const first = jobs.next(0);
  jobs.strict = false;
  await append(journal, 'stat', 'R3');
  t.same(send(jobs.next(0)), ['R3']);
  t.same(idsOf(jobs.complete(() => false)), [['R3']]);
  t.same(send(jobs.next(1)), ['P1', 'P2']);
  t.same(idsOf(jobs.complete((job) => job === first)), []);
});

t.test('jobs - nothing overtakes what is tried again of its own guess', async (t) => {
  const { journal, jobs } = await opened(t);
  jobs.strict = true;
  await append(journal, 'stat', 'P1', 'Q2');
  const first = jobs.next(0);
  const [group = []] = first?.groups.splice(0) ?? [];
  await append(journal, 'stat', 'Q3');
  // The worker died.
  first?.groups.push(...group.map((record) => [record]));
  t.same(send(jobs.next(1)), ['P1']);
  t.same(send(jobs.next(2)), ['Q2']);
  t.same(send(jobs.next(3)), ['Q3']);
});
