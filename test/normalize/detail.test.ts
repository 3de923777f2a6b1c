/** What a message says beside its main fields, and what must not be read for something else. */
import t from 'tap';
import { eventOf as event, eventsOf as events } from './context.ts';
import { seg } from './samples.ts';

const pid = 'PID|1||7^^^H^MR';
const pv1 = 'PV1|1|I|W^1^2';

t.test('movement - a patient on leave is on leave, also where the return is called off', (t) => {
  t.equal(event('ADT^A21', pid, pv1).encounter?.status, 'onleave');
  t.equal(event('ADT^A53', pid, pv1).encounter?.status, 'onleave');
  t.equal(event('ADT^A22', pid, pv1).encounter?.status, 'in-progress');
  t.match(event('ADT^A21', pid, pv1, seg('PV2', { 47: '202603162000' })).encounter?.expectedReturn, {
    value: '2026-03-16T20:00:00+01:00',
    precision: 'minute',
  });
  t.end();
});

t.test('movement - the day of a discharge is no room [HL7 2.A.19]', (t) => {
  const to = (text: string) =>
    event('ADT^A03', pid, seg('PV1', { 2: 'I', 37: text })).encounter?.dischargedTo;
  t.match(to('NH^20260314'), { pointOfCare: 'NH', room: '' });
  t.match(to('NH^12^B'), { pointOfCare: 'NH', room: '12', bed: 'B' });
  t.end();
});

t.test('participants - what is done with an entry and since when [HL7 tables 0287, ROL, PRT]', (t) => {
  const { encounter } = event(
    'ADT^A54',
    pid,
    `${pv1}||||500^NEU`,
    'ROL|1|DE|AT|400^ALT|20260301|20260314',
    seg('PRT', { 1: '2', 2: 'AD', 4: 'CP', 5: '600^KON', 11: '20260314' }),
  );
  t.match(encounter?.participants, [
    { role: 'attending', action: '', period: undefined },
    {
      role: 'attending',
      action: 'DE',
      period: { start: { value: '2026-03-01' }, end: { value: '2026-03-14' } },
    },
    { role: 'consulting', action: 'AD', period: { start: { value: '2026-03-14' }, end: undefined } },
  ]);
  t.end();
});

t.test('patient - a name says its script, an address when it holds', (t) => {
  const said = seg('PID', {
    3: '7^^^H^MR',
    5: '山田^太郎^^^^^L^I~ヤマダ^タロウ^^^^^L^P',
    11: '1^^T^^^JP^M^^^^^^20200101^20251231~2^^T^^^JP^H^^^^^20190101&20191231',
  });
  const { patient } = event('ADT^A08', said);
  t.same(
    patient?.names.map(({ representation }) => representation),
    ['I', 'P'],
  );
  t.match(patient?.addresses, [
    { start: '2020-01-01', end: '2025-12-31' },
    { start: '2019-01-01', end: '2019-12-31' },
  ]);
  t.end();
});

t.test('allergy - says what the reaction is and when it was reported [HL7 table 0436]', (t) => {
  const { allergies } = event('ADT^A60', pid, seg('IAM', { 3: 'NUT^Nut^L', 9: 'IN', 13: '20260301' }));
  t.match(allergies, [{ sensitivity: { codings: [{ code: 'IN' }] }, reported: { value: '2026-03-01' } }]);
  t.end();
});

t.test('order numbers - an authority that only one segment names is no other order', (t) => {
  for (const lines of [
    ['ORC|RE|P1|F1', 'OBR|1|P1^EHR|F1^LAB|A^A^L'],
    ['OBR|1|P1^EHR|F1^LAB|A^A^L', 'ORC|SC|P1|F1||CM'],
  ]) {
    const { order } = event('OUL^R24', pid, ...lines, 'OBX|1|NM|A^A^L||1||||||F');
    t.match(order, { placer: { value: 'P1', assigner: 'EHR' }, filler: { value: 'F1', assigner: 'LAB' } });
    t.same(order?.parents, []);
  }
  const { order } = event('OUL^R24', pid, 'OBR|1|P0|F0|A^A^L', 'ORC|SC|P1|F1||CM');
  t.match(order, {
    placer: { value: 'P1' },
    filler: { value: 'F1' },
    parents: [{ value: 'P0' }, { value: 'F0' }],
  });
  t.end();
});

