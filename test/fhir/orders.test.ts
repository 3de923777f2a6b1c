/** What became of an order, and what it is of, in FHIR's words. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { toBundle, toBundleText } from '../../proto/fhir/bundle.ts';
import { fhirText, type Resource } from '../../proto/fhir/json.ts';
import { er7, testContext } from '../normalize/context.ts';
import { problemsOf } from './validator.ts';

function resources(type: string, ...segments: string[]): Resource[] {
  const head = `MSH|^~\\&|CPOE|HOSP|LAB|HOSP|20261123081500||${type}|1|P|2.5.1`;
  const { events } = normalizeHl7v2(er7(head, 'PID|1||7^^^HOSP^MR||A^B', ...segments), testContext());
  return events.flatMap((event) => {
    const bundle = toBundle(event);
    t.same(problemsOf(toBundleText(event)), [], `${type} is valid`);
    return bundle.entry.map(({ resource }) => resource);
  });
}

t.test('fhir orders - an order that ended is revoked, one that is under way is active', async (t) => {
  const wanted: [orc: string, status: string][] = [
    ['CA|P1|F1||IP', 'revoked'],
    ['RU|P1|F1', 'revoked'],
    ['UC|P1|F1||IP', 'active'],
    ['SC|P1|F1||CM', 'completed'],
  ];
  for (const [orc, status] of wanted) {
    const all = resources('OMG^O19', `ORC|${orc}`, 'OBR|1|P1|F1|X^Y^L');
    t.match(
      all.filter(({ resourceType }) => resourceType === 'ServiceRequest'),
      [{ status }],
      orc,
    );
  }
});

t.test('fhir orders - a study has its accession number once, its steps are details', async (t) => {
  const ipc = (step: string, protocol: string) => `IPC|ACC9^RIS|RP9|1.2.3|${step}|CT|${protocol}^^L`;
  const all = resources('OMI^O23', 'ORC|NW|P1', 'OBR|1|P1||CT^CT^L', ipc('S1', 'THX'), ipc('S2', 'ABD'));
  t.match(
    all.filter(({ resourceType }) => resourceType === 'ServiceRequest'),
    [
      {
        identifier: [{ value: 'P1' }, { value: 'ACC9' }],
        orderDetail: [{ coding: [{ code: 'THX' }] }, { coding: [{ code: 'ABD' }] }],
      },
    ],
  );
});

t.test('fhir orders - what OBR-18 of a study says is its accession number [IHE RAD-4]', async (t) => {
  const numbers = (section: string, field: string, ...further: string[]) => {
    const obr = `OBR|1|P1||X^Y^L${'|'.repeat(14)}${field}${'|'.repeat(6)}${section}`;
    const all = resources('ORM^O01', 'ORC|NW|P1', obr, ...further);
    return all.find(({ resourceType }) => resourceType === 'ServiceRequest')?.identifier as Resource[];
  };
  const type = { coding: [{ code: 'ACSN' }] };
  t.match(numbers('CT', 'ACC778899'), {
    1: { type, system: 'urn:hilum:lab', value: 'ACC778899' },
    length: 2,
  });
  t.match(numbers('RAD', 'ACC3^EPIC'), {
    1: { type, value: 'ACC3', system: undefined, assigner: { display: 'EPIC' } },
    length: 2,
  });
  t.equal(numbers('LAB', 'BENCH4').length, 1, 'elsewhere nobody knows what it is');
  t.equal(numbers('', 'BENCH4').length, 1);
  const ipc = 'IPC|ACC9^RIS|RP9|1.2.3|S1|CT|THX^^L';
  t.equal(numbers('CT', 'ACC9', ipc).length, 2, 'one number is told once');
  t.match(numbers('', 'ACC9', 'ZDS|1.2.840.1.3^EPIC^Application^DICOM'), { 1: { type, value: 'ACC9' } });
});

t.test('fhir orders - a mixture is a medication with the amount of each ingredient', async (t) => {
  const all = resources('RDE^O11', 'ORC|NW|P1', 'RXE||IV^Infusion^L|1|', 'RXC|A|KCL^KCl^L|20.0|mmol^^UCUM');
  const drug = all.find(({ resourceType }) => resourceType === 'Medication');
  t.match(JSON.parse(JSON.stringify(drug)), {
    ingredient: [
      {
        itemCodeableConcept: { coding: [{ code: 'KCL' }] },
        strength: { numerator: { value: { text: '20.0' }, code: 'mmol' } },
      },
    ],
  });
});

t.test('fhir orders - what is urgent or timing critical has that priority', async (t) => {
  const wanted = {
    P: 'urgent',
    U: 'urgent',
    URG: 'urgent',
    T: 'stat',
    TS30: 'stat',
    TM10: 'stat',
    TH4: 'urgent',
  };
  for (const [sent, priority] of Object.entries(wanted)) {
    const all = resources('ORM^O01', 'ORC|NW|P1', `TQ1|1||||||||${sent}`, 'OBR|1|P1||X^Y^L');
    t.match(
      all.filter(({ resourceType }) => resourceType === 'ServiceRequest'),
      [{ priority }],
      sent,
    );
  }
});

t.test('fhir orders - one that is to be held is on hold, of a drug too', async (t) => {
  const drug = resources('RDE^O11', 'ORC|HD|P1|F1', 'RXE||M^Metoprolol^L|25||mg');
  const test = resources('OML^O21', 'ORC|HD|P1|F1', 'OBR|1|P1|F1|X^Y^L');
  const requests = [...drug, ...test].filter(({ resourceType }) => resourceType.endsWith('Request'));
  t.match(requests, [{ status: 'on-hold' }, { status: 'on-hold' }]);
});

t.test('fhir orders - a prescription that nobody finds was not entered in error', async (t) => {
  const drug = resources('RDE^O11', 'ORC|SC|P1|F1||ER', 'RXE||M^Metoprolol^L|25||mg');
  t.match(
    drug.filter(({ resourceType }) => resourceType === 'MedicationRequest'),
    [{ status: 'cancelled' }],
  );
});

/** Those of one type, as plain JSON. */
function plain(type: string, all: Resource[]): unknown[] {
  return all.filter(({ resourceType }) => resourceType === type).map((one) => JSON.parse(fhirText(one)));
}

