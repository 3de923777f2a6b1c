/**
 * Synthetic HL7 v2 messages and device readings: our own content, distinct, and the same on every run.
 *
 * Message n of a maker is a fixed text whose digits are patched in place, so that making one costs a copy
 * and a few bytes and a load generator spends its time on sockets. Invariants: (seed, kind, n) decides every
 * byte; no two n of a maker give equal bytes; MSH-10 names kind, seed and n; every patient is called
 * CANARYPATIENT, so that one grep over logs, metrics and crash reports finds a leak.
 *
 *   0x0B MSH|^~\&|KITLAB|...|O0007 00000000042|P|2.5.1 ... 0x1C 0x0D      `framed`
 *        '------------------- message -----------------'                  `bytes`, a view of it
 */
import { frame } from './mllp-frame.ts';
import { mix32 } from './random.ts';

/** What no log, metric, environment or crash report may ever hold. */
export const canary = {
  family: 'CANARYPATIENT',
  given: 'Quillon',
  street: '17 Canaryleak Lane',
  mrnPrefix: 'CNRY',
} as const;

export type MessageKind =
  | 'oru'
  | 'oruStat'
  | 'oru10k'
  | 'correction'
  | 'adt'
  | 'orm'
  | 'ormStat'
  | 'oruCritical';

export interface TestMessage {
  readonly n: number;
  readonly kind: MessageKind;
  /** MSH-10. */
  readonly controlId: string;
  /** PID-3.1; the order of one patient's messages is what must be kept. */
  readonly patientId: string;
  /** The bytes between the framing. */
  readonly bytes: Buffer;
  /** The MLLP block that holds them. */
  readonly framed: Buffer;
}

export interface MakerOptions {
  readonly seed: number;
  readonly kind: MessageKind;
  /** Patients among whom messages are spread. */
  readonly patients?: number;
  /** MSH-3 and MSH-4. */
  readonly sendingApplication?: string;
  readonly sendingFacility?: string;
  /** MSH-15 and MSH-16; both empty is the original mode. */
  readonly acceptAck?: string;
  readonly applicationAck?: string;
}

interface Patch {
  readonly at: number;
  readonly width: number;
  /** The number whose last `width` decimal digits stand here. */
  readonly source: 'n' | 'patient' | 'value' | 'second';
  readonly salt: number;
}

const kindLetters: Record<MessageKind, string> = {
  oru: 'O',
  oruStat: 'S',
  oru10k: 'L',
  correction: 'C',
  adt: 'A',
  orm: 'M',
  ormStat: 'U',
  oruCritical: 'R',
};

/** Makes message n of one kind. About a microsecond each for 1 KB. */
export function messageMaker(options: MakerOptions): (n: number) => TestMessage {
  const { seed, kind, patients = 1000 } = options;
  const { template, patches } = compile(textOf(options));
  const prefix = controlIdPrefix(kind, seed);
  return (n) => {
    const framed = Buffer.allocUnsafe(template.length);
    template.copy(framed);
    // A correction n belongs to the patient and the order of result n.
    const mixed = mix32(seed, n);
    const patient = mixed % patients;
    for (const patch of patches) {
      const value = patch.source === 'value' ? mix32(mixed + (kind === 'correction' ? 7 : 0), patch.salt) : n;
      const number =
        patch.source === 'patient' ? patient : patch.source === 'second' ? (n % 5) * 10 + (n % 10) : value;
      writeDigits(framed, patch.at, patch.width, number);
    }
    return {
      n,
      kind,
      controlId: prefix + String(n).padStart(11, '0'),
      patientId: canary.mrnPrefix + String(patient).padStart(6, '0'),
      bytes: framed.subarray(1, framed.length - 2),
      framed,
    };
  };
}

/** A hospital's mixture: results mostly, admissions, orders, one in twenty urgent, some corrections. */
export function mixedMaker(options: Omit<MakerOptions, 'kind'>): (n: number) => TestMessage {
  const makers = new Map<MessageKind, (n: number) => TestMessage>();
  for (const kind of Object.keys(kindLetters) as MessageKind[]) {
    makers.set(kind, messageMaker({ ...options, kind }));
  }
  return (n) => makers.get(kindFor(mix32(options.seed ^ 0x5bd1e995, n) % 100))!(n);
}

