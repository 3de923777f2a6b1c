import t from 'tap';
import { highest } from '../../gateway/prioritize/classify.ts';
import { takeFailed } from '../../proto/config/cel.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { classify as build, type Hints } from './kit.ts';

type Partial = Parameters<typeof ClinicalEvent.fromPartial>[0];

const flagged = (...interpretations: string[]): Partial => ({
  kind: 'observation',
  observations: [{ interpretations }],
});
const ordered = (priority: string): Partial => ({ kind: 'order', order: { priority } });
const alarm = (priority: string): Partial => ({ kind: 'device-alarm', alarm: { priority } });

/** [what, event, class, rule] */
const rows: [string, Partial, string, string][] = [
  ['a panic flag', flagged('HH'), 'stat', 'critical-flag'],
  ['a low panic flag in a second repetition', flagged('L', 'LL'), 'stat', 'critical-flag'],
  ['a very abnormal flag', flagged('AA'), 'stat', 'critical-flag'],
  ['a flag in lower case with blanks', flagged(' hh '), 'stat', 'critical-flag'],
  ['a flag with its text', flagged('HH^Critical high^HL70078'), 'stat', 'critical-flag'],
  [
    'a flag in the first-repetition field alone',
    { kind: 'observation', observations: [{ interpretation: 'LL' }] },
    'stat',
    'critical-flag',
  ],
  ['a critical flag outside table 0078', flagged('CH'), 'stat', 'critical-flag'],
  ['an abnormal flag', flagged('H', 'A', '<', '>'), 'routine', 'kind'],
  ['no flag', flagged(), 'routine', 'kind'],
  ['a STAT order', ordered('S'), 'stat', 'priority'],
  ['a STAT order in a word', ordered('stat'), 'stat', 'priority'],
  ['a timing critical order', ordered('T'), 'stat', 'priority'],
  ['an order due within 30 seconds', ordered('TS30'), 'stat', 'priority'],
  ['an order due within 2 hours', ordered('TH2'), 'urgent', 'priority'],
  ['an ASAP order', ordered('A'), 'urgent', 'priority'],
  ['an order before surgery', ordered('P'), 'urgent', 'priority'],
  ['a routine order', ordered('R'), 'routine', 'kind'],
  ['a STAT result', { kind: 'observation', order: { priority: 'S' } }, 'stat', 'priority'],
  [
    'the highest of several timings',
    { kind: 'order', order: { timing: [{ priority: 'A' }, { priority: 'S' }] } },
    'stat',
    'priority',
  ],
  [
    'a timing that holds nothing but S',
    { kind: 'order', order: { timing: [{ quantity: 'S' }] } },
    'stat',
    'priority',
  ],
  [
    'a medication to be given at once',
    { kind: 'medication', medication: { timing: [{ priority: 'S' }] } },
    'stat',
    'priority',
  ],
  [
    'a STAT order with a critical flag',
    { kind: 'observation', order: { priority: 'S' }, observations: [{ interpretations: ['HH'] }] },
    'stat',
    'critical-flag',
  ],
  ['an alarm of high priority', alarm('high'), 'stat', 'alarm'],
  ['an alarm of medium priority', alarm('medium'), 'urgent', 'alarm'],
  ['an alarm of low priority', alarm('low'), 'routine', 'kind'],
  ['an alarm whose priority nobody stated', alarm(''), 'urgent', 'alarm'],
  [
    'an alarm that states its priority among its flags',
    { kind: 'device-alarm', observations: [{ interpretations: ['H', 'PH', 'SP'] }] },
    'stat',
    'alarm',
  ],
  ['a result whose flag means low for an alarm', flagged('PL'), 'routine', 'kind'],
  [
    'a STAT order after the first',
    { kind: 'referral', furtherOrders: [{ priority: 'S' }] },
    'stat',
    'priority',
  ],
  ['device vitals', { kind: 'device-observation' }, 'routine', 'kind'],
  ['a device that fell silent', { kind: 'device-silence' }, 'urgent', 'kind'],
  ['an admission', { kind: 'admission', movement: { trigger: 'A01' } }, 'routine', 'kind'],
  ['a merge', { kind: 'merge' }, 'urgent', 'kind'],
  ['a charge', { kind: 'charge' }, 'bulk', 'kind'],
  ['a charge for a STAT order', { kind: 'charge', order: { priority: 'S' } }, 'bulk', 'kind'],
  ['a master file', { kind: 'master-file' }, 'bulk', 'kind'],
  ['a document', { kind: 'document' }, 'routine', 'kind'],
  ['a kind that nobody knows', { kind: 'constructor' }, 'routine', 'kind'],
];

