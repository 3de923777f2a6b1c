/** What happens to codes and units of a whole message: mapped, converted, noted for the worklist. */
import t from 'tap';
import { compileMeaning } from '../../gateway/meaning-of-text.ts';
import { normalize } from '../../gateway/normalize/normalize.ts';
import type { Normalized } from '../../gateway/normalize/outcome.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { er7 } from './context.ts';

const loinc = 'http://loinc.org';
const ucum = 'http://unitsofmeasure.org';

function run(config: string, ...observations: string[]): Normalized {
  const lines = ['MSH|^~\\&|LAB|H|EHR|H|20261123||ORU^R01|1|P|2.5', 'PID|1||4711', 'OBR|1|||24321-2^BMP^LN'];
  return runLines(config, ...lines, ...observations);
}

function runLines(config: string, ...lines: string[]): Normalized {
  const record = JournalRecord.fromPartial({ source: 'lab', protocol: 'mllp', raw: er7(...lines) });
  return normalize(record, compileMeaning(config, 1).contextFor(record));
}

const first = (made: Normalized) => made.events[0]?.observations[0];

t.test('codes - the sent coding stays first, the mapped one stands beside it', async (t) => {
  const config = `codes: { lab: { from: L, to: '${loinc}', map: { GLU: { code: 2345-7, display: Glucose } } } }`;
  const made = run(config, 'OBX|1|NM|GLU^Glukose^L||100|mg/dL');
  t.match(first(made)?.code?.codings, [
    { system: 'urn:hilum:lab:L', code: 'GLU', display: 'Glukose', name: 'L', mapped: false },
    { system: loinc, code: '2345-7', display: 'Glucose', mapped: true },
  ]);
  t.ok(made.events[0]?.provenance?.rules.includes('code-table/lab'));
  t.equal(made.unmapped, undefined);
});

t.test('codes - MDC to LOINC and an HL7 table to FHIR are tables like any other', async (t) => {
  const config = `
codes:
  mdc: { from: MDC, to: '${loinc}', map: { 147842: 8867-4 } }
  sex: { from: HL70078, to: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', map: { HX: HH } }`;
  const made = run(config, 'OBX|1|CWE|147842^MDC_ECG_HEART_RATE^MDC||HX^critical^HL70078');
  t.match(first(made)?.code?.codings[1], { system: loinc, code: '8867-4', mapped: true });
  t.match(first(made)?.valueCode?.codings, [
    { code: 'HX', mapped: false },
    { code: 'HH', mapped: true },
  ]);
});

t.test('codes - a table for one source wins over the table for everybody', async (t) => {
  const config = `
codes:
  all: { from: L, to: '${loinc}', map: { GLU: 2345-7 } }
  gas: { from: 'urn:hilum:lab:L', to: '${loinc}', map: { GLU: 2339-0 } }`;
  const codings = first(run(config, 'OBX|1|NM|GLU^^L||100'))?.code?.codings;
  t.same(
    codings?.filter(({ mapped }) => mapped).map(({ code }) => code),
    ['2339-0'],
  );
});

t.test(
  'codes - what has no entry goes on the worklist, with its unit, once for each time it came',
  async (t) => {
    const made = run('{}', 'OBX|1|NM|GLU^Glucose^L||100|mg/dL', 'OBX|2|NM|GLU^Glucose^L||110|mg/dL');
    t.same(made.unmapped, [
      {
        field: 'observation',
        system: 'urn:hilum:lab:L',
        name: 'L',
        code: 'GLU',
        text: 'Glucose',
        unit: 'mg/dL',
        count: 2,
      },
    ]);
  },
);

t.test('codes - the policy of a table decides about what it lacks', async (t) => {
  const table = (rest: string) => `codes: { lab: { from: L, to: '${loinc}', map: {}${rest} } }`;
  const row = 'OBX|1|NM|GLU^Glucose^L||100';
  t.equal(run(table(''), row).unmapped?.length, 1, 'worklist is the default');
  t.equal(run(table(', unmapped: keep'), row).unmapped, undefined);
  const both = 'OBX|1|NM|GLU^Glucose^L^2345-7^Glucose^LN||100';
  t.equal(run('{}', both).unmapped, undefined, 'a code that says the same in LOINC is known');
  t.equal(run(table(''), both).unmapped, undefined, 'and has what the table would give');
  const mdc = `codes: { mdc: { from: MDC, to: '${loinc}', map: {} } }`;
  t.equal(run(mdc, 'OBX|1|NM|1^X^MDC||1').unmapped?.[0]?.code, '1', 'a table asks for its system');
  t.equal(run('{}', 'OBX|1|NM|1^X^MDC||1').unmapped, undefined);
});

