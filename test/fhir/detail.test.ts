/** What a reader of the bundle would take for something else if it were left out, or put in its usual place. */
import t, { type Test } from 'tap';
import { toBundle } from '../../proto/fhir/bundle.ts';
import { fhirText } from '../../proto/fhir/json.ts';
import { er7 } from '../normalize/context.ts';
import { seg } from '../normalize/samples.ts';
import { eventsOf } from './events.ts';
import { problemsOf } from './validator.ts';

type Found = Record<string, unknown>;

/** The resources of the first event, by their type; the bundle is valid. */
function resources(test: Test, type: string, ...segments: string[]): Record<string, Found[]> {
  const head = `MSH|^~\\&|A|B|C|D|20260314101500+0100||${type}|1|P|2.6`;
  const [one] = eventsOf('detail', er7(head, ...segments), 'mllp');
  if (one === undefined) throw new Error('no event');
  const text = fhirText(toBundle(one.event));
  test.same(problemsOf(text), []);
  const found: Record<string, Found[]> = {};
  for (const { resource } of (JSON.parse(text) as { entry: { resource: Found }[] }).entry) {
    const name = String(resource.resourceType);
    found[name] = [...(found[name] ?? []), resource];
  }
  return found;
}

function list(from: unknown): Found[] {
  return Array.isArray(from) ? (from as Found[]) : [];
}

const pid = 'PID|1||7^^^H^MR';

t.test('fhir encounter - who left the role is no participant, and who has it says since when', (t) => {
  const { Encounter } = resources(
    t,
    'ADT^A54',
    pid,
    'PV1|1|I',
    'ROL|1|DE|AT|400^ALT',
    'ROL|2|AD|AT|500^NEU|20260314',
  );
  t.match(Encounter?.[0], {
    participant: [{ individual: { display: 'NEU' }, period: { start: '2026-03-14' } }],
  });
  t.equal(list(Encounter?.[0]?.participant).length, 1);
  t.end();
});

t.test(
  'fhir encounter - a place of a visit that never was is not occupied, nor one of a transfer called off',
  (t) => {
    const statuses = (type: string) => {
      const said = seg('PV1', { 2: 'I', 3: 'W^1', 19: 'V1', 42: 'X^2' });
      const { Encounter } = resources(t, type, pid, said);
      t.match(Encounter?.[0]?.identifier, [{ type: { coding: [{ code: 'VN' }] }, value: 'V1' }]);
      return list(Encounter?.[0]?.location).map(({ status }) => status);
    };
    t.same(statuses('ADT^A11'), [undefined, undefined]);
    t.same(statuses('ADT^A15'), ['active', 'planned']);
    t.same(statuses('ADT^A26'), ['active']);
    t.end();
  },
);

t.test('fhir location - a bed without a patient is a place with its status, and no visit', (t) => {
  const { Location, Encounter } = resources(t, 'ADT^A20', 'NPU|W^1^2|H');
  t.match(Location, [{ operationalStatus: { code: 'H' } }]);
  t.equal(Encounter, undefined);
  t.end();
});

t.test('fhir patient - whom an account was moved from keeps the number', (t) => {
  const use = (type: string) => {
    const { Patient } = resources(t, type, pid, 'MRG|99^^^H^MR||A1');
    return list(Patient?.[1]?.identifier)[0]?.use;
  };
  t.equal(use('ADT^A44'), undefined);
  t.equal(use('ADT^A40'), 'old');
  t.end();
});

