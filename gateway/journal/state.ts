/**
 * Everything small that changes with nearly every round, in one table, so that it costs one page:
 *
 *   name (text)                counter, 8 bytes     sequence · assigned.<lane> · acked.<lane> · reported.<queue>
 *   'format', 'epoch'          as they are
 *   1 hour(4) source(2)        custody of a source in an hour; see custody.ts
 *   2 destination(2)           counts of a local destination; see local-queues.ts
 *   3 epoch(8) source(2)       what was delivered under an epoch that ended; see custody.ts
 *
 * A counter is set when it changes and goes into the round that makes it true.
 */
import type { Environment, Table } from '../process/lmdb.ts';
import type { Round } from './committer.ts';
import { readUInt64, tables, writeUInt64 } from './layout.ts';

export const stateKey = {
  custody: 1,
  localCustody: 2,
  endedEpoch: 3,
} as const;

export class State {
  readonly table: Table;
  readonly #values = new Map<string, number>();
  readonly #changed = new Set<string>();
  readonly #keys = new Map<string, Buffer>();

  constructor(environment: Environment) {
    this.table = environment.table(tables.state);
  }

  bytes(name: string): Buffer | undefined {
    return this.table.get(Buffer.from(name));
  }

  /** A counter; 0 before it was ever set. */
  number(name: string): number {
    const found = this.#values.get(name);
    if (found !== undefined) return found;
    const value = this.bytes(name);
    return value === undefined ? 0 : readUInt64(value, 0);
  }

  /** For the round that is open now. */
  set(name: string, value: number): void {
    this.#values.set(name, value);
    this.#changed.add(name);
  }

  write(round: Round): void {
    for (const name of this.#changed) {
      let key = this.#keys.get(name);
      if (key === undefined) {
        key = Buffer.from(name);
        this.#keys.set(name, key);
      }
      const value = Buffer.allocUnsafe(8);
      writeUInt64(value, this.#values.get(name) ?? 0, 0);
      round.put(this.table, key, value);
    }
    this.#changed.clear();
  }
}