t.test('codes - the worklist holds coded fields only, cut and without control characters', async (t) => {
  const long = 'x'.repeat(100);
  const made = runLines(
    '{}',
    'MSH|^~\\&|LAB|H|EHR|H|20261123||ORU^R01|1|P|2.5',
    'PID|1||4711||CANARY^PATIENT',
    `OBR|1|||SVC^Serv\\X09\\ice^L`,
    `OBX|1|ST|${long}^${long}^L||CANARY value|CANARYUNIT|CANARY`,
    'OBX|2|ST|^text without a code||CANARY',
    'NTE|1||CANARY',
  );
  t.same(
    made.unmapped?.map(({ field, code, text }) => [field, code, text]),
    [
      ['service', 'SVC', 'Serv ice'],
      ['unit', 'CANARYUNIT', ''],
      ['observation', 'x'.repeat(64), ''],
    ],
  );
});

t.test('units - UCUM stands beside the sent unit, whoever sent it', async (t) => {
  t.match(first(run('{}', 'OBX|1|NM|2345-7^^LN||100|MG/DL')), {
    unit: 'MG/DL',
    unitCode: {
      codings: [
        { code: 'MG/DL', mapped: false },
        { system: ucum, code: 'mg/dL', mapped: true },
      ],
    },
  });
  const said = first(run('{}', 'OBX|1|NM|2345-7^^LN||100|mg/dl^^UCUM'))?.unitCode?.codings;
  t.equal(said?.length, 1, 'UCUM that is called so needs nothing beside it');
  const record = JournalRecord.fromPartial({
    source: 'icu',
    protocol: 'mqtt',
    raw: Buffer.from(
      '{"device":"m","readings":[{"code":"8480-6","system":"http://loinc.org","value":120,"unit":"mmHg"},{"code":"hr","value":70}]}',
    ),
  });
  const device = normalize(record, compileMeaning('{}', 1).contextFor(record)).events[0]?.observations;
  t.same(
    device?.map(({ unitCode }) => unitCode?.codings.find(({ system }) => system === ucum)?.code),
    ['mm[Hg]', '/min'],
  );
});

t.test('units - a unit that nobody can read goes on the worklist; a config decides', async (t) => {
  const row = 'OBX|1|NM|6690-2^^LN||5.1|G/L';
  t.match(run('{}', row).unmapped, [{ field: 'unit', system: 'urn:hilum:lab', code: 'G/L', count: 1 }]);
  t.equal(run('units: { unmapped: keep }', row).unmapped, undefined);
  const decided = run(`units: { map: { G/L: '10*9/L' } }`, row);
  t.equal(decided.unmapped, undefined);
  t.match(first(decided)?.unitCode?.codings[1], { code: '10*9/L', mapped: true });
});

const converting = `
codes: { lab: { from: L, to: '${loinc}', map: { GLU: 2345-7 } } }
units:
  convert:
    glucose: { code: 2345-7, from: [mg/dL, g/L], to: mmol/L, molecularWeight: 180.156 }
    kreatinin: { system: 'urn:hilum:lab:L', code: KREA, from: mg/dL, to: mg/L }`;

t.test(
  'conversion - the wanted unit stands beside what was sent, and says where it comes from',
  async (t) => {
    const made = run(converting, 'OBX|1|NM|GLU^Glucose^L||100|MG/DL|70-99');
    t.match(first(made), {
      value: '100',
      unit: 'MG/DL',
      referenceRange: '70-99',
      converted: {
        value: '5.55',
        unit: 'mmol/L',
        referenceRange: '3.89-5.50',
        from: 'mg/dL',
        conversion: 'glucose',
      },
    });
    t.ok(made.events[0]?.provenance?.rules.includes('unit-conversion/glucose'));
    t.match(first(run(converting, 'OBX|1|NM|KREA^^L||1.20|mg/dl'))?.converted, {
      value: '12.0',
      unit: 'mg/L',
    });
  },
);

t.test('conversion - only the approved pairs of code and unit', async (t) => {
  const none = (...rows: string[]) => first(run(converting, ...rows))?.converted;
  t.equal(none('OBX|1|NM|NA^Sodium^L||100|mg/dL'), undefined, 'another code');
  t.equal(none('OBX|1|NM|GLU^^L||100|mg/L'), undefined, 'another unit');
  t.equal(none('OBX|1|NM|GLU^^L||100|'), undefined, 'no unit');
  t.equal(none('OBX|1|NM|GLU^^L||100~110|mg/dL'), undefined, 'two values');
  t.equal(none('OBX|1|CWE|GLU^^L||100^^L|mg/dL'), undefined, 'a coded value');
  t.equal(none('OBX|1|SN|GLU^^L||^1^:^80|mg/dL'), undefined, 'a titer');
  t.match(none('OBX|1|SN|GLU^^L||<^10|mg/dL'), { value: '<0.56' });
});
