/**
 * The memory at a size: a journal with one remembered patient, one order of eight results and these as previous
 * values each, written as the normalizer writes them. Prints one JSON line: what the index takes, microseconds of a lookup (never
 * seen; decoded lately; cold, from the disk through the seal), of a start, and bytes on the disk.
 *
 *   node million-patients.js --dir DIR [--patients 1000000]
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Journal } from '../../gateway/journal/journal.ts';
import { fresh } from '../../gateway/normalize/hl7v2/shapes.ts';
import type { Need } from '../../gateway/normalize/memory/memory.ts';
import { orderRow } from '../../gateway/normalize/memory/order-rows.ts';
import { personRow } from '../../gateway/normalize/memory/person.ts';
import { lasting } from '../../gateway/normalize/memory/rules.ts';
import { seriesRow } from '../../gateway/normalize/memory/series.ts';
import { withReport } from '../../gateway/normalize/memory/series-codec.ts';
import { createKeyedHash } from '../../gateway/process/keyed-hash.ts';
import { memoryKey } from '../../gateway/process/keys.ts';
import { JobMemory, WorkerMemory } from '../../gateway/worker-memory.ts';
import { Identifier } from '../../proto/gen/hilum/v1/event.ts';
import { below, seededRandom } from '../kit/random.ts';

const { values } = parseArgs({
  options: { dir: { type: 'string' }, patients: { type: 'string', default: '1000000' } },
});
const patients = Number(values.patients);
const patientsAJob = 32;
const lookups = 20_000;
const directory = mkdtempSync(join(values.dir ?? '.', 'patients-'));
const key = randomBytes(32);
const nothing = () => {};
const journal = await Journal.open(
  {
    directory,
    key,
    budgetBytes: 64 * 1024 ** 3,
    reserveBytes: 0,
    repeatEntriesMax: 1000,
    repeatAgeMs: 1000,
    memoryEntriesMax: patients * 4,
    memoryBytesMax: 16 * 1024 ** 3,
    orderKeysOf: () => [],
  },
  {
    onFault(code) {
      throw new Error(code);
    },
    onAlarm: nothing,
    onRecords: nothing,
    onEvents: nothing,
    onEpoch: nothing,
    onDeliveries: nothing,
    onRepeat: nothing,
  },
);
const nowS = Date.now() / 1000;

/** As it starts beside the journal: nothing is at hand but where everything stands. */
function normalizer(): WorkerMemory {
  const memory = new WorkerMemory({
    keyed: createKeyedHash(memoryKey(key)),
    nextRow: journal.memory.nextRow,
    lasting,
  });
  for (const heads of journal.memory.heads()) memory.load(Buffer.from(heads));
  return memory;
}

const needsOf = (patient: number): Need[] => [
  { kind: personRow, text: `urn:oid:1.2.3.4.5|${100_000_000 + patient}` },
  { kind: seriesRow, text: `urn:oid:1.2.3.4.5|${100_000_000 + patient}` },
  { kind: orderRow, text: `observation\nlab\nurn:hilum:lab\nF${patient}\nhttp://loinc.org|24323-8\n` },
];
const from = { source: 'adt', record: { epoch: 1n, sequence: 1n }, capturedS: Math.floor(nowS), saidMs: 1 };
const state = {
  sequence: 1,
  epoch: 0n,
  status: 'final',
  issuedMs: Math.floor(nowS) * 1000,
  effectiveMs: 0,
  analyzedMs: 0,
  messageMs: Math.floor(nowS) * 1000,
  capturedS: Math.floor(nowS),
  value: '',
  digest: new Uint8Array(0),
  unit: '',
  effective: '',
};

