/** What the fuzzer starts from: messages of our own, and those of the corpus where it is there; and whose they are. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Meaning } from '../../gateway/meaning.ts';
import { compileMeaning } from '../../gateway/meaning-of-text.ts';
import { projectRoot } from '../kit/paths.ts';
import { er7 } from '../normalize/context.ts';
import { samples } from '../normalize/samples.ts';

export interface Input {
  readonly name: string;
  readonly form: 'hl7v2' | 'json';
  readonly bytes: Buffer;
}

/** As whom a record comes in, and under which config it is read. */
export interface Reading {
  readonly name: string;
  readonly meaning: Meaning;
  readonly source: string;
  readonly protocol: 'mllp' | 'mqtt';
  readonly topic: string;
}

const inputBytesMax = 64 * 1024;

/** Says everything that a config can say of meaning, so that each of its parts meets odd input. */
const fullConfig = `
site: { zone: Europe/Berlin }
sources:
  lab: { listener: mllp, zone: America/New_York, reviewed: false }
  ward: { listener: mqtt, topics: [ward/#] }
identity: { authorities: { HOSP: "urn:oid:1.2.3" } }
codes:
  lab: { from: 99LAB, to: "http://loinc.org", map: { K: { code: 2823-3, display: Potassium } } }
  local: { from: L, to: "http://loinc.org", unmapped: keep, map: { GLU: 2345-7 } }
units:
  map: { mmol/l: mmol/L }
  convert:
    glucose: { code: "2345-7", from: mg/dL, to: mmol/L, molecularWeight: 180.156 }
critical:
  potassium: { code: "2823-3", unit: mmol/L, below: "2.8", above: "6.0" }
  women: { code: "718-7", unit: g/dL, below: "7.0", sex: female, age: { from: 18y } }
  gram: { code: "600-7", contains: ["Gram negative rods"] }
  malaria: { words: [plasmodium] }
devices:
  mon-12:
    identifier: { value: mon-12 }
    location: { unit: ICU, room: "1", bed: "4" }
    patient: { system: "urn:oid:1.2.3", value: P-1, type: MR }
    since: "2026-11-01T00:00:00+01:00"
mappings:
  analyzer:
    source: lab
    set:
      observation.performingOrganization: ZBX-2
      observation.value: OBX-5.2
      observation.code: ZBX-3
      extensions.kit: ZPI-2
  late:
    source: lab
    when: event.kind == "observation"
    set: { extensions.second: "OBX-5[2].1.2" }
classes:
  - { name: icu, when: 'event.encounter.location.pointOfCare == "ICU"', class: urgent }
  - { name: high, when: 'event.observations.exists(o, o.interpretation == "HH")', class: stat }
destinations: { ehr: { type: mllp, address: "127.0.0.1:1" } }
routes: { results: { when: 'event.kind == "observation"', to: ehr } }
`;

export function readings(): { hl7v2: Reading[]; json: Reading[] } {
  const [builtIn, full, iomt] = [
    compileMeaning('', 0),
    compileMeaning(fullConfig, 1),
    compileMeaning(readFileSync(join(projectRoot, 'test/normalize/iomt-templates.yaml'), 'utf8'), 2),
  ];
  const sets = ['basic', 'health', 'hub', 'central', 'matched', 'generated', 'alarms'];
  const reading = (meaning: Meaning, source: string, protocol: 'mllp' | 'mqtt'): Reading => ({
    name: `${source} under ${meaning === builtIn ? 'the built-in meaning' : meaning === full ? 'the full config' : 'the templates'}`,
    meaning,
    source,
    protocol,
    topic: protocol === 'mqtt' ? `${source}/icu/mon-12` : '',
  });
  return {
    hl7v2: [
      reading(builtIn, 'mllp', 'mllp'),
      reading(full, 'lab', 'mllp'),
      reading(full, 'other', 'mllp'),
      reading(full, 'ward', 'mqtt'),
    ],
    json: [
      reading(builtIn, 'mqtt', 'mqtt'),
      reading(full, 'ward', 'mqtt'),
      ...sets.map((source) => reading(iomt, source, 'mqtt')),
    ],
  };
}

/** Of one order, whatever the disk says. */
export function inputs(corpus = process.env.HILUM_CORPUS ?? join(projectRoot, '../shared/corpus')): Input[] {
  return [...ownInputs(), ...corpusInputs(corpus)];
}

export function ownInputs(): Input[] {
  const hl7 = { ...samples, ...ofDevices };
  return [
    ...Object.entries(hl7).map(([name, bytes]) => ({
      name,
      form: 'hl7v2' as const,
      bytes: Buffer.from(bytes),
    })),
    ...Object.entries(payloads).map(([name, payload]) => ({
      name,
      form: 'json' as const,
      bytes: Buffer.from(JSON.stringify(payload)),
    })),
  ];
}

function corpusInputs(corpus: string): Input[] {
  return [
    ...filesOf(corpus, 'hl7v2', 'hl7v2', /\.(?!md$)/i),
    ...filesOf(corpus, 'pairs', 'hl7v2', /\.hl7$/i),
    ...filesOf(corpus, 'mqtt/ms-iomt', 'json', /\.(json|txt)$/i),
  ];
}

function filesOf(corpus: string, folder: string, form: Input['form'], wanted: RegExp): Input[] {
  const root = join(corpus, folder);
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && wanted.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ name: path.slice(corpus.length + 1), form, bytes: readFileSync(path) }))
    .filter(({ bytes }) => bytes.length <= inputBytesMax);
}