/** A device reading as JSON, about 200 bytes, distinct for each (seed, n); for MQTT. */
export function readingMaker(seed: number): (n: number) => Buffer {
  const marker = '~NNNNNNNNNNN~';
  const text =
    `{"device":"pump-${hex16(seed)}","sequence":${marker},"time":"2026-03-01T10:00:00.000Z",` +
    `"patient":"${canary.mrnPrefix}000001","observations":[{"code":"150456","name":"MDC_PULS_OXIM_SAT_O2",` +
    `"value":"9~V~.~V~","unit":"%"}]}`;
  const head = text.indexOf(marker);
  const template = Buffer.from(text.replace(marker, '10000000000').replaceAll('~V~', '0'), 'latin1');
  const values = [template.indexOf('"9') + 2, template.indexOf('"9') + 4];
  return (n) => {
    const reading = Buffer.from(template);
    // The leading 1 keeps the number a JSON number: no leading zeros.
    writeDigits(reading, head + 1, 10, n);
    const mixed = mix32(seed, n);
    writeDigits(reading, values[0]!, 1, mixed % 10);
    writeDigits(reading, values[1]!, 1, (mixed >>> 8) % 10);
    return reading;
  };
}

function kindFor(roll: number): MessageKind {
  if (roll < 60) return 'oru';
  if (roll < 64) return 'oruStat';
  if (roll < 65) return 'oruCritical';
  if (roll < 68) return 'oru10k';
  if (roll < 72) return 'correction';
  if (roll < 87) return 'adt';
  return roll < 98 ? 'orm' : 'ormStat';
}

function controlIdPrefix(kind: MessageKind, seed: number): string {
  return kindLetters[kind] + hex16(seed);
}

function hex16(seed: number): string {
  return (seed & 0xffff).toString(16).toUpperCase().padStart(4, '0');
}

// Placeholders are ~N11~ (n), ~P6~ (patient), ~V2~ (a value of its own at each place), ~S2~ (seconds).
function compile(text: string): { template: Buffer; patches: Patch[] } {
  const patches: Patch[] = [];
  let plain = '';
  let from = 0;
  for (const match of text.matchAll(/~([NPVS])(\d+)~/g)) {
    plain += text.slice(from, match.index);
    const width = Number(match[2]);
    const source = ({ N: 'n', P: 'patient', V: 'value', S: 'second' } as const)[match[1] as 'N'];
    patches.push({ at: plain.length + 1, width, source, salt: patches.length });
    plain += '0'.repeat(width);
    from = match.index + match[0].length;
  }
  return { template: frame(Buffer.from(plain + text.slice(from), 'latin1')), patches };
}

function writeDigits(bytes: Buffer, at: number, width: number, number: number): void {
  let left = number;
  for (let place = at + width - 1; place >= at; place -= 1) {
    bytes[place] = 0x30 + (left % 10);
    left = Math.floor(left / 10);
  }
}

function textOf(options: MakerOptions): string {
  return `${segmentsOf(options).join('\r')}\r`;
}

function segmentsOf(options: MakerOptions): string[] {
  switch (options.kind) {
    case 'oru':
      return result(options, { priority: 'R', results: chemistry, status: 'F' });
    case 'oruStat':
      return result(options, { priority: 'S', results: chemistry, status: 'F' });
    case 'oruCritical':
      return result(options, { priority: 'R', results: critical, status: 'F' });
    case 'correction':
      return result(options, { priority: 'R', results: chemistry, status: 'C' });
    case 'oru10k':
      return result(options, { priority: 'R', results: longPanel(), status: 'F' });
    case 'adt':
      return admission(options);
    case 'orm':
      return order(options, 'R');
    case 'ormStat':
      return order(options, 'S');
  }
}

function header(options: MakerOptions, type: string): string {
  const application = options.sendingApplication ?? 'KITLAB';
  const facility = options.sendingFacility ?? 'KITSITE';
  const acks = options.acceptAck || options.applicationAck;
  const tail = acks ? `|||${options.acceptAck ?? ''}|${options.applicationAck ?? ''}` : '';
  const id = `${controlIdPrefix(options.kind, options.seed)}~N11~`;
  return `MSH|^~\\&|${application}|${facility}|HILUM|CENTRE|202603011000~S2~||${type}|${id}|P|2.5.1${tail}`;
}

const patient =
  `PID|1||${canary.mrnPrefix}~P6~^^^KITMRN^MR||${canary.family}^${canary.given}^T||19610704|F|||` +
  `${canary.street}^^Testville^^00000`;

