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
