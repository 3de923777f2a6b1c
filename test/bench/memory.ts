/**
 * The memory at a size: `node dist/test/bench/memory.js [rows=1000000] [results=8]`. Not part of the suite.
 * Fills a journal with orders as the rules write them and prints what a reader pays: bytes of the file and of
 * the rows, resident memory, microseconds a lookup (random, as one job asks; then over again), a put with its
 * sweep, and the worker's share: opening, applying and sealing one order's row.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from '../../gateway/journal/journal.ts';
import { memoryPlace } from '../../gateway/journal/layout.ts';
import type { MemoryRow } from '../../gateway/journal/memory.ts';
import { stateOf } from '../../gateway/normalize/memory/newness.ts';
import { orderRow } from '../../gateway/normalize/memory/status.ts';
import { blindKey, createBlind } from '../../gateway/process/keys.ts';
import { createOpener, createSealer } from '../../gateway/process/seal.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { below, seededRandom } from '../kit/random.ts';

const [rows = 1_000_000, results = 8] = process.argv.slice(2).map(Number);
const rowsAJob = 64;
const directory = mkdtempSync(join(tmpdir(), 'hilum-bench-memory-'));
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
    memoryEntriesMax: rows * 2,
    memoryBytesMax: 16 * 1024 ** 3,
    orderKeysOf: () => [],
  },
  {
    onFault: (code) => {
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
const blind = createBlind(blindKey(key));
const sealer = createSealer(key, journal.segment, 77);
const opener = createOpener(key, (number) => journal.segmentSalt(number));
const random = seededRandom(1);
const nowS = Math.floor(Date.now() / 1000);

const keyOf = (order: number) => Buffer.concat([Buffer.of(orderRow.number), blind(`order ${order}`)]);
const time = { value: '2026-11-23T08:15:00+01:00', precision: 'second', offset: '+01:00' };
const event = ClinicalEvent.fromPartial({
  status: 'final',
  times: { issued: time, message: time, observed: time },
});
const about = {
  epoch: journal.epoch,
  sequence: 1n,
  source: 'lab',
  capturedAtUs: BigInt(nowS) * 1_000_000n,
  enrichment: undefined,
};
const state = stateOf(event, about);
const content = {
  epoch: journal.epoch,
  patient: ['urn:oid:1.2.3.4.5|123456789'],
  states: [{ ...state, epoch: 0n }],
  observations: Array.from({ length: results }, (_, at) => ({
    key: `http://loinc.org|${2800 + at}-3||`,
    states: [
      {
        ...state,
        epoch: 0n,
        value: '140.5',
        unit: 'mmol/L',
        effective: time.value,
        effectiveMs: state.issuedMs,
      },
    ],
  })),
};

function rowOf(order: number): MemoryRow {
  const at = keyOf(order);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(nowS + orderRow.keepS);
  return { key: at, value: Buffer.concat([head, sealer.seal(memoryPlace(at), orderRow.encode(content))]) };
}

function put(orders: readonly number[]): void {
  const remembered = orders.map(rowOf);
  journal.memory.stage(remembered);
  journal.finish([], [{ lanes: [], rejects: [], deliveries: [], remembered }]);
}

const jobOf = (from: number) => Array.from({ length: Math.min(rowsAJob, rows - from) }, (_, at) => from + at);
const anyJob = () => Array.from({ length: rowsAJob }, () => below(random, rows));
const ms = (startedAt: number) => performance.now() - startedAt;

/** Microseconds a row, the median of the jobs: the machine may have other work. */
async function timed(
  jobs: number,
  work: (orders: readonly number[]) => void,
  settle = false,
): Promise<number> {
  const spentMs: number[] = [];
  for (let job = 0; job < jobs; job += 1) {
    const orders = anyJob();
    const startedAt = performance.now();
    work(orders);
    spentMs.push(ms(startedAt));
    if (settle) await journal.stop();
  }
  spentMs.sort((a, b) => a - b);
  return ((spentMs[jobs >> 1] ?? 0) * 1000) / rowsAJob;
}

const startedAt = performance.now();
for (let from = 0; from < rows; from += rowsAJob) {
  put(jobOf(from));
  if (from % (rowsAJob * 64) === 0) await journal.stop();
}
await journal.stop();
const filledS = ms(startedAt) / 1000;
const rss = () => `${Math.round(process.memoryUsage().rss / 1024 ** 2)} MiB`;
const filled = rss();
const recalled = (orders: readonly number[]) => {
  const found = journal.memory.recall(Buffer.concat(orders.map(keyOf)), nowS);
  if (found.some((value) => value === undefined)) throw new Error('a row is missing');
};
const keysOnly = await timed(500, (orders) => void Buffer.concat(orders.map(keyOf)));
const cold = await timed(500, recalled);
const warm = await timed(2000, recalled);
const sealOnly = await timed(500, (orders) => void orders.map(rowOf));
const remembered = Array.from({ length: 300 }, () => anyJob().map(rowOf));
const putOnly = await timed(
  remembered.length,
  () => {
    const some = remembered.pop() ?? [];
    journal.memory.stage(some);
    journal.finish([], [{ lanes: [], rejects: [], deliveries: [], remembered: some }]);
  },
  true,
);
const values = anyJob().map((order) => ({ at: keyOf(order), value: rowOf(order).value }));
const openUs = await timed(200, () => {
  for (const { at, value } of values) orderRow.decode(opener.open(memoryPlace(at), value.subarray(4)));
});
const { entries, bytes } = journal.memory.stats();
const figures = {
  rows: entries,
  'results a row': results,
  'bytes a value': rowOf(1).value.length,
  'rows, MiB': Math.round(bytes / 1024 ** 2),
  'file, MiB': Math.round(statSync(join(directory, 'data.mdb')).size / 1024 ** 2),
  'filled in, s': Math.round(filledS),
  'resident after filling (with mapped pages)': filled,
  'resident now': rss(),
  'µs a lookup, first': (cold - keysOnly).toFixed(1),
  'µs a lookup, then': (warm - keysOnly).toFixed(1),
  'µs a put with its sweep, main thread': putOnly.toFixed(1),
  'µs to encode and seal a row, worker': sealOnly.toFixed(1),
  'µs to open and decode a row, worker': openUs.toFixed(1),
};
for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name.padEnd(44)} ${value}\n`);
await journal.close();
rmSync(directory, { recursive: true, force: true });
