/** What a comparison with other people's converters, and a second look at the chapters, found missing. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import type { ClinicalEvent, Observation } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';

const msh = (type: string): string => `MSH|^~\\&|APP|FAC|E|H|20261123||${type}|M1|P|2.8`;

function events(type: string, ...lines: string[]): ClinicalEvent[] {
  return normalizeHl7v2(er7(msh(type), ...lines), testContext()).events;
}

function only(type: string, ...lines: string[]): ClinicalEvent {
  const [event, ...more] = events(type, ...lines);
  if (event === undefined || more.length > 0) throw new Error('the message is not one event');
  return event;
}

function observation(...cells: string[]): Observation | undefined {
  return only('ORU^R01', ['OBX', ...cells].join('|')).observations[0];
}

t.test('hd - the universal id and its type stay beside the system', async (t) => {
  const { patient } = only('ADT^A08', 'PID|1||7^^^LAB&11D0668319&CLIA^MR~8^^^&1.2.3&ISO~9^^^HOSP');
  t.match(patient?.identifiers, [
    { system: 'urn:hilum:lab:LAB', assigner: 'LAB', universalId: '11D0668319', universalIdType: 'CLIA' },
    { system: 'urn:oid:1.2.3', assigner: '1.2.3', universalId: '1.2.3', universalIdType: 'ISO' },
    { system: 'urn:hilum:lab:HOSP', assigner: 'HOSP', universalId: '', universalIdType: '' },
  ]);
});

t.test('dln - a licence has its issuer and its end [HL7 2.A.21]', async (t) => {
  const { patient } = only('ADT^A08', `PID|${'|'.repeat(19)}D123^MI^20301231`);
  t.match(patient?.identifiers, [
    { value: 'D123', type: 'DL', assigner: 'MI', system: 'urn:hilum:lab:MI', end: '2030-12-31' },
  ]);
  const cx = only('ADT^A08', `PID|${'|'.repeat(19)}D123^^^DMV&1.2&ISO`);
  t.match(cx.patient?.identifiers, [{ value: 'D123', type: 'DL', system: 'urn:oid:1.2' }], 'some write a CX');
});

t.test('xpn - professional suffix, the name gone by, and the time of use', async (t) => {
  const long = 'BERG^ANNA^^^^MD^L^^^20200101&20201231^^20190101^^FACP^ANNI';
  const { patient } = only(
    'ADT^A08',
    `PID|||7||${long}~ALT^ANNA^^^^^M^^^20100101&20181231||||ROSE^MIA^^^^^A`,
  );
  t.match(patient?.names, [
    { suffix: ['FACP'], degree: 'MD', calledBy: 'ANNI', start: '2019-01-01', end: '2020-12-31' },
    { use: 'M', start: '2010-01-01', end: '2018-12-31' },
  ]);
  t.match(patient?.aliasNames, [{ family: 'ROSE', given: ['MIA'], use: 'A' }], 'PID-9 by its parts');
  const xcn = `77^WEISS^EVA${'^'.repeat(18)}RN`;
  const { order } = only('ORU^R01', `OBR|1|${'|'.repeat(14)}${xcn}`, 'OBX|1|NM|A||1');
  t.match(order?.participants[0]?.person?.name, { family: 'WEISS', suffix: ['RN'] }, 'XCN-21');
});

t.test('pid - mother and tribal citizenship', async (t) => {
  const { patient } = only('ADT^A08', `PID|||7${'|'.repeat(18)}M99^^^HOSP${'|'.repeat(18)}338^Hopi^HL70171`);
  t.match(patient?.mothersIdentifiers, [{ value: 'M99', assigner: 'HOSP' }]);
  t.match(patient?.tribalCitizenship, [{ text: 'Hopi' }]);
});

t.test('db1 - a disability number is the patient’s only where the disability is his', async (t) => {
  const { patient } = only('ADT^A08', 'PID|||7', 'DB1|1|PT|DB99|Y', 'DB1|2|GT|DB11|Y');
  t.same(
    patient?.identifiers.map((one) => one.value),
    ['7', 'DB99'],
  );
  t.same(patient?.flags, ['DB1-4=Y']);
});

t.test('con - who consents is the patient himself or somebody to him', async (t) => {
  const con = (name: string, who: string): string => `CON|1${'|'.repeat(23)}${name}|${who}`;
  const event = only(
    'MDM^T02',
    'PID|||7||BERG^ANNA',
    con('BERG^ANNI', '1'),
    con('BERG^OTTO', '2'),
    'TXA|1|CN',
  );
  t.match(event.patient?.aliasNames, [{ family: 'BERG', given: ['ANNI'] }]);
  t.match(event.relatedPersons, [{ names: [{ given: ['OTTO'] }], contactRole: { text: 'consenter' } }]);
});

t.test('pl - parts with a universal id are identifiers of the place [HL7 2.A.53]', async (t) => {
  const pl = 'WARD&1.1&ISO^R10^B2^HOSP&hosp.example&DNS^^^HAUS^E2^^P77^REG&1.9&ISO';
  const { encounter } = only('ADT^A02', 'PID|||7', `PV1||I|${pl}`);
  t.match(encounter?.location, { pointOfCare: 'WARD', room: 'R10', facility: 'HOSP', building: 'HAUS' });
  t.match(encounter?.location?.identifiers, [
    { type: 'poc', value: 'WARD', system: 'urn:oid:1.1', universalId: '1.1' },
    { type: 'si', value: 'HOSP', system: 'hosp.example', universalId: 'hosp.example' },
    { type: '', value: 'P77', system: 'urn:oid:1.9', assigner: 'REG' },
  ]);
});

t.test('pv1 - earlier places, the number before admission, the episode', async (t) => {
  const cells = ['PV1', '1', 'I', 'A', '', 'PRE7^^^HOSP'];
  cells[43] = 'HALL^2';
  cells[54] = 'EP5^^^HOSP';
  const { encounter } = only(
    'ADT^A01',
    'PID|||7',
    Array.from(cells, (one) => one ?? '').join('|'),
    'PV2|WAIT^1',
  );
  t.equal(encounter?.preadmitNumber, 'PRE7');
  t.match(encounter, {
    preadmit: { value: 'PRE7', assigner: 'HOSP' },
    priorTemporaryLocation: { pointOfCare: 'HALL', room: '2' },
    priorPendingLocation: { pointOfCare: 'WAIT', room: '1' },
    episode: { value: 'EP5', assigner: 'HOSP' },
  });
});

t.test('in2 - numbers of public insurance belong to their coverage', async (t) => {
  const { coverages } = only('ADT^A01', 'PID|||7', 'IN1|1|MED', 'IN2|1|||||M1|CASE^ANNA|C1', 'IN1|2|PRIV');
  t.match(coverages[0], { medicaidCaseName: { family: 'CASE', given: ['ANNA'] } });
  t.same(
    coverages.map((one) => one.identifiers.map(({ type, value }) => type + value)),
    [['MCM1', 'MAC1'], []],
  );
});

t.test('orc - further numbers, from when the order holds, and who ordered', async (t) => {
  const orc = ['ORC', 'NW', 'P1'];
  orc[15] = '20261124';
  orc[21] = 'CLINIC^^123^^^NPPES&2.16&ISO^NPI';
  orc[22] = 'WEG 1^^BERLIN';
  orc[23] = '030 1';
  orc[33] = 'ALT1^^^H';
  const obr = ['OBR', '1', 'P1', '', 'A'];
  obr[53] = 'ALT1^^^H~ALT2';
  const line = (cells: string[]): string => Array.from(cells, (one) => one ?? '').join('|');
  const { order } = only('OML^O21', 'PID|||7', line(orc), line(obr));
  t.equal(order?.effective?.value, '2026-11-24');
  t.match(order?.orderingFacility, {
    name: 'CLINIC',
    identifiers: [{ value: '123', system: 'urn:oid:2.16', type: 'NPI' }],
    address: { city: 'BERLIN' },
    telecoms: [{ value: '030 1', use: 'work' }],
  });
  t.same(
    order?.alternates.map(({ value, type }) => [value, type]),
    [
      ['ALT1', 'PLAC'],
      ['ALT2', 'PLAC'],
    ],
    'said in ORC and OBR it is one number',
  );
});

t.test('orc - a group number is an EI, or a pair of them', async (t) => {
  const order = (group: string) => only('OML^O21', 'PID|||7', `ORC|NW|P1||${group}`, 'OBR|1|P1').order;
  t.match(order('G1^HOSP')?.group, { value: 'G1', assigner: 'HOSP', type: 'GROUP' });
  t.match(order('G1&HOSP^G2&LAB'), {
    group: { value: 'G1', assigner: 'HOSP' },
    alternates: [{ value: 'G2', assigner: 'LAB', type: 'GROUP' }],
  });
});

t.test('obx - ranges, periods, words of a table and further pointers', async (t) => {
  t.match(observation('1', 'NR', 'A', '', '1^10'), {
    value: '1-10',
    structured: { comparator: '', number1: '1', separator: '-', number2: '10' },
  });
  t.equal(observation('1', 'VR', 'A', '', 'LOW^HIGH')?.value, 'LOW-HIGH');
  t.match(observation('1', 'DR', 'A', '', '20261123080000+0100^20261123090000+0100')?.valuePeriod, {
    start: { value: '2026-11-23T08:00:00+01:00' },
    end: { value: '2026-11-23T09:00:00+01:00' },
  });
  t.match(observation('1', 'IS', 'A', '', 'Y'), { value: 'Y', valueCode: { codings: [{ code: 'Y' }] } });
  t.match(observation('1', 'RP', 'A', '', 'https://a.example^^IM~https://b.example'), {
    value: 'https://a.example',
    furtherValues: ['https://b.example'],
  });
  t.equal(observation('1', 'NM', 'A', '', '5', '^mg per dl')?.unit, 'mg per dl');
});

t.test('status - not asked is no result to come, and what is not verified is partial', async (t) => {
  t.equal(observation('1', 'ST', 'A', '', '', '', '', '', '', '', 'N')?.status, 'cancelled');
  const { status } = only('ORU^R01', `OBR|1|P|F|A${'|'.repeat(21)}R`, 'OBX|1|NM|A||1||||||R');
  t.equal(status, 'partial');
});

t.test('adt - a change of class keeps the account that it ends, and the patient stays', async (t) => {
  const event = only('ADT^A06', 'EVN|A06|2026', 'PID|||7^^^HOSP', 'MRG|7^^^HOSP||ACC1', 'PV1||I');
  t.equal(event.kind, 'admission');
  t.match(event.merge, { action: 'change-identifier', retired: [], retiredAccounts: [{ value: 'ACC1' }] });
  t.equal(only('ADT^A06', 'PID|||7', 'PV1||I').merge, undefined);
});

t.test('siu - SCH-25 says what is, a trigger that ends it comes first', async (t) => {
  const status = (trigger: string, filler: string): string =>
    only(`SIU^${trigger}`, `SCH|1|2${'|'.repeat(23)}${filler}`, 'PID|||7').status;
  t.equal(status('S12', ''), 'booked');
  t.equal(status('S12', 'Pending'), 'requested');
  t.equal(status('S14', 'Cancelled'), 'cancelled');
  t.equal(status('S13', 'Booked'), 'rescheduled');
  t.equal(status('S15', 'Booked'), 'cancelled');
});

t.test('nte - a note after a specimen is not the last result’s', async (t) => {
  const event = only(
    'ORU^R01',
    'OBR|1|P',
    'OBX|1|NM|A||1',
    'NTE|1||of the result',
    'SPM|1|S',
    'NTE|1||of the order',
  );
  t.same(
    [event.observations[0]?.notes, event.notes].map((notes) => notes?.map(({ text }) => text)),
    [['of the result'], ['of the order']],
  );
});

t.test('dg1 and pr1 - the coding system may stand in a field of its own [HL7 2.3]', async (t) => {
  const { conditions, procedures } = only(
    'ADT^A01',
    'PID|||7',
    'DG1|1|I9|715.96^OSTEOARTHROSIS',
    'DG1|2|I9|M17.1^GONARTHROSIS^I10',
    'PR1|1|C4|27447',
  );
  t.same(
    [...conditions, ...procedures].map(({ code }) => code?.codings[0]?.system),
    ['http://hl7.org/fhir/sid/icd-9', 'http://hl7.org/fhir/sid/icd-10', 'http://www.ama-assn.org/go/cpt'],
  );
});
