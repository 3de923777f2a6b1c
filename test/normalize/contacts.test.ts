/** Contacts: who they are and where they work, since when, and for what a number is. */
import t from 'tap';
import { seg } from './samples.ts';
import { events, only, resources } from './told.ts';

t.test('contacts - where a contact works is no name of theirs [HL7 3.4.5.13]', (t) => {
  const said = [
    'NK1|1|DOE^OLD|SPO||||||||||ACME CORP^L^77',
    'NK1|2||EMP||||||||||ACME CORP|||||||||||||||||SMITH^CONTACT',
  ];
  const [event] = events('ADT^A31', ...said);
  t.match(event?.relatedPersons, [
    { names: [{ family: 'DOE' }], employers: [{ name: 'ACME CORP', identifiers: [{ value: '77' }] }] },
    { names: [{ text: 'ACME CORP' }, { family: 'SMITH' }], employers: [] },
  ]);
  t.same(
    event?.relatedPersons.map(({ names }) => names.length),
    [1, 2],
  );
  t.match(only('RelatedPerson', resources('ADT^A31', ...said)), [
    { name: [{ family: 'DOE' }] },
    { name: [{ text: 'ACME CORP' }, { family: 'SMITH' }] },
  ]);
  t.end();
});

t.test('contacts - who ordered is to be written to at ORC-24 [HL7 4.5.1.24]', (t) => {
  const orc = (orderers: string, at: string) => `ORC|RE|O1|F1|||||||||${orderers}||||||||||||${at}`;
  const doctor = '1234^Admit^Alan';
  const [here, there] = ['4444 Healthcare Dr^Ste 1^Ann Arbor^MI^48103^USA^B', '1 Main^^Town'];
  const told = [{ line: ['4444 Healthcare Dr', 'Ste 1'], city: 'Ann Arbor', postalCode: '48103', use: 'B' }];
  const obr = `OBR|1|O1|F1|K^K^L${'|'.repeat(12)}${doctor}|||||||||F`;
  const ordering = (...segments: string[]) =>
    events('ORU^R01', ...segments)[0]?.order?.participants.map(({ role, person, addresses }) => ({
      role,
      id: person?.identifiers[0]?.value,
      addresses,
    }));
  t.match(ordering(orc(doctor, here), obr), [
    { role: 'ordering', id: '1234', addresses: told },
    { role: 'ordering', id: '1234', addresses: [] },
  ]);
  t.match(ordering(orc(doctor, `${here}~${there}`), obr)?.[0]?.addresses, [...told, { city: 'Town' }]);
  // Of several nobody knows whose it is; where nobody is named, it is all that is known.
  t.match(ordering(orc(`${doctor}~9^Other`, here)), [
    { id: '1234', addresses: [] },
    { id: '9', addresses: [] },
    { role: 'ordering', id: undefined, addresses: told },
  ]);
  t.match(ordering(orc('', here), obr), [
    { role: 'ordering', id: undefined, addresses: told },
    { id: '1234', addresses: [] },
  ]);
  const [after] = events('OUL^R22', 'SPM|1', obr, orc(doctor, here));
  t.match(after?.order?.participants, [{ addresses: [] }, { role: 'ordering', addresses: told }]);
  t.same(ordering(orc(doctor, ''), obr)?.[0]?.addresses, []);
  const all = resources('ORU^R01', orc(doctor, here), obr);
  const practitioners = only('Practitioner', all);
  const [request] = only('ServiceRequest', all) as { requester?: { reference: string } }[];
  const requester = practitioners.find(({ id }) => request?.requester?.reference === `urn:uuid:${id}`);
  t.match(requester, { address: [{ line: ['4444 Healthcare Dr', 'Ste 1'], city: 'Ann Arbor' }] });
  t.match(only('ServiceRequest', resources('ORU^R01', orc('', here), obr)), [
    { requester: { display: 'Alan Admit' } },
  ]);
  t.end();
});