const header = (type: string) => `MSH|^~\\&|GW^00A0^EUI-64|W1|||20261123081500+0100||${type}|M1|P|2.6`;
const mds =
  'OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||20261123081459+0100||||MON-12^ACME^0019FF0000000012^EUI-64';
const vmd = 'OBX|2||69642^MDC_DEV_ANALY_SAT_O2_VMD^MDC|1.1.0.0|||||||X|||||||OXI-3^ACME';

const ofDevices = {
  pcd01: er7(
    header('ORU^R01^ORU_R01'),
    'PID|||4711^^^HOSP^MR||MUSTER^ERIKA',
    'PV1||I|ICU^1^4',
    'OBR|1|P7^GW|F7^GW^00A0^EUI-64|182777000^monitoring of patient^SCT|||20261123081500+0100|20261123081600+0100',
    mds,
    vmd,
    'OBX|3||69643^MDC_DEV_ANALY_SAT_O2_CHAN^MDC|1.1.1.0|||||||X',
    'OBX|4|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.1|97|262688^MDC_DIM_PERCENT^MDC|90-100||||R|||20261123081530+0100',
    'OBX|5|NA|150452^MDC_PULS_OXIM_PLETH^MDC|1.1.1.3|12^13.50^^-4|262656^MDC_DIM_DIMLESS^MDC|||||R',
    'PRT|1|AD||EQUIP^Equipment^HL70912||||||P-9^ACME||||||(01)04012345678901||||SN-77',
  ),
  pcd04: er7(
    header('ORU^R40^ORU_R40'),
    'PID|||4711^^^HOSP^MR||MUSTER^ERIKA',
    'OBR|1||A-1^MON|196616^MDC_EVT_ALARM^MDC|||20261123081500+0100||||||||||||||||||||||^A-0&MON',
    mds,
    vmd,
    'OBX|3|ST|196674^MDC_EVT_LO_VAL_LT_LIM^MDC|1.1.1.1.1|SpO2 LOW|||L~PH~SP|||R|||20261123081500+0100',
    'OBX|4|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.1.2|84|262688^MDC_DIM_PERCENT^MDC|90-100|L|||R',
    'OBX|5|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|start||||||R',
    'OBX|6|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4|active||||||R',
    'OBX|7|ST|68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC|1.1.1.1.5|audio-paused~alert-acknowledged||||||R',
  ),
  mapped: er7(
    'MSH|^~\\&|LAB|HOSP|||20260301081500||ORU^R01|M1|P|2.5.1||||||8859/1',
    'PID|1||4711^^^HOSP^MR||MUSTER^ERIKA||19640812|F',
    'ZPI|1|B-77|31.12.1999',
    'OBR|1|P1|F1|K^Potassium^99LAB|||20260329023000',
    'OBX|1|NM|K^Potassium^99LAB||7.40^corrected 7.45|mmol/L|3.5-5.1|HH|||F|||20261025023000',
    'NTE|1|L|plasmodium \\X41\\ \\.br\\ \\H\\seen\\N\\',
    'ZBX|1|Analyzer A|2823-3^Potassium^LN',
    'OBX|2|SN|GLU^Glucose^L||>^100|mg/dL|||||C',
    'OBX|3|ED|PDF^Report^L||^application^pdf^Base64^JVBERi0xLjQK||||||F',
  ),
};

const payloads = {
  vitals: {
    device: 'mon-12',
    patient: { id: '4711', system: 'urn:oid:1.2.3', type: 'MR' },
    encounter: { id: 'V1' },
    location: { unit: 'ICU', room: '', bed: '4' },
    time: '2026-11-23T08:15:00+01:00',
    readings: [
      { code: 'heartRate', value: '72', unit: '/min', status: 'final', interpretation: 'H' },
      { code: { system: 'http://loinc.org', code: '2823-3' }, value: '2.4', unit: 'mmol/L' },
    ],
    battery: 80,
  },
  batch: [
    { deviceId: 'kit-7', time: 1_795_000_000, values: { heartRate: 72, spo2: 97.5 } },
    { deviceId: 'kit-8', time: 1_795_000_000_123, heartRate: { value: 71, unit: '/min' } },
  ],
  alarm: {
    device: { id: 'mon-12', system: 'urn:x', type: 'monitor', model: 'M', manufacturer: 'ACME' },
    alarm: { id: 'a1', code: 'spo2Low', priority: 'high', phase: 'start', state: 'active', text: 'low' },
    alarms: [{ id: 'a2', code: 'leadOff', priority: 'low', phase: 'end', type: 'technical' }],
  },
  heart: { heartrate: '78', deviceid: 'd1', patientid: 'p1', measurementdatetime: '2026-02-01T22:46:01Z' },
  pressure: {
    systolic: 120,
    diastolic: 80,
    deviceid: 'd1',
    patientid: 'p1',
    measurementdatetime: '2026-02-01',
  },
  hub: {
    Body: { HeartRate: 72, RespiratoryRate: '14.0', telemetry: [{ heartRate: 72, spo2: 97 }] },
    Properties: { 'iothub-creation-time-utc': '2026-02-01T22:46:01Z' },
    SystemProperties: { 'iothub-connection-device-id': 'd1' },
  },
};