function rowsOf(patient: number): unknown[] {
  const text = String(100_000_000 + patient);
  const identifier = Identifier.create({ system: 'urn:oid:1.2.3.4.5', value: text, type: 'MR' });
  const name = { ...fresh.name(), family: `FAMILY${text}`, given: ['Given'] };
  const said = { value: '1961-07-04', from, settled: true };
  const person = {
    birthDates: [said],
    sexes: [{ ...said, value: 'female' }],
    patient: { ...fresh.patient(), identifiers: [identifier], names: [name], birthDate: '1961-07-04' },
    patientFrom: from,
    encounter: undefined,
    encounterFrom: undefined,
  };
  const effective = { effectiveMs: 1_764_000_000_000, effective: '2026-11-24T16:00:00+01:00' };
  const observations = Array.from({ length: 8 }, (_, at) => ({
    key: `http://loinc.org|${2800 + at}-3|`,
    states: [{ ...state, ...effective, value: '140.5', unit: 'mmol/L' }],
  }));
  const order = {
    epoch: 1n,
    patient: [`urn:oid:1.2.3.4.5|${text}`],
    states: [state],
    observations,
  };
  const values = observations.map((_, at) => ({
    key: { high: at, low: at },
    value: '140.5',
    unit: 'mmol/L',
    status: 'final',
    ...effective,
  }));
  const report = {
    order: [patient, 1] as const,
    sequence: patient,
    epoch: 0n,
    source: 'lab',
    specimen: 0,
    isWithdrawn: false,
  };
  const { capturedS } = state;
  return [person, withReport(undefined, { ...report, capturedS, values }, 1n), order];
}

const writer = normalizer();
for (let first = 0; first < patients; first += patientsAJob) {
  const job = new JobMemory(writer, nowS);
  for (let patient = first; patient < Math.min(patients, first + patientsAJob); patient += 1) {
    const needs = needsOf(patient);
    job.need(needs);
    const rows = rowsOf(patient);
    job.record(() => {
      for (const [at, { kind, text }] of needs.entries()) job.set(kind, text, rows[at]);
    });
  }
  const remembered = job.finish();
  if (remembered === undefined) throw new Error('a job remembered nothing');
  journal.memory.accept(remembered, writer.entries);
  journal.finish([], [{ lanes: [], rejects: [], deliveries: [], remembered: remembered.row }]);
  if (first % (patientsAJob * 64) === 0) await journal.stop();
}
await journal.stop();

const random = seededRandom(1);
const anyone = () => Array.from({ length: lookups }, () => below(random, patients));
const startedAt = performance.now();
const memory = normalizer();
const startMs = performance.now() - startedAt;

/** Microseconds each; of the person alone, one job a lookup as for one message. */
function lookUp(who: readonly number[], isKnown: boolean): number {
  const began = performance.now();
  for (const patient of who) {
    const job = new JobMemory(memory, nowS);
    const [need] = needsOf(patient) as [Need];
    job.need([need]);
    const wanted = job.wanted();
    if (wanted.length > 0) {
      const [{ row, chunk }] = wanted as [(typeof wanted)[number]];
      const sealed = journal.memory.read(row, chunk);
      job.have([sealed === undefined ? undefined : Uint8Array.from(sealed)]);
    }
    if ((job.get(need.kind, need.text) !== undefined) !== isKnown) throw new Error('found what is not there');
  }
  return ((performance.now() - began) * 1000) / who.length;
}

const strangers = anyone().map((one) => one + patients);
lookUp(strangers, false);
const never = lookUp(strangers, false);
const cold = lookUp(anyone(), true);
const few = anyone().slice(0, 1000);
lookUp(few, true);
const again = lookUp(few, true);
const { entries, rows, bytes } = journal.memory.stats();
const figures = {
  patients,
  entries,
  rows,
  indexBytes: memory.indexBytes,
  residentBytes: process.memoryUsage().rss,
  journalBytes: bytes,
  fileBytes: statSync(join(directory, 'data.mdb')).size,
  startMs: Math.round(startMs),
  neverSeenUs: Number(never.toFixed(2)),
  decodedUs: Number(again.toFixed(2)),
  coldUs: Number(cold.toFixed(1)),
};
console.log(JSON.stringify({ bench: 'million-patients', ...figures }));
await journal.close();
rmSync(directory, { recursive: true, force: true });
