/** FHIR of what devices say: whose order it was, and what of an alarm is told once. */
import t from 'tap';
import { normalize } from '../../gateway/normalize/normalize.ts';
import { toBundle } from '../../proto/fhir/bundle.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { er7, testContext } from '../normalize/context.ts';

function resources(type: string, ...lines: string[]) {
  const raw = er7(`MSH|^~\\&|GW^00A0^EUI-64|W1|||20261120101530-0500||${type}|M1|P|2.6`, ...lines);
  const { events, reject } = normalize(JournalRecord.fromPartial({ protocol: 'mllp', raw }), testContext());
  if (reject !== undefined) throw new Error(reject.reason);
  return events.map((event) => toBundle(event).entry.map(({ resource }) => resource));
}

const pid = 'PID|||4711^^^HOSP^MR||MUSTER^ERIKA';
const heart = 'OBX|4|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.147842|80|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R';

t.test('fhir device - observations are based on the orders that OBR-2, OBR-3 and OBR-29 name', async (t) => {
  const based = (obr: string, row: string) => {
    const [first] = resources('ORU^R01^ORU_R01', pid, obr, row, heart);
    const told = first?.filter(({ resourceType }) => resourceType === 'Observation').at(-1)?.basedOn;
    return (told as { type: string; identifier: { value: string } }[] | undefined)?.map(
      ({ type, identifier }) => `${type} ${identifier.value}`,
    );
  };
  const pump = 'OBX|1||69986^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|||||||X|||||||PUMP7^ACME';
  const monitor = 'OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||MON7^ACME';
  const infusion = `OBR|1|O1^GW|E1^PUMP|2222^Infusion event^L|||20261120101500-0500${'|'.repeat(22)}ORD9&PHARM^E0&PUMP`;
  t.same(based(infusion, pump), [
    'MedicationRequest ORD9',
    'MedicationRequest E0',
    'MedicationRequest O1',
    'MedicationRequest E1',
  ]);
  t.same(based('OBR|1|P1^GW|F1^GW|1^X^L|||20261120101500', monitor), [
    'ServiceRequest P1',
    'ServiceRequest F1',
  ]);
  t.same(based('OBR|1|F1^GW|F1^GW|1^X^L', monitor), ['ServiceRequest F1'], 'once');
  t.same(based(`OBR|1||F1^GW|1^X^L${'|'.repeat(25)}0^0`, monitor), ['ServiceRequest F1'], '0 is none');
  t.same(based('OBR|1|||1^X^L', monitor), undefined);
});

t.test('fhir device - each observation has the device that measured it', async (t) => {
  const measuredBy = (...rows: string[]) => {
    const [all] = resources('ORU^R01^ORU_R01', pid, 'OBR|1||F1|1^X^L|||20261120101500', ...rows);
    const told = (all ?? []) as unknown as {
      id: string;
      resourceType: string;
      type?: { coding: { code: string }[] };
      identifier?: { value: string }[];
      device?: { reference: string };
    }[];
    return told
      .filter(({ resourceType }) => resourceType === 'Observation')
      .map(({ device }) => {
        const of = told.find(({ id }) => device?.reference === `urn:uuid:${id}`);
        return [of?.resourceType, of?.type?.coding[0]?.code, of?.identifier?.map(({ value }) => value)];
      });
  };
  const part = (code: string, place: string, name: string) =>
    `OBX|1||${code}^MDC_DEV_X_MDS^MDC|${place}|||||||X|||||||${name}`;
  const breath = (name: string) =>
    `OBX|5|NM|151562^MDC_RESP_RATE^MDC|2.1.1.1|14|264928^MDC_DIM_RESP_PER_MIN^MDC|||||R|||||||${name}`;
  const monitor = ['Device', '69965', ['MON-12']];
  const two = [part('69965', '1.0.0.0', 'MON-12'), heart, part('70001', '2.0.0.0', 'VENT-3'), breath('')];
  t.same(measuredBy(...two), [monitor, ['Device', '70001', ['VENT-3']]]);
  t.same(measuredBy(part('69965', '1.0.0.0', 'MON-12'), heart, breath('VENT-3')), [
    monitor,
    ['Device', undefined, ['VENT-3']],
  ]);
  t.same(measuredBy(`${heart}|||||||MON-12`, breath('VENT-3')), [
    ['Device', undefined, ['MON-12']],
    ['Device', undefined, ['VENT-3']],
  ]);
});

