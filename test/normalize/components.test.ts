/** Every component of the data types that name people, places, numbers and codes arrives. */
import t from 'tap';
import { events } from './told.ts';

t.test('xad - a bad or a temporary address, its purpose, to whom, and who may see it', (t) => {
  const [event] = events(
    'ADT^A08',
    'NK1|1|DOE^JO||WEG 1^^BERLIN^^^^H^^^T12^^^^^M^Y^Y^M^Ward 3^ring twice^1^UL^AD1&HOSP',
  );
  t.match(event?.relatedPersons[0]?.addresses, [
    {
      censusTract: 'T12',
      expirationReason: { codings: [{ code: 'M' }] },
      temporary: true,
      bad: true,
      purpose: 'M',
      addressee: 'Ward 3',
      comment: 'ring twice',
      preference: '1',
      protection: { codings: [{ code: 'UL' }] },
      identifier: { value: 'AD1', assigner: 'HOSP' },
    },
  ]);
  t.end();
});

t.test('xtn - what is said of a number, who may know it, and how it is dialled in the house', (t) => {
  const [event] = events('ADT^A08', 'NK1|1|DOE^JO|||030 1^PRN^PH^^^^^^after six^9^*7^^^^D^UL^S1&HOSP^2');
  t.match(event?.relatedPersons[0]?.telecoms, [
    {
      value: '030 1',
      comment: 'after six',
      extensionPrefix: '9',
      speedDial: '*7',
      expirationReason: { codings: [{ code: 'D' }] },
      protection: { codings: [{ code: 'UL' }] },
      shared: { value: 'S1' },
      preference: '2',
    },
  ]);
  t.end();
});

t.test('cx and xcn - scheme of the check digit, jurisdiction and agency beside an authority', (t) => {
  const [event] = events(
    'ADT^A01',
    'PV1|1|I|||||77^WEISS^EVA^^^^^^H^L^5^M10^DN^^A^^^F^20200101^20251231^RN^BE&Berlin^AGY||||||||||||7^3^M11^H^VN^^^^BE^AGY',
  );
  const [person] = event?.encounter?.participants ?? [];
  t.match(person?.person, {
    identifiers: [
      {
        value: '77',
        checkDigit: '5',
        checkDigitScheme: 'M10',
        jurisdiction: { text: 'Berlin' },
        agency: { codings: [{ code: 'AGY' }] },
      },
    ],
    name: { representation: 'A', assemblyOrder: 'F', start: '2020-01-01', end: '2025-12-31', suffix: ['RN'] },
  });
  t.match(event?.encounter?.identifiers, [
    { checkDigit: '3', checkDigitScheme: 'M11', jurisdiction: { codings: [{ code: 'BE' }] } },
  ]);
  t.end();
});

t.test('xcn - without an authority the table of the number says whose it is', (t) => {
  const [event] = events('ADT^A01', 'PV1|1|I|||||77^WEISS^EVA^^^^^DOCTABLE');
  t.match(event?.encounter?.participants[0]?.person?.identifiers, [
    { value: '77', assigner: 'DOCTABLE', system: 'urn:hilum:lab:DOCTABLE' },
  ]);
  t.end();
});

t.test('cwe - the set that a code is of, of each of its codings', (t) => {
  const [event] = events(
    'ORU^R01',
    'OBR|1|1|F|A^A^L',
    `OBX|1|CWE|A^A^L||a^one^L^b^two^M^1^2^said^c^three^N^3^^1.1^20200101^^1.2^20210101^^1.3^20220101||||||F`,
  );
  t.match(event?.observations[0]?.valueCode?.codings, [
    { code: 'a', valueSet: '1.1', valueSetVersion: '20200101' },
    { code: 'b', valueSet: '1.2', valueSetVersion: '20210101' },
    { code: 'c', valueSet: '1.3', valueSetVersion: '20220101' },
  ]);
  t.end();
});

t.test('xon - kind of name, both numbers and the facility; ndl - where the person works', (t) => {
  const pd1 = 'PD1|||PRAXIS^L^111^4^M10^AUTH^NPI^FAC^^A222';
  const [event] = events('ADT^A08', pd1);
  t.match(event?.patient?.primaryCareOrganizations, [
    {
      name: 'PRAXIS',
      nameType: { codings: [{ code: 'L' }] },
      identifiers: [
        { value: 'A222', type: 'NPI', facility: 'FAC', checkDigit: '4', checkDigitScheme: 'M10' },
        { value: '111' },
      ],
    },
  ]);
  const [report] = events(
    'ORU^R01',
    `OBR|1|1|F|A^A^L${'|'.repeat(28)}9&WEISS&EVA^20260101^^RAD^R1^B2^HOSP`,
    'OBX|1|NM|A||1||||||F',
  );
  t.match(report?.order?.participants, [
    {
      person: { name: { family: 'WEISS' } },
      location: { pointOfCare: 'RAD', room: 'R1', bed: 'B2', facility: 'HOSP' },
    },
  ]);
  t.end();
});
