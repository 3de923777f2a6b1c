/**
 * What the gateways have in quarantine: metadata only. The payload stays at the site until it is asked for.
 *
 *   quarantine            id                              QuarantineEntry
 *   quarantine-replayed   gateway record hash sequence    id of the entry that was journaled again under this sequence
 */
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import { wireLimits } from '../../proto/limits.ts';
import { indexKey } from '../eventlog/keys.ts';
import { DamagedRow, orDamaged, type Row, readable, type Store } from '../store/store.ts';

/** What is added to each entry on the way is small beside the rest of the message. */
const answerBytesMax = wireLimits.messageBytesMax / 2;

export class QuarantineIndex {
  readonly #store: Store;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: Store) {
    this.#store = store;
  }

  async add(entries: readonly QuarantineEntry[]): Promise<void> {
    if (entries.length > 0) await this.#store.write(this.rowsOf(entries));
  }

  /** What is written for an entry follows from what stands there: one after the other, so that neither undoes the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /**
   * What is to be written for them: those that are not here (what came before stays what it is, also where it was
   * taken out meanwhile), and what is here and was taken out at its site.
   * @param isOwn may whoever tells of an entry speak of it? `found` is what stands under its id
   */
  async fresh(
    entries: readonly QuarantineEntry[],
    isOwn: (entry: QuarantineEntry, found: QuarantineEntry | undefined) => boolean = () => true,
  ): Promise<QuarantineEntry[]> {
    const fresh: QuarantineEntry[] = [];
    for (const entry of entries) {
      const found = await orDamaged(this.get(entry.id));
      if (!isOwn(entry, found instanceof DamagedRow ? undefined : found)) continue;
      // In place of one that is damaged stands what its gateway tells.
      if (found instanceof DamagedRow) {
        fresh.push(entry);
        continue;
      }
      if (entry.state === 'replayed' || entry.state === 'discarded') {
        // The answer to who asked for it may have been first: that does not tell as what.
        const { state, replayedAs, replayedAtUs } = entry;
        const tellsAs = replayedAs !== 0n && replayedAs !== found?.replayedAs;
        const tellsMore = tellsAs || (replayedAtUs !== 0n && found?.replayedAtUs === 0n);
        if (found !== undefined && (found.state === 'open' || tellsMore)) {
          fresh.push({ ...found, state, replayedAs, replayedAtUs });
        }
        continue;
      }
      // A journal that went back in time gives the id of one record to another: what is there now is shown.
      const same =
        found?.number === entry.number && found.atUs === entry.atUs && found.recordHash === entry.recordHash;
      if (!same) fresh.push(entry);
    }
    return fresh;
  }

  /** What stands for these entries once it is written. */
  rowsOf(entries: readonly QuarantineEntry[]): Row[] {
    return entries.flatMap((entry) => {
      const { id, gateway, recordHash, replayedAs } = entry;
      const row = {
        table: 'quarantine',
        key: Buffer.from(id),
        value: QuarantineEntry.encode(entry).finish(),
      };
      if (replayedAs === 0n) return [row];
      const key = replayedKey(gateway, recordHash, replayedAs);
      return [row, { table: replayedTable, key, value: Buffer.from(id) }];
    });
  }

  /** Where a record was before it was replayed, the first time first; under whatever of these names its gateway had. */
  async before(
    gateways: readonly string[],
    recordHash: string,
    recordSequence: bigint,
  ): Promise<QuarantineEntry[]> {
    const found: QuarantineEntry[] = [];
    let sequence = recordSequence;
    for (;;) {
      const entry = await this.#replayedAs(gateways, recordHash, sequence);
      // A sequence only ever goes up, so this ends.
      if (entry === undefined || entry.recordSequence >= sequence) return found;
      found.unshift(entry);
      sequence = entry.recordSequence;
    }
  }

  async #replayedAs(
    gateways: readonly string[],
    recordHash: string,
    sequence: bigint,
  ): Promise<QuarantineEntry | undefined> {
    for (const gateway of gateways) {
      const id = await this.#store.get(replayedTable, replayedKey(gateway, recordHash, sequence));
      if (id !== undefined) return this.get(id.toString());
    }
    return undefined;
  }

  async get(id: string): Promise<QuarantineEntry | undefined> {
    const row = await this.#store.get('quarantine', Buffer.from(id));
    return row === undefined ? undefined : QuarantineEntry.decode(row);
  }

  /**
   * The newest that are wanted, oldest first, at most `max` and so many as one answer carries, and how many older ones were
   * wanted as well.
   */
  async list(
    wanted: (entry: QuarantineEntry) => boolean,
    max: number,
  ): Promise<{ entries: QuarantineEntry[]; leftOut: number }> {
    let found: { entry: QuarantineEntry; bytes: number }[] = [];
    let count = 0;
    const newest = () => {
      found.sort((a, b) => Number(a.entry.atUs - b.entry.atUs));
      let from = found.length;
      for (let bytes = 0; from > 0 && found.length - from < max; from -= 1) {
        bytes += found[from - 1]?.bytes ?? 0;
        if (bytes > answerBytesMax) break;
      }
      return found.slice(from);
    };
    for await (const { value } of readable(this.#store, 'quarantine')) {
      const entry = QuarantineEntry.decode(value);
      if (!wanted(entry)) continue;
      count += 1;
      found.push({ entry, bytes: value.length });
      // Keys say nothing of the time: what is kept stays small while all are looked at.
      if (found.length > 2 * max) found = newest();
    }
    const entries = newest().map(({ entry }) => entry);
    return { entries, leftOut: count - entries.length };
  }
}

const replayedTable = 'quarantine-replayed';

function replayedKey(gateway: string, recordHash: string, sequence: bigint): Buffer {
  return Buffer.concat([Buffer.from(`${gateway}\0`), Buffer.from(recordHash, 'hex'), indexKey(sequence)]);
}
