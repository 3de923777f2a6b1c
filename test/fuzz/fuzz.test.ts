/** The fuzzer in its short mode, and the fuzzer itself: it finds what is there, makes it small, and repeats. */
import t from 'tap';
import { seedOfThisRun } from '../kit/random.ts';
import { caseMaker } from './case.ts';
import { check } from './check.ts';
import { ownInputs, readings } from './inputs.ts';
import { escaped, minimised } from './minimise.ts';
import { byteMutations, hl7v2Mutations } from './mutate-hl7v2.ts';
import { jsonMutations } from './mutate-json.ts';
import { findingText, fuzz } from './run.ts';

const cases = 1_000;

t.test(`fuzz - ${cases} damaged records never throw, hang, grow or read back otherwise`, async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const report = await fuzz({ seed, cases, seconds: 3_600 });
  for (const finding of report.findings) t.fail(findingText(finding, seed));
  t.comment(JSON.stringify(report.outcomes));
  t.equal(report.cases, cases, 'all were run');
  t.ok((report.outcomes.events ?? 0) > cases / 10, 'many still give events');
  t.ok(Object.keys(report.outcomes).length > 4, 'and many reasons are met');
});

t.test('fuzz - a case is made from its seed and number alone', async (t) => {
  const [one, again, other] = [
    caseMaker(7, ownInputs()),
    caseMaker(7, ownInputs()),
    caseMaker(8, ownInputs()),
  ];
  again(3);
  t.same(one(11).bytes, again(11).bytes);
  t.equal(one(11).from, again(11).from);
  t.ok(
    [11, 12, 13].some((number) => !one(number).bytes.equals(other(number).bytes)),
    'another seed, others',
  );
});

t.test('fuzz - every kind of damage is met', async (t) => {
  const make = caseMaker(7, ownInputs());
  const met = new Set<string>();
  for (let number = 0; number < 1_000; number += 1)
    for (const name of make(number).from.split(': ')[1]?.split(', ') ?? []) met.add(name);
  const all = Object.keys({ ...hl7v2Mutations, ...byteMutations, ...jsonMutations });
  t.same(
    all.filter((name) => !met.has(name)),
    [],
  );
});

t.test('fuzz - the undamaged inputs hold, and give events', async (t) => {
  const as = readings();
  for (const { name, form, bytes } of ownInputs()) {
    const found = as[form].map((reading) => check(bytes, reading));
    for (const { fault } of found) if (fault !== '') t.fail(`${name}: ${fault}`);
    t.ok(
      found.some(({ outcome }) => outcome === 'events'),
      name,
    );
  }
});

t.test(
  'fuzz - a record that hangs, takes all memory or leaves some behind is found, and the rest goes on',
  async (t) => {
    // The one limit is short, that of memory is met however slow the machine is.
    for (const [fault, hangMs, told] of [
      ['hang', 2_000, /^hang: more than 2000 ms/],
      ['explode', 60_000, /^death: .*memory/],
    ] as const) {
      const rehearsal = { fault, number: 6 };
      const { findings, cases: run } = await fuzz({ seed: 7, cases: 20, seconds: 3_600, hangMs, rehearsal });
      t.match(findings, [{ number: 6, fault: told }]);
      t.equal(findings.length, 1);
      t.equal(findings[0]?.least.length, 0, 'whatever the bytes are');
      t.equal(run, 20);
    }
    const grown = await fuzz({
      seed: 7,
      cases: 1_200,
      seconds: 3_600,
      rehearsal: { fault: 'grow', number: 900 },
    });
    t.match(grown.findings, [{ fault: /^growth: the heap went from/ }]);
  },
);

t.test('fuzz - a meaning that throws is found, and told by the least bytes that do it', async (t) => {
  const [reading] = readings().hl7v2;
  if (reading === undefined) throw new Error('no reading');
  const faulty = {
    ...reading,
    meaning: {
      ...reading.meaning,
      routes: (event: Parameters<typeof reading.meaning.routes>[0]) => {
        if (event.observations.some(({ unit }) => unit === 'mmol/L')) throw new RangeError('not this unit');
        return reading.meaning.routes(event);
      },
    },
  };
  const input = ownInputs().find(({ name }) => name === 'mapped');
  const bytes = input?.bytes ?? Buffer.alloc(0);
  t.match(check(bytes, faulty).fault, /^throw: RangeError: not this unit/);
  const least = await minimised(bytes, (some) => check(some, faulty).fault.startsWith('throw'), 3_000);
  t.ok(least.length < 60, `${least.length} bytes: ${escaped(least)}`);
  t.match(check(least, faulty).fault, /not this unit/);
  t.equal(escaped(Buffer.from("a\\'\r\u0000ÿ", 'latin1')), "a\\\\\\'\\r\\x00\\xff");
});