for (const [what, event, expected, table] of rows) {
  t.test(`default classes - ${what} is ${expected}`, async (t) => {
    const verdict = build('{}')(ClinicalEvent.fromPartial(event));
    t.same(verdict, { class: expected, rule: `class:default:${table}` });
  });
}

const config = `
sources:
  lab: { listener: mllp, reviewed: false }
  billing: { listener: billing, class: bulk }
  odd: { listener: odd, class: bulk, reviewed: false }
classes:
  - { name: icu, when: 'event.encounter.location.pointOfCare == "ICU"', class: urgent }
  - { name: night, when: 'event.kind == "schedule"', class: bulk }
  - { name: broken, when: 'double(event.status) > 0.0', class: stat }
`;

/** [fact, event, hints, class, rule] */
const configured: [string, Partial, Hints, string, string][] = [
  [
    'the first rule that matches wins',
    { kind: 'schedule', encounter: { location: { pointOfCare: 'ICU' } } },
    {},
    'urgent',
    'class:icu',
  ],
  [
    'a rule may lower what the defaults would raise',
    { ...flagged('HH'), encounter: { location: { pointOfCare: 'ICU' } } },
    {},
    'urgent',
    'class:icu',
  ],
  [
    'the defaults apply where no rule matches',
    { ...flagged('HH') },
    {},
    'stat',
    'class:default:critical-flag',
  ],
  [
    'a source may have a fixed class',
    { ...flagged('HH'), provenance: { source: 'billing' } },
    {},
    'bulk',
    'class:source',
  ],
  [
    'a result of an unreviewed source is at least urgent',
    { ...flagged(), provenance: { source: 'lab' } },
    {},
    'urgent',
    'class:unreviewed',
  ],
  [
    'a critical result of an unreviewed source stays stat',
    { ...flagged('HH'), provenance: { source: 'lab' } },
    {},
    'stat',
    'class:default:critical-flag',
  ],
  [
    'not even a fixed class holds an unreviewed result below urgent',
    { ...flagged(), provenance: { source: 'odd' } },
    {},
    'urgent',
    'class:unreviewed',
  ],
  [
    'only results of an unreviewed source are lifted',
    { kind: 'admission', provenance: { source: 'lab' } },
    {},
    'routine',
    'class:default:kind',
  ],
  ['a will is never stat', alarm('high'), { will: true }, 'urgent', 'class:will'],
  ['a will below stat keeps its class', alarm('low'), { will: true }, 'routine', 'class:default:kind'],
];

for (const [fact, event, hints, expected, rule] of configured) {
  t.test(`classifier - ${fact}`, async (t) => {
    t.same(build(config)(ClinicalEvent.fromPartial(event), hints), { class: expected, rule });
  });
}

t.test('classifier - a rule that fails when it runs is told and passed over', async (t) => {
  takeFailed();
  const classify = build(config);
  t.equal(classify(ClinicalEvent.fromPartial({ ...flagged('HH'), status: 'final' })).class, 'stat');
  t.same(takeFailed(), ['class rule broken']);
  t.same(takeFailed(), [], 'each is told once');
});

t.test('classifier - the defaults can be switched off', async (t) => {
  const classify = build('classes: { defaults: false }');
  t.same(classify(ClinicalEvent.fromPartial(flagged('HH'))), { class: 'routine', rule: 'class:none' });
});

t.test('record - its events share the highest class', async (t) => {
  t.equal(highest(['routine', 'stat', 'bulk']), 'stat');
  t.equal(highest(['bulk']), 'bulk');
});
