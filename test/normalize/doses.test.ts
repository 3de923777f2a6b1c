/** Whether a dose was given: RXA-18, RXA-20, RXA-21 and the order control, of drugs and vaccines alike. */
import t from 'tap';
import { events, only, remarksOf, resources } from './told.ts';

const vaccine = (code: string, reason: string, completion: string, action = 'A') =>
  `RXA|0|1|20261123||${code}|999||||||||||||${reason}||${completion}|${action}`;
const drug = (reason: string, completion: string, action = 'A') =>
  `RXA|0|1|20261123090000||ASA^Aspirin^L|100|mg|||||||||||${reason}||${completion}|${action}`;
const mmr = '03^MMR^CVX';
const none = '998^No vaccine administered^CVX';
const refused = '00^Parental refusal^NIP002';

t.test('doses - a vaccination that was refused or not done is none, in the event and in FHIR', async (t) => {
  const wanted: [
    code: string,
    reason: string,
    completion: string,
    status: string,
    fhir: string | undefined,
  ][] = [
    [mmr, '', '', 'completed', 'completed'],
    [mmr, '', 'cp', 'completed', 'completed'],
    [mmr, '', 'PA', 'partial', 'completed'],
    [mmr, refused, '', 'rejected', 'not-done'],
    [mmr, refused, 're', 'rejected', 'not-done'],
    [mmr, refused, 'NA', 'cancelled', 'not-done'],
    [mmr, refused, 'CP', 'unknown', undefined],
    [mmr, '', 'ZZ', 'unknown', undefined],
    [none, '', '', 'cancelled', 'not-done'],
    [none, '', 'CP', 'cancelled', 'not-done'],
    [none, refused, 'RE', 'rejected', 'not-done'],
  ];
  for (const [code, reason, completion, status, fhir] of wanted) {
    const message = ['ORC|RE||I1^H', vaccine(code, reason, completion)];
    const what = `${code} ${reason} ${completion}`;
    t.equal(events('VXU^V04', ...message)[0]?.status, status, what);
    t.equal(only('Immunization', resources('VXU^V04', ...message))[0]?.status, fhir, what);
  }
  t.match(
    only('Basic', resources('VXU^V04', vaccine(mmr, '', 'ZZ'))),
    [{ code: { text: 'Immunization of unknown status: MMR' } }],
    'FHIR has no such status',
  );
});

t.test('doses - a vaccination that RXA leaves open is where its order stands', async (t) => {
  const wanted: [orc: string, status: string, fhir: string | undefined][] = [
    ['ORC|RE||I1^H', 'completed', 'completed'],
    ['ORC|RE||I1^H||CM', 'completed', 'completed'],
    ['ORC|NW||I1^H||SC', 'accepted', undefined],
    ['ORC|SC||I1^H||CA', 'cancelled', 'not-done'],
    ['ORC|OK||I1^H||DC', 'cancelled', 'not-done'],
    ['ORC|CA||I1^H', 'cancelled', 'not-done'],
  ];
  for (const [orc, status, fhir] of wanted) {
    const message = [orc, vaccine(mmr, '', '')];
    t.equal(events('VXU^V04', ...message)[0]?.status, status, orc);
    t.equal(only('Immunization', resources('VXU^V04', ...message))[0]?.status, fhir, orc);
  }
  t.equal(
    events('VXU^V04', 'ORC|OK||I1^H||CA', vaccine(mmr, '', 'CP'))[0]?.status,
    'completed',
    'RXA-20 says it',
  );
});

