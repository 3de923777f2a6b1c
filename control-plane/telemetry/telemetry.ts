/**
 * What gateways report of themselves: the newest custody counts and, for each life of a
 * gateway, its latency histograms. Reports are absolute, so a lost one loses nothing, and
 * histograms of lives and gateways merge exactly. A partial report is completed by what its life told before.
 */
import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';
import {
  DeliveryEntry,
  type LaneAck,
  LaneAck as LaneAckCodec,
  type RepeatReport,
  Telemetry,
} from '../../proto/gen/hilum/v1/session.ts';
import { indexKey, positionKey } from '../eventlog/keys.ts';
import { DamagedRow, orDamaged, readable, type Store } from '../store/store.ts';

/** Custody by hour is told for the last three days. */
const hoursKept = 72n;
const hourUs = 3_600_000_000n;
/** Of one record, in a trace. */
const deliveriesMax = 100;

export interface LatencyFigures {
  gateway: string;
  class: string;
  hop: string;
  histogram: Histogram;
}

export class TelemetryStore {
  readonly #store: Store;
  /** gateway → its newest report */
  readonly #newest = new Map<string, Telemetry>();
  /** gateway, start of life → that life's newest report */
  readonly #lives = new Map<string, { gateway: string; telemetry: Telemetry }>();

  constructor(store: Store) {
    this.#store = store;
  }

  async open(): Promise<void> {
    for await (const { key, value } of readable(this.#store, 'telemetry')) {
      const gateway = key.subarray(0, key.indexOf(0)).toString();
      this.#remember(gateway, Telemetry.decode(value));
    }
  }

  async report(gateway: string, told: Telemetry): Promise<void> {
    const telemetry = completed(told, this.#lives.get(`${gateway}\0${told.startedAtUs}`)?.telemetry);
    this.#remember(gateway, telemetry);
    const key = Buffer.concat([Buffer.from(`${gateway}\0`), indexKey(telemetry.startedAtUs)]);
    await this.#store.write([{ table: 'telemetry', key, value: Telemetry.encode(telemetry).finish() }]);
  }

  newest(gateway: string): Telemetry | undefined {
    return this.#newest.get(gateway);
  }

  /** Merged over the lives of each gateway that is asked for. */
  latency(wanted: (gateway: string) => boolean): LatencyFigures[] {
    const merged = new Map<string, LatencyFigures>();
    for (const { gateway, telemetry } of this.#lives.values()) {
      if (!wanted(gateway)) continue;
      for (const one of telemetry.latency) {
        const histogram = decodeFromCompressedBase64(one.histogram, 64, false);
        histogram.autoResize = true;
        const name = `${one.class}|${one.hop}`;
        const found = merged.get(name);
        if (found === undefined) merged.set(name, { gateway, class: one.class, hop: one.hop, histogram });
        else found.histogram.add(histogram);
      }
    }
    return [...merged.values()];
  }

  /** When the gateway heard an ack: the last hop of every event up to it. */
  async receipts(gateway: string, receipts: readonly LaneAck[]): Promise<void> {
    await this.#store.write(
      receipts.map((receipt) => ({
        table: 'receipts',
        key: positionKey(gateway, receipt.epoch, receipt.lane, receipt.sequence),
        value: LaneAckCodec.encode(receipt).finish(),
      })),
    );
  }

  /** When the gateway heard that this position was stored; 0 while it has not told. */
  async ackedAtUs(gateway: string, epoch: bigint, lane: string, sequence: bigint): Promise<bigint> {
    const [found] = await this.#store.range('receipts', {
      start: positionKey(gateway, epoch, lane, sequence),
      end: positionKey(gateway, epoch, lane, 0xffff_ffff_ffff_ffffn),
      limit: 1,
    });
    return found === undefined ? 0n : LaneAckCodec.decode(found.value).atUs;
  }

  /** Adds to what was told before; for traces. */
  async repeats(gateway: string, { epoch, repeats }: RepeatReport): Promise<void> {
    const rows = await Promise.all(
      repeats.map(async ({ recordSequence, count }) => {
        const key = positionKey(gateway, epoch, '', recordSequence);
        const row = await orDamaged(this.#store.get('repeats', key));
        const before = row === undefined || row instanceof DamagedRow ? 0 : row.readUInt32BE(0);
        const value = Buffer.alloc(4);
        value.writeUInt32BE(before + count);
        return { table: 'repeats', key, value };
      }),
    );
    await this.#store.write(rows);
  }

  async repeatsOf(gateway: string, epoch: bigint, recordSequence: bigint): Promise<bigint> {
    const row = await this.#store.get('repeats', positionKey(gateway, epoch, '', recordSequence));
    return BigInt(row?.readUInt32BE(0) ?? 0);
  }

  /** What became of records at destinations of their site. */
  async deliveries(gateway: string, entries: readonly DeliveryEntry[]): Promise<void> {
    await this.#store.write(
      entries.map((entry) => ({
        table: 'deliveries',
        key: Buffer.concat([deliveriesKey(gateway, entry), indexKey(entry.number)]),
        value: DeliveryEntry.encode(entry).finish(),
      })),
    );
  }

  /** Of one record, in the order in which they were settled. */
  async deliveriesOf(gateway: string, recordEpoch: bigint, recordSequence: bigint): Promise<DeliveryEntry[]> {
    const rows = await this.#store.range('deliveries', {
      start: deliveriesKey(gateway, { recordEpoch, recordSequence }),
      end: deliveriesKey(gateway, { recordEpoch, recordSequence: recordSequence + 1n }),
      limit: deliveriesMax,
    });
    return rows.map(({ value }) => DeliveryEntry.decode(value));
  }

  #remember(gateway: string, telemetry: Telemetry): void {
    const newest = this.#newest.get(gateway);
    if (newest === undefined || newest.atUs <= telemetry.atUs) this.#newest.set(gateway, telemetry);
    this.#lives.set(`${gateway}\0${telemetry.startedAtUs}`, { gateway, telemetry });
  }
}

function completed(report: Telemetry, before: Telemetry | undefined): Telemetry {
  if (!report.partial) return report;
  const told = new Set(report.latency.map((one) => `${one.class}|${one.hop}`));
  const hours = new Set(report.custody.map(({ source, hour }) => `${source}|${hour}`));
  const from = report.atUs / hourUs - hoursKept;
  return {
    ...report,
    partial: false,
    latency: [
      ...(before?.latency.filter((one) => !told.has(`${one.class}|${one.hop}`)) ?? []),
      ...report.latency,
    ],
    custody: [
      ...report.custody.filter(({ hour }) => hour === 0n),
      ...(before?.custody.filter(
        ({ source, hour }) => hour !== 0n && hour > from && !hours.has(`${source}|${hour}`),
      ) ?? []),
      ...report.custody.filter(({ hour }) => hour !== 0n),
    ],
  };
}

function deliveriesKey(
  gateway: string,
  { recordEpoch, recordSequence }: Pick<DeliveryEntry, 'recordEpoch' | 'recordSequence'>,
): Buffer {
  return positionKey(gateway, recordEpoch, '', recordSequence);
}