t.test('fhir patient - where somebody was born is no address to write to', (t) => {
  const patient = (pid11: string, pid23 = '') =>
    resources(t, 'ADT^A08', `PID|1||7^^^H^MR||A^B||1980|F|||${pid11}||||||||||||${pid23}`).Patient?.[0];
  const url = 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace';
  const born = patient('1 RUE^^PARIS^^75002^FRA^H~^^^^^FRA^BDL^^75112', 'LYON');
  t.same(born?.address, [
    { use: 'home', line: ['1 RUE'], city: 'PARIS', postalCode: '75002', country: 'FRA' },
  ]);
  t.same(born?.extension, [{ url, valueAddress: { text: 'LYON', district: '75112', country: 'FRA' } }]);
  t.match(patient('^^CITY^^^XX^N'), { extension: [{ url, valueAddress: { city: 'CITY', country: 'XX' } }] });
  t.match(patient('^^N^^^XX^N~^^BDL^^^XX^BDL'), {
    address: [{ use: 'old', city: 'N' }],
    extension: [{ url, valueAddress: { city: 'BDL' } }],
  });
  // The country somebody comes from, and where the mother lived then.
  const others = patient('^^^^^XX^F~^^BIRTHTOWN^^^XX^BR');
  t.match(others?.address, [
    { use: 'old', country: 'XX' },
    { use: 'old', city: 'BIRTHTOWN' },
  ]);
  t.equal(others?.extension, undefined);
  t.end();
});

t.test('fhir patient - the script of a name; a postal address and when it held', (t) => {
  const { Patient } = resources(
    t,
    'ADT^A08',
    seg('PID', { 3: '7', 5: 'ヤマダ^タロウ^^^^^L^P', 11: '1^^T^^^JP^M^^^^^^2020^2021' }),
  );
  t.match(Patient?.[0], {
    name: [{ extension: [{ valueCode: 'SYL' }] }],
    address: [{ type: 'postal', period: { start: '2020', end: '2021' } }],
  });
  t.end();
});

t.test('fhir allergy - an intolerance is one, with the day of its report', (t) => {
  const { AllergyIntolerance } = resources(
    t,
    'ADT^A60',
    pid,
    seg('IAM', { 3: 'N^Nut^L', 9: 'IN', 13: '20260301' }),
  );
  t.match(AllergyIntolerance, [{ type: 'intolerance', recordedDate: '2026-03-01' }]);
  t.end();
});

t.test('fhir request - the time of a change is not when it was ordered; a replacement replaces', (t) => {
  const request = (orc: string) => resources(t, 'ORM^O01', pid, orc, 'OBR|1|P1|F1|A^A^L').ServiceRequest?.[0];
  t.equal(request('ORC|NW|P1|F1||||||20260314')?.authoredOn, '2026-03-14');
  t.equal(request('ORC|CA|P1|F1||||||20260314')?.authoredOn, undefined);
  t.equal(request('ORC|XO|P1|F1||||||20260314')?.authoredOn, undefined);
  t.match(request('ORC|RO|P1||||||P0'), { replaces: [{ identifier: { value: 'P0' } }], basedOn: undefined });
  t.equal(request('ORC|UC|P1|F1')?.status, 'active');
  t.equal(request('ORC|UA|P1|F1')?.status, 'revoked');
  t.end();
});

t.test('fhir request - a susceptibility says which organism it is of', (t) => {
  const { ServiceRequest } = resources(
    t,
    'ORU^R01',
    pid,
    seg('OBR', { 2: 'P1', 4: 'S^S^L', 26: '600-7&Bacteria&LN^1^E. coli' }),
    'OBX|1|ST|A^A^L||R||||||F',
  );
  t.match(ServiceRequest?.[0]?.supportingInfo, [{ type: 'Observation', display: 'Bacteria / 1 / E. coli' }]);
  t.end();
});

t.test('fhir observation - an amendment is no correction; a time of the day is a time', (t) => {
  const { Observation } = resources(
    t,
    'ORU^R01',
    pid,
    'OBR|1|P1||A^A^L',
    'OBX|1|NM|A^A^L||1||||||A',
    'OBX|2|NM|A^A^L||1||||||C',
    'OBX|3|TM|A^A^L||0730||||||F',
    'OBX|4|TM|A^A^L||2561||||||F',
  );
  t.match(Observation, [
    { status: 'amended' },
    { status: 'corrected' },
    { valueTime: '07:30:00' },
    { valueString: '2561' },
  ]);
  t.end();
});