t.test('doses - a drug that was refused or not given was not', async (t) => {
  const wanted: [reason: string, completion: string, status: string, fhir: string][] = [
    ['', '', 'completed', 'completed'],
    ['REF^Patient refused^L', '', 'rejected', 'not-done'],
    ['HOLD^BP low^L', 'Not Given', 'cancelled', 'not-done'],
    ['VOM^Vomited^L', 'PA', 'partial', 'stopped'],
    ['', 'Given', 'completed', 'completed'],
    ['', 'NG', 'unknown', 'unknown'],
  ];
  for (const [reason, completion, status, fhir] of wanted) {
    const message = ['ORC|RE|O1^C|F1^P', drug(reason, completion)];
    t.equal(events('RAS^O17', ...message)[0]?.status, status, `${reason} ${completion}`);
    t.equal(only('MedicationAdministration', resources('RAS^O17', ...message))[0]?.status, fhir);
  }
});

t.test('doses - of what was given in part nobody reads that all of it was', async (t) => {
  const rxa = (end: string, per: string, completion = 'PA') =>
    `RXA|0|1|20261123090000|${end}|VAN^Vancomycin^L|650|mg|||||${per}||||||||${completion}|A`;
  const told = (...message: string[]) =>
    only('MedicationAdministration', resources('RAS^O17', ...message))[0];
  const note = [{ text: 'Partially administered' }];
  t.match(told('ORC|RE|O1^C', rxa('20261123101500', '')), { status: 'stopped', note });
  t.match(told('ORC|RE|O1^C', rxa('20261123101500', 'H1')), { status: 'stopped', note });
  t.match(
    told('ORC|RE|O1^C', rxa('', '')),
    { status: 'stopped', note },
    'it ended when it was given [RXA-4]',
  );
  t.match(
    told('ORC|RE|O1^C', rxa('', 'H1')),
    { status: 'in-progress', note },
    'so much an hour, and no end yet',
  );
  t.match(told('ORC|RE|O1^C', rxa('20261123101500', '', 'CP')), { status: 'completed', note: undefined });
  // Some results of the order are there, which says nothing of the dose.
  t.match(told('ORC|RE|O1^C|||A', rxa('20261123101500', '', '')), { status: 'completed', note: undefined });
});

t.test('doses - a code that is none of the tables is told of', async (t) => {
  t.match(remarksOf(events('RAS^O17', 'ORC|RE|O1^C', drug('', 'NG'))), [/^RXA-20: not a code of table 0322/]);
  t.match(remarksOf(events('RAS^O17', 'ORC|RE|O1^C', drug('R^Refused', 'CP'))), [/^RXA-18: /]);
  const [event] = events('VXU^V04', vaccine(mmr, '', 'CP', 'Q'));
  t.match(event, { status: 'unknown', provenance: { remarks: [/^RXA-21: not a code of table 0206/] } });
  t.same(remarksOf(events('VXU^V04', vaccine(mmr, '', 'CP', 'X'))), []);
});

t.test('doses - a record that is withdrawn, in either case, and an order that is cancelled', async (t) => {
  for (const action of ['D', 'd']) {
    t.equal(events('VXU^V04', vaccine(mmr, '', 'CP', action))[0]?.status, 'entered-in-error');
    t.equal(events('RAS^O17', drug('', 'CP', action))[0]?.status, 'entered-in-error');
  }
  t.equal(events('VXU^V04', 'ORC|CA||I4^H', vaccine(mmr, '', ''))[0]?.status, 'cancelled');
  t.match(only('Immunization', resources('VXU^V04', 'ORC|CA||I4^H', vaccine(mmr, '', ''))), [
    { status: 'not-done' },
  ]);
  t.equal(events('RAS^O17', 'ORC|CA||I4^H', drug('', ''))[0]?.status, 'cancelled');
});

t.test('doses - a vaccination message without a vaccination says of none that it was given', async (t) => {
  t.match(events('VXU^V04', 'PD1|||||||||||02^Reminder^HL70215'), [{ status: 'unknown' }]);
  t.match(events('VXU^V04', 'ORC|RE||I1^H'), [{ status: 'unknown' }]);
  t.match(events('VXU^V04', 'ORC|CA||I1^H'), [{ status: 'cancelled' }]);
});

