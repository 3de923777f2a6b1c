/**
 * What gateways report of themselves: the newest custody counts and, for each life of a
 * gateway, its latency histograms. Reports are absolute, so a lost one loses nothing, and
 * histograms of lives and gateways merge exactly. A partial report is completed by what its life told before.
 * The newest is the one that came last: sessions hand reports over in the order in which they were told, and the clock
 * of a gateway may be set back. So the start of a life tells which one it is, and never which of two is later.
 *
 *   telemetry   gateway \0 start of life(8)   TelemetryRow, the life's newest
 *               gateway \0                    the latency of the lives before those: Telemetry
 */
import {
  DeliveryEntry,
  type LaneAck,
  LaneAck as LaneAckCodec,
  type RepeatReport,
  Telemetry,
} from '../../proto/gen/hilum/v1/session.ts';
import { TelemetryRow } from '../../proto/gen/hilum/v1/store.ts';
import { indexKey, positionKey } from '../eventlog/keys.ts';
import { DamagedRow, orDamaged, type Row, readable, type Store } from '../store/store.ts';
import { type LatencyFigures, Lives, mergedLatency } from './lives.ts';

/** Custody by hour is told for the last three days. */
const hoursKept = 72n;
const hourUs = 3_600_000_000n;
/** Of one record, in a trace. */
const deliveriesMax = 100;

export class TelemetryStore {
  readonly #store: Store;
  /** gateway → the report that came last */
  readonly #newest = new Map<string, Telemetry>();
  /** By gateway. */
  readonly #lives = new Map<string, Lives>();
  /** Reports that were taken up, of all gateways. */
  #taken = 0n;

  constructor(store: Store) {
    this.#store = store;
  }

  async open(): Promise<void> {
    const told: { gateway: string; report: Telemetry; taken: bigint }[] = [];
    for await (const { key, value } of readable(this.#store, 'telemetry')) {
      const gateway = key.subarray(0, key.indexOf(0)).toString();
      if (key.equals(earlierKey(gateway))) this.#livesOf(gateway).setEarlier(Telemetry.decode(value));
      else {
        const { report = Telemetry.decode(value), taken } = TelemetryRow.decode(value);
        told.push({ gateway, report, taken });
      }
    }
    // In the order in which they came, which rows of earlier builds do not tell.
    told.sort((a, b) => Number(a.taken - b.taken) || Number(a.report.atUs - b.report.atUs));
    for (const { gateway, report } of told) this.#remember(gateway, report);
    this.#taken = told.at(-1)?.taken ?? 0n;
    const rows = [...this.#lives.keys()].flatMap((gateway) => this.#sumUp(gateway));
    if (rows.length > 0) await this.#store.write(rows);
  }

  /** Of one gateway in the order in which it told them. */
  async report(gateway: string, told: Telemetry): Promise<void> {
    const report = completed(told, this.#livesOf(gateway).get(told.startedAtUs));
    this.#remember(gateway, report);
    this.#taken += 1n;
    const row = {
      table: 'telemetry',
      key: lifeKey(gateway, report.startedAtUs),
      value: TelemetryRow.encode(TelemetryRow.create({ report, taken: this.#taken })).finish(),
    };
    await this.#store.write([row, ...this.#sumUp(gateway)]);
  }

  newest(gateway: string): Telemetry | undefined {
    return this.#newest.get(gateway);
  }

  /** Merged over the lives of each gateway that is asked for. */
  latency(wanted: (gateway: string) => boolean): LatencyFigures[] {
    return mergedLatency(
      [...this.#lives].flatMap(([gateway, lives]) => (wanted(gateway) ? lives.latency() : [])),
    );
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
    this.#newest.set(gateway, telemetry);
    this.#livesOf(gateway).set(telemetry);
  }

  /** What is to be written where there were too many lives. */
  #sumUp(gateway: string): Row[] {
    const summed = this.#livesOf(gateway).sumUp();
    if (summed === undefined) return [];
    const table = 'telemetry';
    return [
      { table, key: earlierKey(gateway), value: Telemetry.encode(summed.earlier).finish() },
      ...summed.ended.map((start) => ({ table, key: lifeKey(gateway, start), value: undefined })),
    ];
  }

  #livesOf(gateway: string): Lives {
    const lives = this.#lives.get(gateway) ?? new Lives();
    this.#lives.set(gateway, lives);
    return lives;
  }
}

function lifeKey(gateway: string, startedAtUs: bigint): Buffer {
  return Buffer.concat([earlierKey(gateway), indexKey(startedAtUs)]);
}

/** Of the sum of the lives that have no row of their own any more. */
function earlierKey(gateway: string): Buffer {
  return Buffer.from(`${gateway}\0`);
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