t.test('order - of several timings the first says the priority', (t) => {
  const dose = (set: number, priority: string) => seg('TQ1', { 1: String(set), 3: 'Q6H', 9: priority });
  const orders = events(
    'OML^O21',
    pid,
    'ORC|NW|1',
    dose(1, 'S'),
    dose(2, 'R'),
    'OBR|1|1||A^B^L',
    'ORC|NW|2',
    dose(1, 'R'),
    'OBR|2|2||A^B^L',
  );
  t.match(orders, [
    { order: { priority: 'S', timing: [{ priority: 'S' }, { priority: 'R' }] } },
    { order: { priority: 'R' } },
  ]);
  t.end();
});

t.test('order numbers - a repetition of the filler’s number is another number of the same order', (t) => {
  const numbers = 'A15^HNA_ACCN~C15^HNA_ACCNID';
  const { order } = event(
    'ORU^R01',
    pid,
    `ORC|RE|1^X|${numbers}`,
    `OBR|1|1^X|${numbers}|A^B^L`,
    'OBX|1|NM|A^B^L||1||||||F',
  );
  t.match(order, { filler: { value: 'A15' }, alternates: [{ value: 'C15', type: 'FILL' }], parents: [] });
  t.equal(order?.alternates.length, 1);
  t.end();
});

t.test('order numbers - where one of the repetitions is the order’s own, the others are alternates', (t) => {
  const obr = 'OBR|1|1001^HNAM|A1^HNA_ACCN~2001^HNAM_CEREF~3001^HNA_ACCNID|BMP^Panel^L';
  const orc = 'ORC|RE|1001^HNAM|2001^HNAM_CEREF';
  for (const [type, ...segments] of [
    ['ORU^R01', orc, obr],
    ['OUL^R24', obr, orc],
  ] as const) {
    const { order } = event(type, pid, ...segments, 'OBX|1|NM|A^B^L||1||||||F');
    t.match(order?.filler, { value: '2001', assigner: 'HNAM_CEREF' });
    t.same(
      order?.alternates.map(({ value, type }) => [value, type]).sort(),
      [
        ['3001', 'FILL'],
        ['A1', 'FILL'],
      ],
      type,
    );
    t.same(order?.parents, []);
  }
  // A different number is still one that the order hangs from.
  t.match(event('ORU^R01', pid, orc, 'OBR|1|1001^HNAM|A1^X|A^B^L', 'OBX|1|NM|A^B^L||1||||||F').order, {
    filler: { value: '2001' },
    parents: [{ value: 'A1' }],
  });
  t.end();
});

t.test('micro - a susceptibility names the organism of its parent [HL7 2.A.56]', (t) => {
  const { order } = event(
    'ORU^R01',
    pid,
    'ORC|RE|P9|F9-1|||||P9&EHR^F9&LAB',
    seg('OBR', {
      1: '2',
      2: 'P9',
      3: 'F9-1',
      4: 'S^S^L',
      26: '600-7&Bacteria&LN^1^E. coli',
      29: 'P9&EHR^F9&LAB',
    }),
    'OBX|1|ST|A^A^L||R||||||F',
  );
  t.match(order?.parentObservation, {
    code: { codings: [{ system: 'http://loinc.org', code: '600-7' }] },
    subId: '1',
    text: 'E. coli',
  });
  t.equal(order?.parents.length, 2, 'ORC-8 and OBR-29 are said once');
  t.end();
});

t.test('specimen - OBR-14, OBR-15 and the first SPM are one', (t) => {
  const { order } = event(
    'ORU^R01',
    pid,
    seg('OBR', { 2: 'P1', 4: 'A^A^L', 14: '202603140800', 15: 'BLD^EDTA^^LA&left arm&L' }),
    'OBX|1|NM|A^A^L||1||||||F',
    'SPM|1|S1&EHR||BLD^Whole blood^HL70487',
    'SPM|2|S2&EHR||UR^Urine^HL70487',
  );
  t.match(order?.specimen, {
    identifiers: [{ value: 'S1' }],
    type: {
      text: 'Whole blood',
      codings: [
        { code: 'BLD', name: 'HL70487' },
        { code: 'BLD', name: '' },
      ],
    },
    additives: [{ codings: [{ code: 'EDTA' }] }],
    sourceSite: { text: 'left arm' },
    received: { value: '2026-03-14T08:00:00+01:00' },
  });
  t.match(order?.furtherSpecimens, [{ identifiers: [{ value: 'S2' }] }]);
  t.end();
});