t.test('fhir medication - an amount per hour is a rate, with the codes of its units', (t) => {
  const { MedicationAdministration } = resources(
    t,
    'RAS^O17',
    pid,
    'ORC|RE|P1',
    seg('RXA', { 3: '202603141000', 5: 'K^KCl^L', 6: '10', 7: 'mmol^^UCUM', 12: 'H1' }),
  );
  t.match(MedicationAdministration?.[0]?.dosage, { dose: undefined });
  t.match(MedicationAdministration?.[0]?.dosage, {
    rateRatio: {
      numerator: { value: 10, system: 'http://unitsofmeasure.org', code: 'mmol' },
      denominator: { value: 1, code: 'h' },
    },
  });
  const { MedicationRequest } = resources(
    t,
    'RDE^O11',
    pid,
    'ORC|NW|P1',
    'TQ1|1||TID^three times^HL70335',
    seg('RXE', { 2: 'W^Warfarin^L', 3: '5', 5: 'mg^milligram^UCUM', 7: 'M^with meals^L', 9: 'N' }),
    'RXC|B|D^Dextrose^L|500|mL',
    'RXC|A|K^KCl^L|20|mmol',
  );
  t.match(MedicationRequest?.[0], {
    dosageInstruction: [
      {
        text: 'with meals',
        additionalInstruction: [{ coding: [{ code: 'M' }] }],
        timing: { code: { coding: [{ code: 'TID' }], text: 'three times' } },
        doseAndRate: [{ doseQuantity: { value: 5, system: 'http://unitsofmeasure.org', code: 'mg' } }],
      },
    ],
    substitution: { allowedCodeableConcept: { coding: [{ code: 'N' }] } },
  });
  t.end();
});

t.test('fhir medication - a refused dose cancels no prescription, a discontinued one is stopped', (t) => {
  const request = (type: string, control: string, ...more: string[]) =>
    resources(t, type, pid, `ORC|${control}|P1`, 'RXO|I^Ibu^L|400||mg', ...more).MedicationRequest?.[0]
      ?.status;
  const refused = seg('RXA', { 3: '202603141000', 5: 'I^Ibu^L', 6: '0', 20: 'RE' });
  t.equal(request('RAS^O17', 'RE', refused), 'unknown');
  t.equal(request('RAS^O17', 'OK', refused), 'active');
  t.equal(request('RDE^O11', 'DC'), 'stopped');
  t.equal(request('RDE^O11', 'CA'), 'cancelled');
  t.end();
});

t.test('fhir immunization - a part of a dose may not protect', (t) => {
  const { Immunization } = resources(
    t,
    'VXU^V04',
    pid,
    'ORC|RE||1',
    seg('RXA', { 3: '20260314', 5: '207^M^CVX', 6: '0.2', 7: 'mL^^UCUM', 20: 'PA', 22: '20260315' }),
  );
  t.match(Immunization, [{ isSubpotent: true, recorded: '2026-03-15', doseQuantity: { code: 'mL' } }]);
  t.end();
});

t.test(
  'fhir appointment - numbers of orders are not its own, who was taken out declined, an end from the duration',
  (t) => {
    const { Appointment } = resources(
      t,
      'SIU^S12',
      seg('SCH', { 1: 'P1', 2: 'F1', 11: '^^^202603200900+0100', 23: 'PP1', 26: 'O1' }),
      pid,
      'AIS|1|A|C^C^L|202603200900+0100|||30|min',
      'AIP|1|D|500^WEG',
      'RGS|2|D',
      'AIL|1||FORT',
    );
    t.match(Appointment?.[0], {
      identifier: [{ value: 'P1' }, { value: 'F1' }],
      basedOn: [{ identifier: { value: 'O1' } }],
      supportingInformation: [{ type: 'Appointment', identifier: { value: 'PP1' } }],
      end: '2026-03-20T08:30:00.000Z',
    });
    const gone = list(Appointment?.[0]?.participant).filter(({ status }) => status === 'declined');
    t.match(gone, [{ actor: { display: 'WEG' } }, { actor: { display: 'FORT' } }]);
    t.equal(list(Appointment?.[0]?.identifier).length, 2);
    t.end();
  },
);

