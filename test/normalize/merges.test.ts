/** Whom a merge retires, whom it only names, and what is told where it can retire nobody. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { toBundleText } from '../../proto/fhir/bundle.ts';
import type { ClinicalEvent, Identifier } from '../../proto/gen/hilum/v1/event.ts';
import { problemsOf } from '../fhir/validator.ts';
import { er7, testContext } from './context.ts';

function event(trigger: string, ...segments: string[]): ClinicalEvent {
  const head = `MSH|^~\\&|ADT|HOSP|X|HOSP|20261120101500+0100||ADT^${trigger}|1|P|2.5`;
  const raw = er7(head, 'EVN||20261120101500', ...segments);
  const { events, reject } = normalizeHl7v2(raw, testContext());
  if (events[0] === undefined) throw new Error(reject?.reason);
  return events[0];
}

function patients(of: ClinicalEvent): Record<string, unknown>[] {
  const text = toBundleText(of);
  const problems = problemsOf(text);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const { entry } = JSON.parse(text) as { entry: { resource: Record<string, unknown> }[] };
  return entry.map(({ resource }) => resource).filter(({ resourceType }) => resourceType === 'Patient');
}

const values = (of: readonly Identifier[] | undefined): string[] => (of ?? []).map(({ value }) => value);
const remarks = (of: ClinicalEvent): string[] => of.provenance?.remarks ?? [];

const ofOnePatient = ['A35', 'A41', 'A42', 'A49', 'A50', 'A51'];
const patient = 'PID|1||7^^^HOSP&1.2.3&ISO^MR||A^B||||||||||||||ACC1^^^HOSP^AN';

for (const trigger of ofOnePatient) {
  t.test(
    `merges ${trigger} - the patient's number in another spelling is the patient's [HL7 3.3.35, 3.3.41]`,
    (t) => {
      for (const spelled of ['7', '7^^^HOSP', '7^^^HOSP&1.2.3&ISO^MR', '7^^^&1.2.3&ISO']) {
        const found = event(trigger, patient, `MRG|${spelled}||ACC2^^^HOSP^AN||V2^^^HOSP^VN||C^D`);
        t.same(values(found.merge?.retired), [], spelled);
        t.same(values(found.merge?.movedFrom), [], spelled);
        t.same(values(found.merge?.retiredAccounts), ['ACC2'], spelled);
        t.same(remarks(found), [], spelled);
        const [only, ...others] = patients(found);
        t.same([only?.active, only?.link, others], [undefined, undefined, []], spelled);
      }
      t.end();
    },
  );

  t.test(`merges ${trigger} - another patient's number is told, and nobody is retired`, (t) => {
    const found = event(trigger, patient, 'MRG|8^^^HOSP&1.2.3&ISO^MR||ACC2^^^HOSP^AN');
    t.same(values(found.merge?.retired), []);
    t.same(values(found.merge?.movedFrom), ['8']);
    t.match(remarks(found), [/^MRG-1: another number than in PID-3/]);
    for (const one of patients(found)) t.same([one.active, one.link], [undefined, undefined]);
    t.end();
  });
}

t.test('merges A06 - the number of PID-3 in another spelling is no other patient', (t) => {
  const found = event('A06', patient, 'MRG|7||ACC2', 'PV1|1|I');
  t.same(values(found.merge?.movedFrom), []);
  t.same(remarks(found), []);
  t.end();
});

t.test('merges - a patient is retired by those triggers that say so', (t) => {
  for (const trigger of ['A18', 'A30', 'A34', 'A36', 'A39', 'A40', 'A47']) {
    const found = event(trigger, patient, 'MRG|8^^^HOSP&1.2.3&ISO^MR');
    t.same(values(found.merge?.retired), ['8'], trigger);
    t.same(remarks(found), [], trigger);
  }
  t.end();
});

t.test(
  'merges - a number that PID-3 lists as expired is retired, one that still holds is not [CX-8]',
  (t) => {
    const listed = (end: string) => `PID|1||7^^^HOSP^MR~8^^^HOSP^MR^^20200101^${end}||A^B`;
    for (const end of ['20261120', '20261120101500', '20261101', '202610', '2025']) {
      const found = event('A40', listed(end), 'MRG|8^^^HOSP^MR');
      t.same(values(found.merge?.retired), ['8'], end);
      t.same(values(found.merge?.surviving), ['7'], end);
      t.same(values(found.patient?.identifiers), ['7', '8'], 'what was said stays');
      t.same(remarks(found), [], end);
    }
    for (const end of ['20261121', '202611', '2026', '2031']) {
      const found = event('A40', listed(end), 'MRG|8^^^HOSP^MR');
      t.same(values(found.merge?.retired), [], end);
    }
    t.end();
  },
);

t.test(
  'merges - a number that both have is of nobody else, in whatever spelling, also of a card that expired',
  (t) => {
    const both = (pid: string, mrg: string): [retired: string[], surviving: string[]] => {
      const found = event('A40', `PID|1||${pid}||A^B`, `MRG|${mrg}`);
      t.same(remarks(found), [], mrg);
      return [values(found.merge?.retired), values(found.merge?.surviving)];
    };
    const one = '100^^^HOSP&1.2.3&ISO^MR';
    const two = '200^^^HOSP&1.2.3&ISO^MR';
    for (const spelled of ['E5^^^EMPI^PI', 'E5^^^EMPI&1.2.9&ISO^PI', 'E5^^^&1.2.9&ISO^PI', 'E5', 'E5^^^EMPI'])
      t.same(both(`${one}~E5^^^EMPI&1.2.9&ISO^PI`, `${two}~${spelled}`), [['200'], ['100', 'E5']], spelled);
    const card = 'HC77^^^ONT^JHN^^20200101^20251231';
    for (const spelled of [card, 'HC77^^^ONT^JHN'])
      t.same(both(`${one}~${card}`, `${two}~${spelled}`), [['200'], ['100', 'HC77']], spelled);
    const listed = `${two}^^20200101^20261120`;
    t.same(both(`${one}~${listed}~${card}`, `${two}~${card}`), [['200'], ['100', 'HC77']], 'both listed');
    t.same(
      both(`${one}~HC78^^^ONT^JHN~${card}`, `${two}~${card}`),
      [['200'], ['100', 'HC78', 'HC77']],
      'renewed',
    );
    t.same(
      both(`${one}~100^^^LAB^PI`, '100^^^^MC~200'),
      [
        ['100', '200'],
        ['100', '100'],
      ],
      'of another type',
    );
    t.end();
  },
);

t.test('merges - one that can retire nobody says so, and shows nobody replaced', (t) => {
  const nobody = /^MRG: no number that ends, so that nobody is retired$/;
  for (const [why, ...segments] of [
    ['no MRG', patient],
    ['no number in MRG', patient, 'MRG|||ACC9||||C^D'],
    ['the same number', patient, 'MRG|7^^^HOSP&1.2.3&ISO^MR'],
  ] as const) {
    for (const trigger of ['A40', 'A34', 'A47']) {
      const found = event(trigger, ...segments);
      t.same(values(found.merge?.retired), [], why);
      t.match(remarks(found), [nobody], `${trigger}: ${why}`);
      const [only, ...others] = patients(found);
      t.same([only?.active, only?.link, others], [undefined, undefined, []], why);
    }
  }
  const into = event('A40', 'MRG|8^^^HOSP^MR');
  t.match(remarks(into), [/^PID-3: nobody into whom the patient of MRG could be merged$/]);
  t.same(values(into.merge?.retired), ['8'], 'what was said stays');
  const [one, ...others] = patients(into);
  t.match(one, { identifier: [{ value: '8' }] });
  t.same([one?.active, one?.link, others], [undefined, undefined, []]);
  t.same(remarks(event('A41', patient, 'MRG|||ACC2')), [], 'a merge of accounts retires no patient');
  t.end();
});
