/** What a specimen is, from where, and when it came: SPM, SAC and OBR say different things of it. */
import t from 'tap';
import { events, only, resources } from './told.ts';

const spm = (more = '|L^Left^L') =>
  `SPM|1|S1&C||TISS^Tissue^L|FRZ^Frozen^L|||BR^Breast^L${more}||||||REF^Refrigerate^L||20261123080000|20261123083000`;

t.test('specimens - a container that is registered was not received then', async (t) => {
  const message = ['ORC|NW|O1', 'OBR|1|O1||A^A^L', spm(), 'SAC|||C1^C||||20261123101500'];
  const at = (time: string) => ({ value: `2026-11-23T${time}:00+01:00` });
  t.match(events('OML^O21', ...message)[0]?.order?.specimen, {
    received: at('08:30'),
    registered: at('10:15'),
  });
  t.match(only('Specimen', resources('OML^O21', ...message)), [{ receivedTime: /T08:30/ }]);
  const alone = events('OML^O21', 'ORC|NW|O1', 'OBR|1|O1||A^A^L', 'SAC|||C1^C||||20261123101500');
  t.match(alone[0]?.order?.specimen, { received: undefined, registered: at('10:15') });
});

t.test('specimens - which side, of what kind, and how to handle it', async (t) => {
  const message = ['ORC|NW|O1', 'OBR|1|O1||A^A^L', spm()];
  t.match(events('OML^O21', ...message)[0]?.order?.specimen, {
    typeModifiers: [{ text: 'Frozen' }],
    siteModifiers: [{ text: 'Left' }],
    handling: [{ text: 'Refrigerate' }],
  });
  t.match(only('Specimen', resources('OML^O21', ...message)), [
    {
      type: { text: 'Tissue, Frozen' },
      collection: { bodySite: { text: 'Breast, Left', coding: [{ code: 'BR' }] } },
      note: [{ text: 'Refrigerate' }],
    },
  ]);
  const source = 'KNEE&Knee&L^^text^KN&Knee&L^R&Right&L';
  const old = ['ORC|NW|O1', `OBR|1|O1||A^A^L${'|'.repeat(11)}${source}`];
  t.match(events('ORM^O01', ...old)[0]?.order?.specimen?.siteModifiers, [{ text: 'Right' }]);
  t.match(only('Specimen', resources('ORM^O01', ...old)), [
    { collection: { bodySite: { text: 'Knee, Right' } } },
  ]);
  const both = events('OML^O21', ...old, spm('|R^Right^L'))[0]?.order?.specimen?.siteModifiers;
  t.equal(both?.length, 1, 'said twice, it is one');
});

t.test(
  'specimens - which side of the procedure, what the collector said, what to do with the result',
  async (t) => {
    const obr = `OBR|1|O1||BX^Biopsy^L${'|'.repeat(35)}HARD^Hard stick^L|||||19^Biopsy^C4|LT^Left side^C4||||CC^Call^L|PAN^Panel^L`;
    t.match(events('OML^O21', 'ORC|NW|O1', obr)[0]?.order, {
      collectorComments: [{ text: 'Hard stick' }],
      procedureModifiers: [{ text: 'Left side' }],
      resultHandling: { text: 'Call' },
      parentService: { text: 'Panel' },
    });
    t.match(only('ServiceRequest', resources('OML^O21', 'ORC|NW|O1', obr)), [
      { orderDetail: [{ text: 'Left side' }], note: [{ text: 'Hard stick' }] },
    ]);
  },
);

t.test('specimens - on which side a drug is given', async (t) => {
  const rxr =
    'RXR|IV^Intravenous^HL70162|LFA^Forearm^HL70163|IVP^IV pump^HL70164|IVP^Push^HL70165|RI^Crush^L|L^Left^HL70495';
  const message = ['ORC|NW|O1', 'RXE||A^A^L|1||mg', rxr];
  t.match(events('RDE^O11', ...message)[0]?.medication, {
    devices: [{ text: 'IV pump' }],
    routing: [{ text: 'Crush' }],
    siteModifiers: [{ text: 'Left' }],
  });
  t.match(only('MedicationRequest', resources('RDE^O11', ...message)), [
    { dosageInstruction: [{ site: { text: 'Forearm, Left' }, additionalInstruction: [{ text: 'Crush' }] }] },
  ]);
});

t.test('specimens - whether it is still there, and whether it fits what was asked for', async (t) => {
  const said = (there: string, reject = '') =>
    `SPM|1|S1&C||SER^Serum^L${'|'.repeat(16)}${there}|${reject}||I^Inappropriate^HL70492`;
  const message = (...rest: [string, string?]) => ['ORC|NW|O1', 'OBR|1|O1||A^A^L', said(...rest)];
  t.match(events('OML^O21', ...message('N'))[0]?.order?.specimen, {
    availability: 'N',
    appropriateness: { text: 'Inappropriate', codings: [{ code: 'I' }] },
  });
  for (const [there, reject, status] of [
    ['N', '', 'unavailable'],
    ['y', '', 'available'],
    ['', '', undefined],
    ['X', '', undefined],
    ['Y', 'RB^Broken^HL70490', 'unsatisfactory'],
  ] as const) {
    const [specimen] = only('Specimen', resources('OML^O21', ...message(there, reject)));
    t.equal(specimen?.status, status, `${there} ${reject}`);
    t.match(specimen?.condition, [...(reject === '' ? [] : [{ text: 'Broken' }]), { text: 'Inappropriate' }]);
  }
});