t.test(
  'contacts - beside a relative whoever is to be contacted is somebody else [NK1-30 to NK1-32]',
  async (t) => {
    const nk1 = seg('NK1', {
      1: '1',
      2: 'DOE^OLD',
      4: '1 St',
      5: '111',
      30: 'SMITH^CON',
      31: '^PRN^PH^^^^222',
      32: '2 St',
      40: '333',
    });
    t.match(events('ADT^A08', 'PV1|1|I', nk1)[0]?.relatedPersons, [
      {
        names: [{ family: 'DOE' }],
        addresses: [{ line: ['1 St'] }],
        telecoms: [{ value: '111' }, { value: '333' }],
        contact: {
          role: 'contact',
          person: { name: { family: 'SMITH' } },
          telecoms: [{ value: '222' }],
          addresses: [{ line: ['2 St'] }],
        },
      },
    ]);
    const [kin] = only('RelatedPerson', resources('ADT^A08', 'PV1|1|I', nk1));
    t.equal((kin?.name as unknown[] | undefined)?.length, 1);
  },
);

t.test('contacts - a relative and a diagnosis that are protected say so [NK1-23, DG1-18]', async (t) => {
  const said = (flag: string) => [
    'PV1|1|I',
    seg('NK1', { 1: '1', 2: 'DOE^OLD', 23: flag }),
    seg('DG1', { 1: '1', 3: 'B20^HIV^I10', 18: flag }),
  ];
  const [event] = events('ADT^A08', ...said('Y'));
  t.match(event, { relatedPersons: [{ flags: ['NK1-23=Y'] }], conditions: [{ confidential: 'Y' }] });
  const label = { security: [{ code: 'R' }] };
  for (const type of ['RelatedPerson', 'Condition']) {
    t.match(only(type, resources('ADT^A08', ...said('Y'))), [{ meta: label }], type);
    t.notMatch(only(type, resources('ADT^A08', ...said('N'))), [{ meta: label }], type);
  }
});

t.test(
  'people - one number with names in two scripts is one person [XCN-15, table 0465; Japan]',
  async (t) => {
    const [ideographic, phonetic] = ['10^医師^一郎^^^^^^^L^^^^^I', '10^イシ^イチロウ^^^^^^^L^^^^^P'];
    const attending = (...people: string[]) => {
      const [event] = events('ADT^A01', `PV1|1|I|||||${people.join('~')}`, `PD1||||${people.join('~')}`);
      t.equal(event?.patient?.generalPractitioners.length, event?.encounter?.participants.length);
      return event?.encounter?.participants.map(({ person }) =>
        [person?.name, ...(person?.furtherNames ?? [])].map((one) => `${one?.family} ${one?.representation}`),
      );
    };
    t.same(attending(ideographic, phonetic), [['医師 I', 'イシ P']]);
    t.same(attending(ideographic, ideographic), [['医師 I'], ['医師 I']], 'what was sent twice stays');
    t.same(attending(ideographic, phonetic.replace('10', '11')), [['医師 I'], ['イシ P']]);
    t.same(attending(ideographic.replace('10', ''), phonetic.replace('10', '')), [['医師 I'], ['イシ P']]);
    t.same(
      attending(ideographic, '10^Ishi^Ichiro'),
      [['医師 I'], ['Ishi ']],
      'nothing says that it is another script',
    );
    const all = resources('ADT^A01', `PV1|1|I|||||${ideographic}~${phonetic}`);
    const ide = 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation';
    t.match(only('Practitioner', all), [
      {
        name: [
          { family: '医師', extension: [{ url: ide, valueCode: 'IDE' }] },
          { family: 'イシ', extension: [{ url: ide, valueCode: 'SYL' }] },
        ],
      },
    ]);
    t.equal(only('Practitioner', all).length, 1);
    t.match(only('Encounter', all), [{ participant: { length: 1 } }]);
  },
);

t.test('contacts - a guarantor may be an organization, whose name stands in GT1-21 [HL7 6.5.5.21]', (t) => {
  const firm = seg('GT1', { 1: '1', 21: 'ACME CORP^L^77' });
  const [event] = events('ADT^A31', firm);
  t.match(event?.relatedPersons, [{ contactRole: { text: 'guarantor' }, names: [{ text: 'ACME CORP' }] }]);
  t.end();
});
