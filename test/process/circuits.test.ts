/** The circuit of a source's mapping: when it opens, what is tried, how it closes. */
import t from 'tap';
import { Circuits } from '../../gateway/circuits.ts';

function rig() {
  let nowUs = 1_000_000;
  let elapsedMs = 0;
  const changes: string[] = [];
  const circuits = new Circuits({
    nowUs: () => nowUs,
    elapsedMs: () => elapsedMs,
    onChange: (source, state, failures) => changes.push(`${source} ${state} ${failures}`),
  });
  const pass = (seconds: number) => {
    nowUs += seconds * 1e6;
    elapsedMs += seconds * 1e3;
  };
  const setBack = (seconds: number) => {
    nowUs -= seconds * 1e6;
  };
  const die = (count: number) => {
    for (let n = 0; n < count; n += 1) circuits.failed('lab', 'died');
  };
  return { circuits, changes, pass, setBack, die };
}

t.test('circuits - three that cost the thread in a row open it, for that source alone', async (t) => {
  const { circuits, changes, die } = rig();
  die(2);
  circuits.ran('lab', {});
  die(2);
  t.equal(circuits.next('lab'), 'map', 'one that worked between them begins anew');
  t.same(circuits.report(), []);
  die(1);
  t.same(changes, ['lab opened 3']);
  t.equal(circuits.anyOpen, true);
  t.equal(circuits.next('lab'), 'quarantine');
  t.equal(circuits.next('adt'), 'map');
  t.match(circuits.report(), [{ source: 'lab', state: 'open', failures: 3n, untried: 1n }]);
});

t.test(
  'circuits - one at a time is tried after the pause, which doubles; the first that works closes it',
  async (t) => {
    const { circuits, changes, pass, die } = rig();
    die(3);
    pass(15);
    t.equal(circuits.next('lab'), 'probe');
    t.equal(circuits.next('lab'), 'quarantine', 'while one is tried the others wait outside');
    die(1);
    pass(29);
    t.equal(circuits.next('lab'), 'quarantine');
    pass(1);
    t.equal(circuits.next('lab'), 'probe');
    circuits.ran('lab', {});
    t.equal(circuits.next('lab'), 'map');
    t.equal(circuits.anyOpen, false);
    t.same(changes, ['lab opened 3', 'lab closed 4']);
    die(3);
    for (let n = 0; n < 20; n += 1) {
      pass(480);
      t.equal(circuits.next('lab'), 'probe', 'the pause does not grow over eight minutes');
      die(1);
    }
  },
);

t.test('circuits - one that is tried and never heard of again is followed by another', async (t) => {
  const { circuits, pass, die } = rig();
  die(3);
  pass(15);
  t.equal(circuits.next('lab'), 'probe');
  pass(14);
  t.equal(circuits.next('lab'), 'quarantine');
  pass(1);
  t.equal(circuits.next('lab'), 'probe');
});

t.test('circuits - another config closes all of them', async (t) => {
  const { circuits, changes, die } = rig();
  die(3);
  circuits.reset(7);
  t.equal(circuits.next('lab'), 'map');
  t.same([changes.at(-1), circuits.anyOpen, circuits.report()], ['lab closed 3', false, []]);
  die(3);
  t.match(circuits.report(), [{ configVersion: 7n }]);
});

t.test('circuits - a mapping that throws is shown as failing, and every record is tried', async (t) => {
  const { circuits, changes } = rig();
  for (let n = 0; n < 10; n += 1) {
    t.same(circuits.report(), []);
    circuits.ran('lab', { failed: true });
  }
  t.match(circuits.report(), [{ state: 'failing', failures: 10n, probeAtUs: 0n }]);
  t.equal(circuits.next('lab'), 'map');
  t.equal(circuits.anyOpen, false);
  circuits.ran('lab', {});
  t.same(changes, ['lab failing 10', 'lab closed 10']);
});

t.test('circuits - one that is tried and throws holds nobody up any more: each is tried again', async (t) => {
  const { circuits, changes, pass, die } = rig();
  die(3);
  pass(15);
  t.equal(circuits.next('lab'), 'probe');
  circuits.ran('lab', { failed: true });
  t.equal(circuits.next('lab'), 'map');
  t.equal(circuits.anyOpen, false);
  die(2);
  t.same(changes, ['lab opened 3', 'lab failing 4']);
  die(1);
  t.equal(circuits.next('lab'), 'quarantine', 'and it opens again');
});

t.test('circuits - a wall clock that is set back makes the pause no longer', async (t) => {
  const { circuits, pass, setBack, die } = rig();
  die(3);
  pass(10);
  setBack(3_600);
  t.match(
    circuits.report(),
    [{ probeAtUs: BigInt(1_000_000 + 15e6 - 3_600e6) }],
    'shown as this clock will have it',
  );
  pass(4);
  t.equal(circuits.next('lab'), 'quarantine');
  pass(1);
  t.equal(circuits.next('lab'), 'probe');
});
