/** What was allowed of a referral, and why it was made [HL7 11.8]. */
import t from 'tap';
import { seg } from './samples.ts';
import { events, only, resources } from './told.ts';

t.test('referral - what an insurer allowed has its number, its dates and how many treatments [AUT]', (t) => {
  const said = [
    'RF1|A|||||R1^GP',
    seg('AUT', {
      1: 'PPO^Plan^L',
      2: 'INS1^Aetna Inc^L',
      3: 'Aetna',
      4: '20261126',
      5: '20270101',
      6: 'AUTH9^INS',
      7: '500&USD',
      8: '3',
      9: '1',
      10: '20261125',
      14: 'APP^Approved^L',
      17: 'second opinion',
    }),
    'PRD|RP|GP^G',
  ];
  t.match(events('REF^I12', ...said)[0]?.referral, {
    authorizations: [
      {
        plan: { text: 'Plan' },
        company: { codings: [{ code: 'INS1' }] },
        companyName: 'Aetna',
        start: { value: '2026-11-26' },
        end: { value: '2027-01-01' },
        identifier: { value: 'AUTH9', assigner: 'INS' },
        limit: '500 USD',
        requestedTreatments: '3',
        authorizedTreatments: '1',
        processed: { value: '2026-11-25' },
        status: { codings: [{ code: 'APP' }] },
        reasonText: 'second opinion',
      },
    ],
    participants: [{ role: 'RP' }],
  });
  t.match(only('ServiceRequest', resources('REF^I12', ...said)), [
    { insurance: [{ type: 'ClaimResponse', identifier: { value: 'AUTH9' } }] },
  ]);
  t.end();
});

t.test('referral - why, in words, and how many visits are left [RF1-13 to RF1-17]', (t) => {
  const rf1 = seg('RF1', {
    1: 'P',
    6: 'R1^GP',
    10: 'R07.9^Chest pain^I10',
    13: '20261231',
    14: 'Severe exertional chest pain',
    15: '6^visits',
    16: '2',
    17: '4^V&visit',
  });
  t.match(events('REF^I12', rf1)[0]?.referral, {
    plannedEnd: { value: '2026-12-31' },
    reasonText: 'Severe exertional chest pain',
    authorizedTreatments: '6 visits',
    usedTreatments: '2',
    remainingTreatments: '4 visit',
  });
  t.match(only('ServiceRequest', resources('REF^I12', rf1)), [
    { reasonCode: [{ coding: [{ code: 'R07.9' }] }, { text: 'Severe exertional chest pain' }] },
  ]);
  t.end();
});

t.test('referral - one with two roles is in each, and everything that the other shall do is told', (t) => {
  const said = [
    'RF1|A|||SO^Second opinion^HL70282~AM^Assume management^HL70282||R1^GP',
    'PRD|RP^Referring^HL70286~PP^Primary care^HL70286|GP^G|1 St',
    'PRD|RT^Referred to^HL70286|CARD^C',
  ];
  const [event] = events('REF^I12', ...said);
  t.match(event?.referral, {
    disposition: { codings: [{ code: 'SO' }] },
    furtherDispositions: [{ codings: [{ code: 'AM' }] }],
  });
  t.match(event?.referral?.participants, [
    { role: 'Referring', person: { name: { family: 'GP' } } },
    { role: 'Primary care', roleCode: { codings: [{ code: 'PP' }] }, addresses: [{ line: ['1 St'] }] },
    { role: 'Referred to' },
  ]);
  t.equal(event?.referral?.participants.length, 3);
  t.match(only('ServiceRequest', resources('REF^I12', ...said)), [
    {
      requester: { display: 'G GP' },
      performer: [{ display: 'C CARD' }],
      note: [{ text: 'Second opinion' }, { text: 'Assume management' }],
    },
  ]);
  const [order] = events('ORU^R01', 'OBR|1|P1|F1|A^A^L', 'CTD|BC^Billing~TC^Technical|SMITH^BOB');
  t.same(
    order?.order?.participants.map(({ role }) => role),
    ['Billing', 'Technical'],
  );
  t.end();
});

t.test(
  'referral - two licences with one number are two, each with who issued it and its end [HL7 2.A.52]',
  (t) => {
    const licences = '12345^SL^CA^20271231~12345^SL^NY~77^NPI';
    for (const name of ['PRD|RP|GP^G|||||', 'CTD|PR|GP^G|||||']) {
      const [event] = events('REF^I12', 'RF1|A|||||R1^GP', `${name}${licences}`);
      t.match(event?.referral?.participants[0]?.person?.identifiers, [
        { value: '12345', type: 'SL', system: 'urn:hilum:lab:CA', assigner: 'CA', end: '2027-12-31' },
        { value: '12345', type: 'SL', system: 'urn:hilum:lab:NY', assigner: 'NY', end: '' },
        { value: '77', type: 'NPI', system: 'urn:hilum:lab', assigner: '', end: '' },
      ]);
    }
    const said = ['RF1|A|||||R1^GP', `PRD|RP|GP^G|||||${licences}`];
    t.match(only('Practitioner', resources('REF^I12', ...said))[0]?.identifier, [
      { value: '12345', system: 'urn:hilum:lab:CA', period: { end: '2027-12-31' } },
      { value: '12345', system: 'urn:hilum:lab:NY' },
      { value: '77' },
    ]);
    t.end();
  },
);
