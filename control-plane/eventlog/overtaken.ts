/**
 * Which events were replaced before they arrived: an urgent correction leaves its gateway before the first report
 * that waits in the routine lane.
 *
 *   overtaken   gateway \0 record epoch(8) sequence(8) index(8)    nothing: the event at that index replaces the record
 *
 * Written with the batch of the event that replaces; read with each event that may be replaced, for those that stand
 * before it in the log, so that a reader is told the same whenever it reads.
 */
import { markOvertaken } from '../../gateway/normalize/memory/overtaken.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import type { Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { DamagedRow, orDamaged, type Row, type Store } from '../store/store.ts';
import type { Book, Numbered } from './book.ts';
import { asStored } from './clinical.ts';
import type { StoredEvent } from './eventlog.ts';
import { indexKey } from './keys.ts';

const table = 'overtaken';
/** More states of one record than anybody sends. */
const replacersMax = 16;
/** What has a status that a later event may replace [order-texts.ts]. */
const followed: ReadonlySet<string> = new Set(['observation', 'order', 'medication', 'document', 'schedule']);
const nothing = new Uint8Array(0);

export class Overtaken implements Book {
  readonly #store: Store;
  readonly #earlierNames: (gateway: string) => readonly string[];

  constructor(store: Store, earlierNames: (gateway: string) => readonly string[]) {
    this.#store = store;
    this.#earlierNames = earlierNames;
  }

  concerns({ replaces }: Envelope): boolean {
    return replaces;
  }

  async rowsOf(gateway: string, events: readonly Numbered[]): Promise<Row[]> {
    return events.flatMap(({ envelope, index }) => {
      const { supersessions } = ClinicalEvent.decode(envelope.event);
      const records = supersessions.flatMap(({ thisIsSuperseded, record }) =>
        thisIsSuperseded || record === undefined ? [] : [prefix(gateway, record.epoch, record.sequence)],
      );
      const distinct = new Map(records.map((key) => [key.toString('latin1'), key]));
      return [...distinct.values()].map((key) => {
        return { table, key: Buffer.concat([key, indexKey(index)]), value: nothing };
      });
    });
  }

  /** @param at gives the event at an index */
  async complete(
    stored: StoredEvent,
    event: ClinicalEvent,
    at: (index: bigint) => Promise<StoredEvent | undefined>,
  ): Promise<void> {
    const { recordEpoch: epoch, recordSequence: sequence, kind } = stored.envelope;
    if (!followed.has(kind)) return;
    for (const gateway of [stored.gateway, ...this.#earlierNames(stored.gateway)]) {
      const start = prefix(gateway, epoch, sequence);
      const end = Buffer.concat([start, indexKey(stored.index)]);
      const rows = await orDamaged(this.#store.range(table, { start, end, limit: replacersMax }));
      // The key says all that a row says.
      for (const { key } of rows instanceof DamagedRow ? [rows] : rows) {
        // What cannot be read costs itself, and not what it had replaced.
        const by = await orDamaged(at(key.readBigUInt64BE(key.length - 8)));
        if (by === undefined || by instanceof DamagedRow) continue;
        markOvertaken(event, { epoch, sequence }, asStored(by));
      }
    }
  }
}

function prefix(gateway: string, epoch: bigint, sequence: bigint): Buffer {
  return Buffer.concat([Buffer.from(`${gateway}\0`), indexKey(epoch), indexKey(sequence)]);
}