t.test('fhir - a specimen says its risks and quality, a problem how sure and severe it is', (t) => {
  const spm = seg('SPM', { 1: '1', 4: 'BLD', 16: 'BIO^Biohazard^HL70489', 22: 'P^Poor^HL70491' });
  const { Specimen } = resources(t, 'OML^O21', pid, 'ORC|NW|1', 'OBR|1|1||A^B^L', spm);
  t.match(Specimen?.[0]?.condition, [{ text: 'Poor' }, { text: 'Biohazard' }]);
  const prb = seg('PRB', { 1: 'AD', 3: 'I10^Hypertension^I10', 13: 'P^Provisional^L', 26: 'S^Severe^L' });
  const { Condition } = resources(t, 'PPR^PC1', pid, prb);
  t.match(Condition?.[0], {
    verificationStatus: { coding: [{ code: 'provisional' }] },
    severity: { text: 'Severe' },
  });
  t.end();
});

t.test(
  'fhir encounter - the place of an earlier movement is not where the patient is [IHE ITI-31, ZBE-5]',
  (t) => {
    const zbe = (historic: string) => `ZBE|M1|20260313||INSERT|${historic}`;
    const of = (historic: string) =>
      resources(t, 'ADT^A02', pid, seg('PV1', { 2: 'I', 3: 'W^1' }), zbe(historic)).Encounter?.[0];
    t.match(of('Y'), { status: 'unknown', location: [{ status: 'completed' }] });
    t.match(of('N'), { status: 'in-progress', location: [{ status: 'active' }] });
    t.end();
  },
);

t.test('fhir patient - what a link says of the other patient is the other one’s, the visit too', (t) => {
  const { Patient, Encounter } = resources(
    t,
    'ADT^A24',
    pid,
    'PID|2||8^^^H^MR',
    'PD1||||2^GP^TWO',
    'PV1|1|O|CLINIC',
  );
  t.equal(list(Patient?.[0]?.generalPractitioner).length, 0);
  t.equal(list(Patient?.[1]?.generalPractitioner).length, 1);
  t.match(Encounter, [{ subject: { reference: `urn:uuid:${String(Patient?.[1]?.id)}` } }]);
  t.equal(Encounter?.length, 1);
  t.end();
});

t.test(
  'fhir - a family name by its parts, dead or not as it cannot be read, a procedure that is taken back',
  (t) => {
    const said = seg('PID', { 3: '7', 5: 'Vries&de&Vries&van&Dijk^A', 30: 'U' });
    const { Patient, Procedure, Organization } = resources(
      t,
      'ADT^A08',
      said,
      'PD1|||Practice^^77',
      seg('PR1', { 3: 'X^Y', 5: '20260313', 20: 'D' }),
    );
    const part = (name: string) => `http://hl7.org/fhir/StructureDefinition/humanname-${name}`;
    t.match(list(Patient?.[0]?.name)[0], {
      family: 'Vries',
      _family: {
        extension: [
          { url: part('own-prefix'), valueString: 'de' },
          { url: part('own-name'), valueString: 'Vries' },
          { url: part('partner-prefix'), valueString: 'van' },
          { url: part('partner-name'), valueString: 'Dijk' },
        ],
      },
    });
    t.match(Patient?.[0]?._deceasedBoolean, { extension: [{ valueCode: 'unknown' }] });
    t.match(list(Patient?.[0]?.generalPractitioner), [{ type: 'Organization', display: 'Practice' }]);
    t.equal(Organization?.length, 1);
    t.equal(Procedure?.[0]?.status, 'entered-in-error');
    t.end();
  },
);