t.test(
  'fhir orders - what is repeated says how, as needed, under which condition and how many',
  async (t) => {
    const request = (...segments: string[]) =>
      plain('ServiceRequest', resources('OMG^O19', 'ORC|NW|N1', ...segments))[0] as Record<string, unknown>;
    const turn = 'OBR|1|N1||TURN^Turn patient^L';
    const tq1 = (more: string) => `TQ1|1|2|Q2H|0800~1000||3^d|20261126080000+0100|${more}`;
    t.match(request(tq1('|R|if SBP < 90|Log roll only||5^min|36'), turn), {
      occurrencePeriod: undefined,
      occurrenceTiming: {
        repeat: {
          boundsPeriod: { start: '2026-11-26T08:00:00+01:00', end: '2026-11-29T08:00:00+01:00' },
          count: 36,
          duration: 5,
          durationUnit: 'min',
          timeOfDay: ['08:00:00', '10:00:00'],
        },
        code: { text: 'Q2H' },
      },
      note: [{ text: 'Log roll only' }, { text: 'if SBP < 90' }, { text: 'quantity 2' }],
    });
    t.match(request('TQ1|1||PRN||||20261126', turn), { asNeededBoolean: true });
    t.match(request('TQ1|1||Q1H||||20261126', 'TQ1|2||Q4H||||20261127||R', turn), {
      occurrenceTiming: { code: { text: 'Q1H' } },
      note: [{ text: 'also: Q4H from 2026-11-27 priority R' }],
    });
    t.match(request('TQ1|1||ONCE||||20261126', turn), { occurrenceDateTime: '2026-11-26' });
    t.match(request('TQ1|1||||||20261126||||fasting', turn), {
      occurrenceDateTime: '2026-11-26',
      note: [{ text: 'fasting' }],
    });
    const blood = resources('OMB^O27', 'ORC|NW|B1', 'BPO|1|RBC^RBC^L||2|350|mL');
    t.match(plain('ServiceRequest', blood), [
      { quantityQuantity: { value: 2 }, note: [{ text: 'each 350 mL' }] },
    ]);
  },
);

t.test('fhir orders - a drug that is ordered in ORM is one prescription', async (t) => {
  const all = resources('ORM^O01', 'ORC|NW|R1', 'RXO|^Compound 5% cream', 'RXR|TOP', 'NTE|1||compound');
  t.same(plain('ServiceRequest', all), []);
  t.same(plain('Communication', all), []);
  t.match(plain('MedicationRequest', all), [{ identifier: [{ value: 'R1' }], note: [{ text: 'compound' }] }]);
});

t.test('fhir orders - a prescription says its group, what it replaces, and why it ended', async (t) => {
  const rxe = 'RXE||M^Metoprolol^L|25||mg';
  const of = (orc: string) => plain('MedicationRequest', resources('RDE^O11', `ORC|${orc}`, rxe))[0];
  t.match(of('NW|R1||G1'), { groupIdentifier: { value: 'G1' } });
  t.match(of('RO|R2||||||R1&EPIC^F1&PH'), {
    priorPrescription: { identifier: { value: 'R1' } },
    basedOn: undefined,
  });
  t.match(of('NW|R2||||||R1&EPIC'), { basedOn: [{ identifier: { value: 'R1' } }] });
  t.match(of('DC|R1||||||||||||||A^Allergy^L'), { status: 'stopped', statusReason: { text: 'Allergy' } });
});

t.test('fhir orders - a result is of the only specimen; of several, of the one that is named', async (t) => {
  const text = (code: string, value: string) => `OBX|1|TX|${code}^${code}^L||${value}||||||F`;
  const specimensOf = (...segments: string[]) =>
    plain('Observation', resources('ORU^R01', 'OBR|1||F1|PATH^Pathology^L', ...segments)).map((one) =>
      (one as { specimen?: { reference: string } }).specimen?.reference.replace(/^.*:/, ''),
    );
  const referred = (...segments: string[]) => specimensOf(...segments).map((one) => one !== undefined);
  const dx = text('DX', 'B: Melanoma');
  t.same(referred(dx, 'SPM|1|A||SKIN^Back^L'), [true]);
  t.same(referred(dx, 'SPM|1|A||SKIN^Back^L', 'SPM|2|B||SKIN^Arm^L'), [false], 'nothing says which');
  const between = specimensOf(
    'SPM|1|A||SKIN^Back^L',
    text('DX', 'a'),
    'SPM|2|B||SKIN^Arm^L',
    text('DX', 'b'),
  );
  t.equal(new Set(between).size, 2, 'each behind its own');
  t.notOk(between.includes(undefined));
});