t.test('fhir device - the number of an alarm is no order of its evidence', async (t) => {
  const [, evidence] = resources(
    'ORU^R40^ORU_R40',
    pid,
    'OBR|1||A1^GW|196616^MDC_EVT_ALARM^MDC|||20261120101500',
    'OBX|1|ST|196670^MDC_EVT_LO^MDC|1.1.1.1.1|SpO2 low|||PH~SP|||F',
    `OBR|2||E1^GW|1^X^MDC${'|'.repeat(25)}^A1&GW`,
    heart,
  );
  const told = evidence?.find(({ resourceType }) => resourceType === 'Observation');
  t.match(told, { code: { coding: [{ code: '147842' }] } });
  t.equal(told?.basedOn, undefined);
});

t.test("fhir device - what is noted at the alarm's own row is noted at the alarm", async (t) => {
  const [all] = resources(
    'ORU^R40^ORU_R40',
    pid,
    'OBR|1||A1^GW|196616^MDC_EVT_ALARM^MDC|||20261120101500-0500',
    'OBX|1|ST|196670^MDC_EVT_LO^MDC|1.1.1.1.1|SpO2 low|||PH~SP|||F',
    'NTE|1||Probe checked',
    'OBX|2|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.2|start||||||F',
    'NTE|1||By hand',
  );
  const alarms = all?.filter(({ resourceType }) => resourceType === 'Observation') ?? [];
  t.match(alarms, [{ code: { coding: [{ code: '196670' }] } }]);
  t.match(alarms[0]?.note, [{ text: 'Probe checked' }, { text: 'By hand' }]);
});

t.test('fhir device - an alarm that the value of the general term names is told once', async (t) => {
  const row = (code: string) =>
    `OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.3.1.150456.1|${code}|||L~PH~SP|||F|||20261120101500-0500`;
  const told = (...rows: string[]) =>
    resources('ORU^R40^ORU_R40', pid, 'OBR|1||A1^GW|196616^MDC_EVT_ALARM^MDC|||20261120101500-0500', ...rows)
      .flat()
      .filter(({ resourceType }) => resourceType === 'Observation')
      .map(({ code }) => (code as { coding: { code: string }[] }).coding[0]?.code);
  const low = row('196670^MDC_EVT_LO^MDC^L^SpO2 Low^99ACME^^^SpO2 LOW 82<90');
  t.same(told(low, heart), ['147842', '196670']);
  t.same(told(low, row('196648^MDC_EVT_HI^MDC')), ['196616', '196670'], 'another one beside it stays');
});

t.test(
  'fhir device - the pump that a dose is for is the device of the order, and no observation',
  async (t) => {
    const pump = (name: string, place: string) =>
      `OBX|1||69986^MDC_DEV_PUMP_INFUS_VMD^MDC|${place}||||||||||||||${name}^^0003B10000000007^EUI-64`;
    const weight = 'OBX|2|NM|68063^MDC_ATTR_PT_WEIGHT^MDC||80|263872^MDC_DIM_KILO_G^MDC';
    const given = 'RXG|1|||1^Primary NS^FDB|1000||mL||||||||100|mL/h';
    const orders = resources(
      'RGV^O15^RGV_O15',
      pid,
      ...['ORC|RE|ORD9^PHARM', given, 'RXR|IV', pump('PUMP7', '1.1.0.0'), weight],
      ...['ORC|RE|ORD11^PHARM', given, 'RXR|IV', pump('PUMP7', '1.2.0.0')],
      ...['ORC|RE|ORD12^PHARM', given, 'RXR|IV', 'OBX|1||69986^Something of ours^L|1||||||||||||||'],
    );
    const of = (at: number, type: string) =>
      orders[at]?.filter(({ resourceType }) => resourceType === type) ?? [];
    for (const at of [0, 1]) {
      t.match(of(at, 'Device'), [
        {
          type: { coding: [{ code: '69986' }] },
          identifier: [{ value: 'PUMP7' }, { value: '0003B10000000007' }],
          note: [{ text: `path: 1.${at + 1}.0.0` }],
        },
      ]);
      t.match(of(at, 'MedicationRequest'), [{ supportingInformation: [{ type: 'Device' }] }]);
    }
    t.match(of(0, 'Observation'), [{ code: { coding: [{ code: '68063' }] } }]);
    t.equal(of(0, 'Observation').length, 1);
    t.equal(of(0, 'Observation')[0]?.device, undefined, 'the pump did not weigh the patient');
    t.equal(of(1, 'Observation').length, 0);
    t.same(
      [of(2, 'Device').length, of(2, 'Observation').length],
      [0, 1],
      'a code of another system names no part',
    );
  },
);
