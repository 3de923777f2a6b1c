import t from 'tap';
import { compilePredicate, type Predicate } from '../../proto/config/cel.ts';
import { viewEvent } from '../../proto/config/event-view.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';

const observation = ClinicalEvent.fromPartial({
  kind: 'observation',
  encounter: { class: 'I', location: { pointOfCare: 'ICU' } },
  order: { priority: 'S', service: { codings: [{ system: 'http://loinc.org', code: '24326-1' }] } },
  observations: [
    {
      value: '150.5',
      valueType: 'NM',
      code: { codings: [{ code: '8867-4' }] },
      interpretations: ['H', 'HH'],
    },
    { value: '<0.01', valueType: 'SN' },
  ],
  movement: { trigger: 'A01' },
  provenance: { source: 'lab', topic: 'a/b', messageType: 'ORU^R01', resend: true },
  times: { capturedAtUs: 5n },
});
const empty = ClinicalEvent.fromPartial({});

function compile(source: string): Predicate {
  const result = compilePredicate(source);
  if (result.problem !== undefined) throw new Error(`${source}: ${result.problem.message}`);
  return result.predicate;
}

const holds = [
  'event.source == "lab" && event.provenance.source == "lab"',
  'event.encounter.location.pointOfCare in ["ICU", "ED"]',
  'event.order.priority == "S" && event.order.service.codings.exists(c, c.code == "24326-1")',
  'event.observations.exists(o, o.code.codings.exists(c, c.code == "8867-4") && double(o.value) > 140.0)',
  'event.observations.exists(o, "HH" in o.interpretations)',
  'event.observations.filter(o, o.valueType == "NM").size() == 1',
  'event.observations[0].value == "150.5"',
  'event.movement.trigger.startsWith("A")',
  'event.provenance.messageType.contains("R01") && event.provenance.resend',
  'event.provenance.topic == "a/b"',
  'event.times.capturedAtUs > 0',
  'event.budgetMs == 0',
];

for (const source of holds) {
  t.test(`predicate - ${source} holds for its event and fails without error for an empty one`, async (t) => {
    const predicate = compile(source);
    t.equal(predicate.test(observation), true);
    t.equal(predicate.test(empty), source === 'event.budgetMs == 0');
    t.equal(predicate.failures, source.includes('[0]') ? 1 : 0);
  });
}

t.test('predicate - an absent message is empty, not an error', async (t) => {
  const predicate = compile('event.alarm.priority == "" && event.schedule.resources.size() == 0');
  t.equal(predicate.test(empty), true);
  t.equal(predicate.failures, 0);
});

t.test('predicate - one that fails when it runs does not match and is counted', async (t) => {
  const predicate = compile('event.observations.all(o, double(o.value) > 1.0)');
  t.equal(predicate.test(observation), false);
  t.equal(predicate.test(empty), true);
  t.equal(predicate.failures, 1);
});

t.test('predicate - several share one view of the event', async (t) => {
  const view = viewEvent(observation);
  t.equal(compile('event.kind == "observation"').test(view), true);
  t.equal(compile('event.kind == "order"').test(view), false);
});

t.test('predicate - a nested look through a long list runs dry instead of holding the thread', async (t) => {
  const long = ClinicalEvent.fromPartial({
    observations: Array.from({ length: 20_000 }, () => ({ value: 'x' })),
  });
  const once = compile('event.observations.exists(o, o.value == "y")');
  t.equal(once.test(long), false);
  t.equal(once.failures, 0, 'one look through the longest list is within the limit');
  const squared = compile('event.observations.exists(o, event.observations.exists(p, p.value != o.value))');
  t.equal(squared.test(long), false);
  t.equal(squared.failures, 1);
});

/** [source, message, hint, offset] */
const refused: [string, string, string, number][] = [
  ['', 'the predicate is empty', 'write true to match everything', 0],
  ['evnt.kind == "order"', 'there is no evnt', 'did you mean "event"?', 0],
  ['ICU == event.kind', 'there is no ICU', 'put a text in quotes; fields begin with event.', 0],
  ['event.kind', 'the predicate gives string, not true or false', 'compare it with something: … == "ICU"', 0],
  [
    'event.observations.exists(o, o.unti == "g")',
    'there is no field "unti" on Observation',
    'did you mean "unit"?',
    31,
  ],
  [
    'event.observations.value == "x"',
    'a list has no fields of its own',
    'look into each entry: list.exists(x, x.field == …)',
    19,
  ],
  ['event.kind.foo == "x"', 'a string has no fields', 'remove what follows the dot', 11],
  [
    'event.alarm == null',
    '== does not work between Alarm and null',
    'an absent field is empty: compare it with ""',
    0,
  ],
  [
    'has(event.alarm)',
    'there is no function has here',
    'an absent field is empty: compare it with "", or use size(…) > 0',
    0,
  ],
  ['event["kind"] == "order"', 'a field cannot be looked up by [ ]', 'write event.<field>', 0],
  [
    'event.observations.exists(o, o.value)',
    'the condition gives string, not true or false',
    'compare it with something: … == "HH"',
    31,
  ],
  ['(event.kind == "order"', 'a ) is missing here', 'add )', 22],
  ["event.kind == 'order", 'a text is not closed', 'add the closing quote', 14],
  [
    'event.kind.startsWith(5)',
    'string.startsWith(int) does not fit any function',
    'check the types of what it is given',
    0,
  ],
  [
    'event.observations.exists(a, a.interpretations.exists(b, a.interpretations.exists(c, c == b)))',
    'exists is nested more than 2 deep',
    'split the rule in two',
    75,
  ],
  ['cel.bind(x, event.kind, x == "order")', 'there is no function bind here', '', 4],
  ['event.constructor == "x"', 'there is no field "constructor" on event', '', 6],
  [`${'!'.repeat(600)}true`, 'the predicate is too large', 'split it into several rules', 24],
  [`${'x'.repeat(9_000)}`, 'the predicate is longer than 8000 characters', 'split it into several rules', 0],
];

for (const [source, message, hint, offset] of refused) {
  t.test(`predicate - ${source.slice(0, 60)} is refused`, async (t) => {
    const { problem } = compilePredicate(source) as {
      problem?: { message: string; hint: string; offset: number };
    };
    t.ok(problem?.message.startsWith(message), problem?.message ?? 'accepted');
    if (hint !== '') t.equal(problem?.hint, hint);
    if (!message.endsWith('too large')) t.equal(problem?.offset, offset);
  });
}