t.test('specimen - says what is dangerous about it and how good it is [HL7 tables 0489, 0491]', (t) => {
  const spm = seg('SPM', { 1: '1', 4: 'BLD', 16: 'BIO^Biohazard^HL70489~INF', 22: 'P^Poor^HL70491' });
  const { order } = event('OML^O21', pid, 'ORC|NW|1', 'OBR|1|1||A^B^L', spm);
  t.match(order?.specimen, { risks: [{ text: 'Biohazard' }, {}], quality: { text: 'Poor' } });
  t.end();
});

t.test('problem - says how sure and how severe it is, and that it is taken out of the list', (t) => {
  const prb = seg('PRB', {
    1: 'AD',
    3: 'I10^Hypertension^I10',
    13: 'C^Confirmed^L',
    18: '2',
    26: 'S^Severe^L',
  });
  const added = event('PPR^PC1', pid, prb);
  t.match(added, { kind: 'problem', status: '' });
  t.match(added.conditions, [
    { verification: { text: 'Confirmed' }, severity: { text: 'Severe' }, priority: '2' },
  ]);
  t.equal(event('PPR^PC3', pid, prb).status, 'entered-in-error');
  t.equal(event('PGL^PC8', pid, 'GOL|DE|2026|G1').status, 'entered-in-error');
  t.end();
});

t.test('vaccination and administration - the place is RXA-27 where RXA-11 says none [HL7 4A.4.7]', (t) => {
  const rxa = (fields: Record<number, string>) =>
    seg('RXA', { 1: '0', 3: '20260313', 5: '20^DTaP^CVX', ...fields });
  const both = { 11: 'OLD^1', 27: '^^^CLINIC' };
  t.match(event('VXU^V04', pid, 'ORC|RE||1', rxa({ 27: '^^^CLINIC' })).immunization?.location, {
    facility: 'CLINIC',
  });
  t.match(event('VXU^V04', pid, 'ORC|RE||1', rxa(both)).immunization?.location, {
    pointOfCare: 'OLD',
    facility: '',
  });
  t.match(event('RAS^O17', pid, 'ORC|RE|1', rxa({ 27: 'W1^2' })).medication?.location, { pointOfCare: 'W1' });
  t.end();
});

t.test('specimen - another material in OBR-15 is told in words, another time in a remark', (t) => {
  const { order, provenance } = event(
    'ORU^R01',
    pid,
    seg('OBR', { 2: 'P1', 4: 'A^A^L', 14: '202603140800', 15: 'BLD&Blood&HL70070' }),
    seg('SPM', { 1: '1', 4: 'SER^Serum^HL70487', 18: '202603140900' }),
  );
  t.match(order?.specimen, { type: { text: 'Serum' }, description: 'Blood', received: { value: /T09:00/ } });
  t.equal(order?.specimen?.type?.codings.length, 1);
  t.same(provenance?.remarks, ['OBR-14: SPM-18 says another time, and stands']);
  t.end();
});

t.test('specimen - what was observed or noted of it before its orders goes to those', (t) => {
  const found = events(
    'OUL^R22',
    pid,
    'SPM|1|S1||SER',
    'OBX|1|NM|V1^V1^L||2||||||F',
    'OBR|1|P1||A^A^L',
    'ORC|SC|P1',
    'OBX|1|NM|A^A^L||1||||||F',
    'NTE|1||of the result',
    'SPM|2|S2||UR',
    'NTE|1||of the second',
    'OBX|1|NM|V2^V2^L||3||||||F',
    'OBR|2|P2||B^B^L',
    'OBX|1|NM|B^B^L||1||||||F',
  );
  t.same(
    found.map(({ observations }) => observations.map(({ code }) => code?.codings[0]?.code)),
    [
      ['V1', 'A'],
      ['V2', 'B'],
    ],
  );
  t.same(
    found.map(({ notes }) => notes.map(({ text }) => text)),
    [[], ['of the second']],
  );
  t.end();
});

t.test('specimen - each container has its own orders [HL7 4.4.8 OML_O35]', (t) => {
  const found = events(
    'OML^O35',
    pid,
    'SPM|1|S1||SER',
    'SAC|||T1',
    'ORC|NW|P1',
    'OBR|1|P1||A^A^L',
    'SAC|||T2',
    'ORC|NW|P2',
    'OBR|1|P2||B^B^L',
  );
  t.same(
    found.map(({ order }) => order?.specimen?.identifiers.map(({ value }) => value)),
    [
      ['S1', 'T1'],
      ['S1', 'T2'],
    ],
  );
  t.end();
});

