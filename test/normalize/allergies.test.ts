/** What a patient does not tolerate, and how he reacted. */
import t from 'tap';
import { events, only, resources } from './told.ts';

t.test(
  'allergy - each IAR is a reaction of its IAM, with severity and what was done [HL7 2.8 3.4.15]',
  (t) => {
    const said = [
      'PV1|1|N',
      'IAM|1|DA^Drug^HL70127|7980^Penicillin G^RXNORM|||A^Add^HL70206|AL1^E||AL',
      'NTE|1||seen in the ward',
      'IAR|39579001^Anaphylaxis^SCT|SV^Severe^HL70128|AL^Allergy^HL70436|Epinephrine',
      'IAR|247472004^Hives^SCT|MI',
      'NTE|1||behind the reactions',
      'IAM|2|DA|IBU^Ibuprofen^L|MO|RASH|A',
      'IAR||SV',
    ];
    const [event] = events('ADT^A60', ...said);
    t.match(event?.allergies, [
      {
        reactions: [],
        reactionDetails: [
          {
            code: { text: 'Anaphylaxis' },
            severity: { codings: [{ code: 'SV' }] },
            sensitivity: { codings: [{ code: 'AL' }] },
            management: 'Epinephrine',
          },
          { code: { text: 'Hives' }, severity: { codings: [{ code: 'MI' }] }, management: '' },
        ],
        notes: [{ text: 'seen in the ward' }, { text: 'behind the reactions' }],
      },
      {
        reactions: ['RASH'],
        reactionDetails: [{ code: undefined, severity: { codings: [{ code: 'SV' }] } }],
      },
    ]);
    const [penicillin, ibuprofen] = only('AllergyIntolerance', resources('ADT^A60', ...said));
    t.match(penicillin?.reaction, [
      {
        manifestation: [{ coding: [{ system: 'http://snomed.info/sct', code: '39579001' }] }],
        severity: 'severe',
        note: [{ text: 'Epinephrine' }],
      },
      { manifestation: [{ coding: [{ code: '247472004' }] }], severity: 'mild' },
    ]);
    t.match(ibuprofen?.reaction, [
      { manifestation: [{ text: 'RASH' }], severity: 'moderate' },
      { severity: 'severe' },
    ]);
    t.end();
  },
);

t.test('allergy - a reaction without an IAM before it is not lost', (t) => {
  const [event] = events('ADT^A60', 'PV1|1|N', 'IAR|HIVES^Hives^L|MI');
  t.match(event?.allergies, [{ reactionDetails: [{ code: { text: 'Hives' } }] }]);
  t.end();
});

t.test('allergy - where only the group is named it is the group that is not tolerated [IAM-10]', (t) => {
  const group = [
    'IAM|1|DA^Drug||SV|RASH|U||was entered twice||PCN^Penicillins^L||since childhood||Kin^Ann|MTH^Mother',
  ];
  t.match(events('ADT^A60', ...group)[0]?.allergies, [
    {
      code: undefined,
      group: { text: 'Penicillins', codings: [{ code: 'PCN' }] },
      actionReason: 'was entered twice',
      onsetText: 'since childhood',
      reportedBy: { family: 'Kin', given: ['Ann'] },
      reporterRelationship: { codings: [{ code: 'MTH' }] },
    },
  ]);
  const [alone] = only('AllergyIntolerance', resources('ADT^A60', ...group));
  t.match(alone, {
    code: { coding: [{ code: 'PCN' }] },
    onsetString: 'since childhood',
    asserter: { display: 'Ann Kin' },
  });
  t.notOk(alone?.note);
  const both = 'IAM|1|DA|AMX^Amoxicillin^L||||||AL|PCN^Penicillins^L|2001|as a child';
  t.match(only('AllergyIntolerance', resources('ADT^A60', both)), [
    {
      code: { coding: [{ code: 'AMX' }] },
      onsetDateTime: '2001',
      note: [{ text: 'Group: Penicillins' }, { text: 'as a child' }],
    },
  ]);
  t.end();
});
