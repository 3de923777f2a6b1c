/**
 * Which round may be under way: two at most, and one that nobody waits for only alone. The environment is a
 * stand-in whose transactions settle when the test says so.
 */
import t from 'tap';
import { type Committer, createCommitter } from '../../gateway/journal/committer.ts';
import { until } from '../kit/wait.ts';

interface Stand {
  readonly committer: Committer;
  /** Transactions that were begun. */
  begun(): number;
  /** Settles the oldest that is under way. */
  settle(): void;
  readonly faults: string[];
}

function stand(owner: { teardown(work: () => void): unknown }): Stand {
  const underWay: (() => void)[] = [];
  const faults: string[] = [];
  let begun = 0;
  const environment = {
    write: () => {
      begun += 1;
      return new Promise<void>((resolve) => underWay.push(resolve));
    },
  };
  const committer = createCommitter(environment, {
    onFault: (code) => faults.push(code),
    onStall: () => {},
    beforeCommit: () => {},
  });
  owner.teardown(() => committer.stop());
  return { committer, begun: () => begun, settle: () => underWay.shift()?.(), faults };
}

/** Resolves when the patience of every round that was asked for before this is over, and what it led to has happened. */
async function patienceOver(owner: { teardown(work: () => void): unknown }): Promise<void> {
  // Timers of one length fire in the order in which they were made: a committer with nothing to do is asked last.
  const idle = stand(owner);
  idle.committer.round('soon');
  await until(() => idle.begun() === 1, { what: 'a round of an idle committer' });
}

/** Asks for a round that somebody waits for, and resolves with what tells whether it settled. */
function awaited({ committer }: Stand): { settled(): boolean } {
  let settled = false;
  committer.round('now').whenSettled(() => {
    settled = true;
  });
  return { settled: () => settled };
}

t.test('committer - a round that nobody waits for is committed when its patience is over', async (t) => {
  const it = stand(t);
  it.committer.round('soon');
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(it.begun(), 0, 'not in this turn: more may come');
  await patienceOver(t);
  t.equal(it.begun(), 1);
});

t.test('committer - what is only removed waits longer, and goes with the first that does not', async (t) => {
  const it = stand(t);
  const gone: string[] = [];
  it.committer.round('later').whenSettled(() => gone.push('removed'));
  await patienceOver(t);
  t.equal(it.begun(), 0, 'others did not wait so long');
  it.committer.round('soon').whenSettled(() => gone.push('finished'));
  it.committer.round('later').whenSettled(() => gone.push('removed too'));
  await patienceOver(t);
  t.equal(it.begun(), 1, 'as soon as the shorter patience is over');
  it.settle();
  await until(() => gone.length === 3, { what: 'all of them' });
  t.same(gone, ['removed', 'finished', 'removed too'], 'in one round');
  it.committer.round('later');
  await until(() => it.begun() === 2, { what: 'what is only removed, alone' });
});

t.test('committer - it leaves the second place to one that somebody waits for', async (t) => {
  const it = stand(t);
  const first = awaited(it);
  await until(() => it.begun() === 1, { what: 'the first round' });
  let removed = false;
  it.committer.round('soon').whenSettled(() => {
    removed = true;
  });
  await patienceOver(t);
  t.same(
    it.committer.stats(),
    { rounds: 1, roundsInFlight: 1 },
    'its patience is over, and it is not under way',
  );

  const urgent = awaited(it);
  await until(() => it.begun() === 2, { what: 'the round that somebody waits for' });
  t.notOk(first.settled(), 'while the first is still being flushed');
  t.same(it.committer.stats(), { rounds: 2, roundsInFlight: 2 });

  it.settle();
  await until(first.settled, { what: 'the first answer' });
  t.notOk(urgent.settled());
  it.settle();
  await until(urgent.settled, { what: 'the second answer' });
  t.ok(removed, 'what could wait went with it');
  t.equal(it.begun(), 2);
  t.same(it.faults, []);
});

t.test('committer - with nobody to wait for it goes as soon as nothing is under way', async (t) => {
  const it = stand(t);
  const first = awaited(it);
  await until(() => it.begun() === 1, { what: 'the first round' });
  it.committer.round('soon');
  await patienceOver(t);
  t.equal(it.begun(), 1);
  it.settle();
  await until(first.settled, { what: 'the first answer' });
  await until(() => it.begun() === 2, { what: 'the round that could wait' });
});

t.test('committer - one that is under way does not keep out one that somebody waits for', async (t) => {
  const it = stand(t);
  it.committer.round('soon');
  await patienceOver(t);
  t.equal(it.begun(), 1);
  const urgent = awaited(it);
  await until(() => it.begun() === 2, { what: 'the round that somebody waits for' });
  // Two are under way: a third waits, however urgent.
  const third = awaited(it);
  await patienceOver(t);
  t.equal(it.begun(), 2);
  it.settle();
  await until(() => it.begun() === 3, { what: 'the third round' });
  t.notOk(urgent.settled());
  it.settle();
  it.settle();
  await until(third.settled, { what: 'the third answer' });
  t.ok(urgent.settled());
});
