/** A small ward that we made up: admissions, orders, results, corrections, alarms, and bedside monitors. */
import { buildMessage } from './hl7-standard.ts';

export interface WardMessage {
  controlId: string;
  text: string;
  what: string;
}

const header = (type: string) => `MSH|^~\\&|WARDSIM|HILUMDEMO|EHR|HILUMDEMO|0||${type}|0|P|2.5.1\r`;
const patient = 'PID|1||0^^^HILUMDEMO^MR||FAMILY^GIVEN||19700101|F\r';
const visit = 'PV1|1|I|WARD7^1^1^HILUMDEMO||||1234^ATTEND^ANN|||MED|||||||||V0^^^HILUMDEMO^VN\r';

const templates = {
  admission: `${header('ADT^A01^ADT_A01')}EVN|A01|0\r${patient}${visit}`,
  transfer: `${header('ADT^A02^ADT_A02')}EVN|A02|0\r${patient}${visit}`,
  order: `${header('ORM^O01^ORM_O01')}${patient}${visit}ORC|NW|P0||||||||||1234^ORDER^OTTO\rOBR|1|P0||24323-8^Metabolic panel^LN\r`,
  result: `${header('ORU^R01^ORU_R01')}${patient}${visit}ORC|RE|P0|F0\rOBR|1|P0|F0|24323-8^Metabolic panel^LN|||0|||||||||||||||0||CH|F||^^^^^R\r${[
    'OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|3.5-5.1|N|||F|||0',
    'OBX|2|NM|2951-2^Sodium^LN||139|mmol/L|136-145|N|||F|||0',
    'OBX|3|NM|2160-0^Creatinine^LN||0.90|mg/dL|0.50-1.10|N|||F|||0',
  ].join('\r')}\r`,
  alarm: `${header('ORU^R40^ORU_R40')}${patient}${visit}OBR|1|P0|F0|196616^MDC_EVT_ALARM^MDC|||0\rOBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.0.0.0.1|148066^MDC_EVT_APNEA^MDC||||||F|||0\r`,
} as const;

const families = [
  'ADLER',
  'BRANDT',
  'CASTRO',
  'DUNN',
  'EKBERG',
  'FARAH',
  'GOMEZ',
  'HOLT',
  'IVERSEN',
  'JANSEN',
];
const givenNames = ['ADA', 'BO', 'CLEO', 'DIEGO', 'EVA', 'FINN', 'GRETA', 'HUGO', 'INES', 'JON'];

/** The n-th message of the ward: the kind follows from n, so that an admission comes before its results. */
export function wardMessage(n: number, now: Date): WardMessage {
  const bed = n % 40;
  const round = Math.floor(n / 40);
  const time = `${now.toISOString().slice(0, 19).replace(/[-:T]/g, '')}+0000`;
  const common = {
    'MSH.7': time,
    'MSH.10': `DEMO${n}`,
    'PID.3.1': `D${1000 + bed}`,
    'PID.5.1': families[bed % 10] as string,
    'PID.5.2': givenNames[Math.floor(bed / 4) % 10] as string,
    'PV1.3.2': String(1 + (bed % 8)),
    'PV1.19.1': `V${bed}`,
  };
  const ids = { 'OBR.2': `P${n}`, 'OBR.7': time };
  const step = round % 6;
  if (round === 0) return make(n, 'admission', { ...common, 'EVN.2': time });
  if (step === 1) return make(n, 'order', { ...common, 'ORC.2': `P${n}`, 'OBR.2': `P${n}` });
  if (step === 2) return make(n, 'transfer', { ...common, 'EVN.2': time, 'PV1.3.2': '9' });
  if (step === 3) return make(n, 'alarm', { ...common, ...ids, 'OBR.3': `F${n}`, 'OBX.14': time });
  const corrected = step === 5;
  return make(n, 'result', {
    ...common,
    ...ids,
    'ORC.2': `P${n}`,
    'ORC.3': `F${n}`,
    'OBR.3': `F${n}`,
    'OBR.22': time,
    'OBR.25': corrected ? 'C' : 'F',
    'OBX.5': (3.4 + (n % 17) / 10).toFixed(2),
    'OBX.11': corrected ? 'C' : 'F',
    'OBX.14': time,
  });
}

/** A potassium that somebody must see now. */
export function criticalResult(n: number, now: Date): WardMessage {
  const time = `${now.toISOString().slice(0, 19).replace(/[-:T]/g, '')}+0000`;
  const fields = {
    'MSH.7': time,
    'MSH.10': `STAT${n}`,
    'PID.3.1': 'D1007',
    'PID.5.1': 'HOLT',
    'PID.5.2': 'HUGO',
    'ORC.2': `PS${n}`,
    'ORC.3': `FS${n}`,
    'OBR.2': `PS${n}`,
    'OBR.3': `FS${n}`,
    'OBR.7': time,
    'OBR.22': time,
    'OBR.27.6': 'S',
    'OBX.5': '7.40',
    'OBX.8': 'HH',
    'OBX.14': time,
  };
  return { controlId: `STAT${n}`, text: buildMessage(templates.result, fields), what: 'critical potassium' };
}

function make(n: number, what: keyof typeof templates, fields: Record<string, string>): WardMessage {
  return { controlId: `DEMO${n}`, text: buildMessage(templates[what], fields), what };
}

/** One reading of a bedside monitor in the built-in vitals shape. */
export function monitorReading(n: number, now: Date): { topic: string; payload: string } {
  const bed = n % 10;
  const payload = {
    device: `monitor-${bed}`,
    patient: { id: `D${1000 + bed}`, system: 'urn:hilum:demo' },
    location: { unit: 'WARD7', bed: String(bed) },
    time: now.toISOString(),
    readings: [
      { code: 'heartRate', value: String(60 + (n % 40)), unit: '/min' },
      { code: 'spo2', value: `${92 + (n % 8)}.${n % 10}`, unit: '%' },
    ],
    sequence: n,
  };
  return { topic: `devices/monitor-${bed}/vitals`, payload: JSON.stringify(payload) };
}