t.test(
  'orders - what cannot be cancelled or changed stands; an earlier order is done [HL7 table 0119]',
  (t) => {
    const status = (control: string) =>
      event('ORR^O02', pid, `ORC|${control}|P1|F1`, 'OBR|1|P1|F1|A^A^L').status;
    for (const control of ['UC', 'UD', 'UH', 'UM', 'UR', 'UX']) t.equal(status(control), 'accepted', control);
    t.equal(status('UA'), 'rejected');
    t.equal(status('PR'), 'completed');
    t.end();
  },
);

t.test('documents - an edited draft stays a draft [HL7 9.6.7]', (t) => {
  const status = (trigger: string, said: string) =>
    event(`MDM^${trigger}`, pid, seg('TXA', { 1: '1', 2: 'DS', 17: said, 23: '90^KOPIE' })).status;
  t.equal(status('T08', 'IP'), 'preliminary');
  t.equal(status('T10', 'DI'), 'registered');
  t.equal(status('T08', 'AU'), 'corrected');
  t.equal(status('T10', ''), 'corrected');
  const { document } = event('MDM^T02', pid, seg('TXA', { 1: '1', 2: 'DS', 23: '90^KOPIE' }));
  t.match(document?.participants, [{ role: 'copy-to' }]);
  t.end();
});

t.test('schedule - every place and person of a segment is a resource; TQ-3 is a duration', (t) => {
  const { schedule, status } = event(
    'SIU^S12',
    'SCH|P1|F1|||||||||^^M30^202603200900',
    pid,
    seg('AIL', { 1: '1', 2: 'A', 3: 'AMB^2~AMB^3', 9: '45', 10: 'min' }),
    seg('AIP', { 1: '1', 2: 'A', 3: '500^A~501^B' }),
  );
  t.match(schedule, { duration: '30', durationUnit: 'min' });
  t.match(schedule?.resources, [
    { kind: 'location', location: { room: '2' }, duration: '45' },
    { kind: 'location', location: { room: '3' }, duration: '45' },
    { kind: 'person', person: { identifiers: [{ value: '500' }] } },
    { kind: 'person', person: { identifiers: [{ value: '501' }] } },
  ]);
  t.equal(status, 'booked');
  t.equal(event('SIU^S23', 'SCH|P1|F1', pid).status, 'unknown');
  t.end();
});

t.test('medication - an amount per hour is told as such, and the instruction of a give is RXG-13', (t) => {
  const give = event(
    'RGV^O15',
    pid,
    'ORC|RE|P1',
    seg('RXG', {
      4: 'VAN^Vancomycin^L',
      5: '500',
      7: 'mg',
      13: 'S^slowly^L',
      14: 'H1',
      19: 'LOT',
      22: 'SEP^Sepsis^L',
    }),
  );
  t.equal(give.status, 'requested', 'to be given, not given');
  t.match(give.medication, {
    per: 'H1',
    instructions: ['S^slowly^L'],
    instructionCodes: [{ text: 'slowly', codings: [{ code: 'S' }] }],
    lotNumber: 'LOT',
    indication: { text: 'Sepsis' },
  });
  const given = event(
    'RAS^O17',
    pid,
    'ORC|RE|P1',
    seg('RXA', { 3: '202603141000', 5: 'K^KCl^L', 6: '10', 7: 'mmol', 12: 'H1' }),
  );
  t.match(given.medication, { per: 'H1', rate: '', amountMinimum: '10' });
  const order = event(
    'RDE^O11',
    pid,
    'ORC|NW|P1',
    seg('RXE', { 2: 'K^KCl^L', 3: '1', 13: '91^ARZT', 14: '92^APO', 22: 'D1' }),
  );
  t.match(order.medication, { per: 'D1', participants: [{ role: 'ordering' }, { role: 'verifying' }] });
  t.end();
});

t.test('immunization - says when it was put on record', (t) => {
  const { immunization } = event(
    'VXU^V04',
    pid,
    'ORC|RE||1',
    seg('RXA', { 3: '20260314', 5: '207^M^CVX', 22: '20260315' }),
  );
  t.match(immunization?.recorded, { value: '2026-03-15' });
  t.end();
});