t.test('doses - 9999 is no number of what was not given, as the CDC guide has it [ORC-3]', async (t) => {
  const numbers = (orc: string, ...rxa: Parameters<typeof vaccine>) => {
    const message = [orc, vaccine(...rxa)];
    const [event] = events('VXU^V04', ...message);
    const [fhir] = only('Immunization', resources('VXU^V04', ...message));
    const told = (fhir?.identifier as { value: string }[] | undefined)?.map(({ value }) => value);
    return [event?.immunization?.identifier?.value, event?.order?.filler?.value, told];
  };
  const orc = 'ORC|RE||9999^DCS^1.2^ISO';
  const nobody = [undefined, undefined, undefined];
  t.same(numbers(orc, mmr, refused, 'RE'), nobody, 'refused');
  t.same(numbers(orc, mmr, refused, ''), nobody, 'refused, by its reason');
  t.same(numbers(orc, mmr, '', 'NA'), nobody, 'contraindicated');
  t.same(numbers(orc, none, '', ''), nobody, 'had the disease');
  t.same(numbers(orc, mmr, refused, 'RE', 'D'), nobody, 'the record of it is withdrawn');
  t.same(numbers('ORC|RE|P1^H|9999^DCS', mmr, '', 'NA'), ['P1', undefined, ['P1']]);
  const known = (value: string) => [value, value, [value]];
  t.same(numbers(orc, mmr, '', 'CP'), known('9999'), 'of a dose it is one');
  t.same(numbers('ORC|RE||99991^DCS', mmr, '', 'NA'), known('99991'));
});

t.test('doses - of several of one order each has what was encoded, its notes and its route', async (t) => {
  const dose = (number: number, hour: string) =>
    `RXA|0|${number}|20260301${hour}0000||1^Morphine^L|5|mg|||||||||||||CP`;
  const encoded = ['ORC|RE|P1|F1', 'RXE|1^Q8H|1^Morphine^L|5||mg', 'RXR|PO', 'NTE|1||give slowly'];
  const told = (...message: string[]) =>
    events('RAS^O17', ...message).map(({ medication, furtherMedications, notes }) => [
      medication?.administrationNumber,
      medication?.routes.map(({ codings }) => codings[0]?.code),
      furtherMedications.map(({ act, routes }) => [act, routes[0]?.codings[0]?.code]),
      notes.map(({ text }) => text),
    ]);
  const before = [[['encoded-order', 'PO']], ['give slowly']];
  t.same(
    told(...encoded, dose(1, '06'), dose(2, '14'), 'RXR|SC'),
    [
      ['1', ['SC'], ...before],
      ['2', ['SC'], ...before],
    ],
    'one RXR is of those before it [HL7 4A.3.14, RAS^O17 ADMINISTRATION]',
  );
  t.same(
    told(...encoded, dose(1, '06'), 'RXR|SC', dose(2, '14'), 'RXR|IM', 'RXR|IV', dose(3, '22')),
    [
      ['1', ['SC'], ...before],
      ['2', ['IM', 'IV'], ...before],
      ['3', [], ...before],
    ],
    'each with its own',
  );
  t.same(
    told(...encoded, dose(1, '06'), 'NTE|1||vomited', dose(2, '14')),
    [
      ['1', [], [['encoded-order', 'PO']], ['give slowly', 'vomited']],
      ['2', [], ...before],
    ],
    'what is noted behind one is of that one',
  );
  t.same(
    told(...encoded, dose(1, '06'), 'ORC|RE|P2|F2', dose(1, '14'), 'RXR|SC'),
    [
      ['1', [], ...before],
      ['1', ['SC'], [], []],
    ],
    'another order is another one',
  );
  const given = only(
    'MedicationAdministration',
    resources('RAS^O17', ...encoded, dose(1, '06'), dose(2, '14'), 'RXR|SC'),
  );
  t.match(
    given,
    [0, 1].map(() => ({ dosage: { route: { coding: [{ code: 'SC' }] } }, note: [{ text: 'give slowly' }] })),
  );
});