interface Analyte {
  readonly code: string;
  readonly value: string;
  readonly unit: string;
  readonly range: string;
  readonly flag: string;
}

const chemistry: readonly Analyte[] = [
  { code: '2823-3^Potassium^LN', value: '4.~V2~', unit: 'mmol/L', range: '3.5-5.1', flag: 'N' },
  { code: '2951-2^Sodium^LN', value: '13~V1~', unit: 'mmol/L', range: '136-145', flag: 'N' },
  { code: '2345-7^Glucose^LN', value: '1~V2~', unit: 'mg/dL', range: '70-199', flag: 'N' },
  { code: '2160-0^Creatinine^LN', value: '1.~V2~', unit: 'mg/dL', range: '0.6-1.3', flag: 'N' },
  { code: '17861-6^Calcium^LN', value: '9.~V1~', unit: 'mg/dL', range: '8.6-10.3', flag: 'N' },
  { code: '2028-9^Carbon dioxide^LN', value: '2~V1~', unit: 'mmol/L', range: '20-29', flag: 'N' },
  { code: '718-7^Hemoglobin^LN', value: '13.~V1~', unit: 'g/dL', range: '12.0-16.0', flag: 'N' },
  { code: '777-3^Platelets^LN', value: '2~V2~', unit: '10*3/uL', range: '150-400', flag: 'N' },
];

const critical: readonly Analyte[] = [
  { code: '2823-3^Potassium^LN', value: '7.~V2~', unit: 'mmol/L', range: '3.5-5.1', flag: 'HH' },
  ...chemistry.slice(1),
];

function longPanel(): Analyte[] {
  const rows: Analyte[] = [];
  for (let row = 0; row < 116; row += 1) {
    const code = `KIT${String(row).padStart(3, '0')}^Panel analyte ${row}^L`;
    rows.push({ code, value: '~V3~.~V1~', unit: 'umol/L', range: '0.0-999.9', flag: 'N' });
  }
  return rows;
}

interface ResultShape {
  readonly priority: 'R' | 'S';
  readonly results: readonly Analyte[];
  readonly status: 'C' | 'F';
}

function result(options: MakerOptions, { priority, results, status }: ResultShape): string[] {
  const times = '20260301095500|||||||||1234^Kitorder^Anna||||||202603011000~S2~||LAB';
  return [
    header(options, 'ORU^R01^ORU_R01'),
    patient,
    'PV1|1|I|WARD3^12^A^KITSITE||||1234^Kitorder^Anna',
    'ORC|RE|P~N11~|F~N11~',
    // OBR-27.6 is the priority, OBR-25 the status of the whole.
    `OBR|1|P~N11~|F~N11~|24323-8^Metabolic panel^LN|||${times}|${status}||^^^^^${priority}`,
    ...results.map((row, index) => observation(row, index + 1, status)),
  ];
}

function observation({ code, value, unit, range, flag }: Analyte, set: number, status: string): string {
  return `OBX|${set}|NM|${code}||${value}|${unit}|${range}|${flag}|||${status}|||20260301095500`;
}

function admission(options: MakerOptions): string[] {
  return [
    header(options, 'ADT^A01^ADT_A01'),
    'EVN|A01|20260301100000',
    patient,
    'NK1|1|CANARYPATIENT^Odo|SPO^Spouse',
    'PV1|1|I|WARD3^~V2~^A^KITSITE|E|||1234^Kitorder^Anna|||MED||||1|||||V~N11~|||||||||||||||||||||||||20260301095900',
    'AL1|1|DA|70618^Penicillin^RXNORM|SV|Hives',
    'DG1|1||I10^Essential hypertension^I10||20260301|A',
  ];
}

function order(options: MakerOptions, priority: 'R' | 'S'): string[] {
  return [
    header(options, 'ORM^O01^ORM_O01'),
    patient,
    'PV1|1|I|WARD3^12^A^KITSITE||||1234^Kitorder^Anna',
    `ORC|NW|P~N11~|||||^^^20260301101500^^${priority}||202603011000~S2~|||1234^Kitorder^Anna`,
    `OBR|1|P~N11~||24323-8^Metabolic panel^LN|||20260301101500|||||||||1234^Kitorder^Anna|||||||||||^^^^^${priority}`,
    'NTE|1||Fasting sample ~V4~',
  ];
}
