/** Problems and goals: what of them is there, who may see it, how it goes on [HL7 12.4]. */
import t from 'tap';
import { seg } from './samples.ts';
import { events, only, remarksOf, resources } from './told.ts';

const problem = { 1: 'AD', 2: '20261126', 3: '22298006^MI^SCT', 4: 'P1^E', 14: 'active^Active^L' };

t.test('problem - a risk or a request is no problem that the patient has [PRB-28, table 0725]', (t) => {
  for (const mood of ['RSK^Risk^HL70725', 'RQO', '^Risk']) {
    const said = seg('PRB', { ...problem, 28: mood });
    const all = events('PPR^PC1', said);
    t.ok(all[0]?.conditions[0]?.mood, mood);
    t.same(remarksOf(all), ['PRB-28: a risk, a request or the like, and no problem that is there']);
    t.same(only('Condition', resources('PPR^PC1', said)), [], mood);
  }
  const there = seg('PRB', { ...problem, 28: 'EVN^Event^HL70725' });
  t.equal(events('PPR^PC1', there)[0]?.conditions[0]?.mood, undefined);
  t.equal(only('Condition', resources('PPR^PC1', there)).length, 1);
  const goal = seg('GOL', { 1: 'AD', 3: 'A1C7^A1c below 7^L', 22: 'INT^Intent^HL70725' });
  t.match(events('PGL^PC6', goal)[0]?.conditions, [{ mood: { codings: [{ code: 'INT' }] } }]);
  t.equal(only('Goal', resources('PGL^PC6', goal)).length, 1, 'a goal is one in any mood');
  t.end();
});

t.test('problem - who may see it is a label of the Condition [PRB-25, table 0177]', (t) => {
  const said = [
    seg('PRB', { ...problem, 25: 'V^Very restricted^HL70177' }),
    seg('PRB', { ...problem, 4: 'P2' }),
  ];
  t.match(events('PPR^PC1', ...said)[0]?.conditions[0]?.confidentiality, { codings: [{ code: 'V' }] });
  const [secret, open] = only('Condition', resources('PPR^PC1', ...said)) as {
    meta: { security?: unknown };
  }[];
  t.match(secret?.meta.security, [{ code: 'V', display: 'Very restricted' }]);
  t.equal(open?.meta.security, undefined);
  t.end();
});

t.test('problem - how long it lasts and since when, in words [PRB-12, PRB-17]', (t) => {
  const said = [
    seg('PRB', { ...problem, 12: 'C^Chronic^L', 17: 'as a child' }),
    seg('PRB', { ...problem, 4: 'P2', 16: '20200101', 17: 'after a fall' }),
  ];
  t.match(events('PPR^PC1', ...said)[0]?.conditions, [
    { persistence: { codings: [{ code: 'C' }] }, onsetText: 'as a child' },
    { persistence: undefined, onsetText: 'after a fall' },
  ]);
  const [words, dated] = only('Condition', resources('PPR^PC1', ...said));
  t.match([words?.onsetString, words?.note], ['as a child', undefined]);
  t.match(dated, { onsetDateTime: '2020-01-01', note: [{ text: 'after a fall' }] });
  t.end();
});

t.test('goal - whether it was reached, and what is said of that [GOL-16, GOL-17]', (t) => {
  const said = [
    seg('GOL', {
      1: 'AD',
      3: 'A1C7^A1c below 7^L',
      16: 'not-achieved^Not Achieved^L',
      17: 'lost his meter',
    }),
    'NTE|1||see again',
  ];
  t.match(events('PGL^PC6', ...said)[0]?.conditions, [
    { evaluation: { codings: [{ code: 'not-achieved' }] }, evaluationComments: ['lost his meter'] },
  ]);
  t.match(only('Goal', resources('PGL^PC6', ...said)), [
    {
      achievementStatus: { coding: [{ code: 'not-achieved' }] },
      note: [{ text: 'lost his meter' }, { text: 'see again' }],
    },
  ]);
  t.end();
});

t.test('problems - a pathway that is deleted leaves its problems and goals as they are [HL7 12.3]', (t) => {
  const status = (type: string, ...segments: string[]) => events(type, ...segments)[0]?.status;
  t.equal(status('PPP^PCD', 'PTH|DE|PW1^Path', 'PRB|UC|20261120|E11^Diabetes^I10|1'), '');
  t.equal(status('PPG^PCJ', 'PTH|DE|PW1^Path', 'GOL|UC|20261120|G^Goal^L|1'), '');
  t.equal(status('PPR^PC3', 'PRB|DE|20261120|E11^Diabetes^I10|1'), 'entered-in-error');
  t.equal(status('PGL^PC8', 'GOL|DE|20261120|G^Goal^L|1'), 'entered-in-error');
  t.end();
});