t.test(
  'fhir appointment - one of a series is no longer than itself, and the series is told beside it',
  (t) => {
    const appointment = (...timings: string[]) =>
      resources(t, 'SIU^S12', 'SCH|P1|F1|||||||30|min', ...timings, pid).Appointment?.[0];
    t.match(appointment('TQ1|1||Q1W||||202612010900+0100|202612220930+0100|||||30^min|4'), {
      start: '2026-12-01T09:00:00+01:00',
      end: '2026-12-01T08:30:00.000Z',
      minutesDuration: 30,
      extension: [
        {
          url: 'urn:hilum:extension:timing',
          valueTiming: {
            repeat: {
              boundsPeriod: { start: '2026-12-01T09:00:00+01:00', end: '2026-12-22T09:30:00+01:00' },
              count: 4,
              duration: 30,
              durationUnit: 'min',
            },
            code: { text: 'Q1W' },
          },
        },
      ],
    });
    const several = appointment(
      'TQ1|1||||||202612010900|202612010930',
      'TQ1|2||||||202612080900|202612080930',
    );
    t.equal(list(several?.extension).length, 2);
    t.equal(appointment('TQ1|1||||||202612010900|202612010930')?.extension, undefined);
    t.end();
  },
);

t.test('fhir coverage - the insurer can be reached, the group is named, the guarantor has a period', (t) => {
  const in1 = seg('IN1', {
    2: 'P1',
    4: 'BLUE',
    5: '1 ST^^NY~2 ST^^NY',
    7: '^WPN^PH^^^800^5551212',
    8: 'G1',
    9: 'GROUP',
  });
  const gt1 = seg('GT1', { 1: '1', 3: 'DOE^JOHN', 13: '20260101', 14: '20261231' });
  const { Coverage, Organization, RelatedPerson } = resources(t, 'ADT^A01', pid, 'PV1|1|I', gt1, in1);
  t.match(list(Coverage?.[0]?.class)[1], { value: 'G1', name: 'GROUP' });
  t.match(Organization, [
    { name: 'BLUE', telecom: [{ use: 'work' }], address: [{ line: ['1 ST'] }, { line: ['2 ST'] }] },
  ]);
  t.match(RelatedPerson, [{ period: { start: '2026-01-01', end: '2026-12-31' } }]);
  t.end();
});

t.test('fhir observation - says by its sub-id which rows belong together', (t) => {
  const row = (n: number, code: string, subId: string, value: string) =>
    `OBX|${n}|CWE|${code}^^L|${subId}|${value}^^L||||||F`;
  const { Observation } = resources(
    t,
    'ORU^R01',
    pid,
    'OBR|1||F1|CULT^Culture^L',
    row(1, 'ORG', '1', 'ECO'),
    row(2, 'AMP', '1', 'R'),
    row(3, 'ORG', '2', 'SAU'),
    row(4, 'AMP', '2', 'S'),
    row(5, 'NOTE', '', 'X'),
  );
  const told = (one: Found) => list(one.extension).map(({ url, valueString }) => [url, valueString]);
  const url = 'urn:hilum:extension:sub-id';
  t.same(Observation?.map(told), [[[url, '1']], [[url, '1']], [[url, '2']], [[url, '2']], []]);
  t.end();
});

t.test('fhir observation - of a dose, too', (t) => {
  const { Observation } = resources(
    t,
    'VXU^V04',
    pid,
    'ORC|RE||1^H',
    'RXA|0|1|20260314||130^DTaP-IPV^CVX|1|mL',
    'OBX|1|CE|30956-7^Vaccine type^LN|1|20^DTaP^CVX||||||F',
    'OBX|2|NM|30973-2^Dose number^LN|1|3||||||F',
    'OBX|3|CE|30956-7^Vaccine type^LN|2|10^IPV^CVX||||||F',
  );
  t.match(Observation, [
    { extension: [{ valueString: '1' }] },
    { extension: [{ valueString: '1' }] },
    { extension: [{ valueString: '2' }] },
  ]);
  t.end();
});
