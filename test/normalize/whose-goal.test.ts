/** A row behind a problem or a goal is of that one, and a goal's target is nothing that was measured. */
import t from 'tap';
import { events, only, remarksOf, resources } from './told.ts';

const problem = 'PRB|AD|20261120|I10^Hypertension^I10|P1~P1b';
const goal = (mood = '') => `GOL|AD|20261120|BP^Pressure below 130^L|G1${'|'.repeat(18)}${mood}`;
const row = (id: string, value: string, mood = '') =>
  `OBX|${id}|NM|8480-6^Systolic^LN||${value}|mm[Hg]|||||F${'|'.repeat(11)}${mood}`;

t.test('goals - a row behind a GOL says whose it is; without OBX-22 it is no finding', (t) => {
  const said = events('PPR^PC1', problem, row('1', '165'), goal(), row('2', '130'));
  const [event] = said;
  t.match(event?.observations, [
    { ofCondition: 'conditions[0]', value: '165', status: 'final', mood: undefined },
    { ofCondition: 'conditions[1]', value: '130', status: 'unknown', mood: { text: 'of a goal' } },
  ]);
  t.same(remarksOf(said), [
    'OBX-22: empty behind a GOL, so that nobody knows whether it was found or is aimed at',
  ]);
  t.end();
});

t.test('goals - what OBX-22 says counts: EVN was found, GOL is aimed at', (t) => {
  const said = events('PGL^PC6', goal('GOL'), row('1', '130', 'GOL'), row('2', '128', 'EVN'));
  t.match(said[0]?.observations, [
    { ofCondition: 'conditions[0]', status: 'unknown', mood: { codings: [{ code: 'GOL' }] } },
    { ofCondition: 'conditions[0]', status: 'final', mood: undefined },
  ]);
  t.end();
});

t.test('goals - an order that follows is of no problem', (t) => {
  const [event] = events('PPR^PC1', problem, 'ORC|NW|1', 'OBR|1|1||A^A^L', row('1', '7'));
  t.equal(event?.observations[0]?.ofCondition, '');
  t.end();
});

t.test(
  'goals - in FHIR a target is the Goal’s, and a finding an Observation that the problem points at',
  (t) => {
    const all = resources(
      'PPR^PC1',
      problem,
      row('1', '165'),
      goal(),
      row('2', '130'),
      row('3', '128', 'EVN'),
    );
    const observations = only('Observation', all);
    t.match(
      observations.map(({ valueQuantity }) => valueQuantity),
      [{ value: 165 }, { value: 128 }],
    );
    t.match(only('Goal', all)[0]?.target, [
      { measure: { coding: [{ code: '8480-6' }] }, detailQuantity: { value: 130, unit: 'mm[Hg]' } },
    ]);
    t.match(only('Goal', all)[0]?.outcomeReference, [{ reference: `urn:uuid:${observations[1]?.id}` }]);
    t.match(only('Condition', all)[0]?.evidence, [
      { detail: [{ reference: `urn:uuid:${observations[0]?.id}` }] },
    ]);
    t.same(
      (only('Condition', all)[0]?.identifier as { value: string }[] | undefined)?.map(({ value }) => value),
      ['P1', 'P1b'],
    );
    t.end();
  },
);
