/**
 * Everything small that changes with nearly every round, in one table, so that it costs one page:
 *
 *   name (text)                counter(8) crc32(4)  sequence · assigned.<lane> · acked.<lane> · reported.<queue>
 *   'format'                   as it is
 *   'epoch', 'origin'          as it is(8) crc32(4), and once more as <name>.copy
 *   1 hour(4) source(2)        custody of a source in an hour; see custody.ts
 *   2 destination(2)           counts of a local destination; see local-queues.ts
 *   3 epoch(8) source(2)       what was delivered under an epoch that ended; see custody.ts
 *
 * A counter is set when it changes and goes into the round that makes it true. One that is damaged on the disk counts
 * as 0 and is told: what hangs from it is numbered anew, under another epoch [journal.ts].
 */
import { randomBytes } from 'node:crypto';
import { checkedRow, valueIn } from '../process/checked-value.ts';
import { exitCode, HilumError } from '../process/errors.ts';
import type { Environment, Table } from '../process/lmdb.ts';
import type { Round } from './committer.ts';
import { classes, format, readUInt64, tables, writeUInt64 } from './layout.ts';

export const stateKey = {
  custody: 1,
  localCustody: 2,
  endedEpoch: 3,
} as const;

/** Where the counter of sequences is lost: more than a journal gives out between two writes of it. */
export const sequenceGap = 1_000_000_000;

export class State {
  readonly table: Table;
  readonly #values = new Map<string, number>();
  readonly #changed = new Set<string>();
  readonly #keys = new Map<string, Buffer>();

  constructor(environment: Environment) {
    this.table = environment.table(tables.state);
  }

  /** Was the journal ever started? */
  get isBegun(): boolean {
    return this.table.get(Buffer.from('origin')) !== undefined;
  }

  /** Throws `journal-format` where another build wrote it. */
  checkFormat(): void {
    const found = this.table.get(Buffer.from('format'))?.toString();
    if (found === undefined || found === format) return;
    throw new HilumError('journal-format', `The journal has format ${found}; this build reads ${format}.`, {
      hint: 'Run the build that wrote it, drain it, then upgrade.',
      exit: exitCode.badConfig,
    });
  }

  /** What a journal has from its first start on: where its rows are from, and which form they have. */
  begin(): void {
    void this.table.put(Buffer.from('format'), Buffer.from(format));
    const epoch = randomBytes(8);
    for (const { key, value } of [...keptTwice('epoch', epoch), ...keptTwice('origin', epoch)])
      void this.table.put(key, value);
  }

  /** What `keptTwice` wrote. Throws `journal-damaged` where neither is as it was written. */
  kept(name: 'epoch' | 'origin'): bigint {
    const value = this.#checked(name) ?? this.#checked(copyOf(name));
    if (value !== undefined) return value.readBigUInt64BE(0);
    throw new HilumError(
      'journal-damaged',
      `What the journal says of its ${name} is damaged on the disk, twice.`,
      {
        hint: 'Nothing was changed. Put back a copy of the data directory, or keep it and call us.',
        exit: exitCode.badConfig,
      },
    );
  }

  damagedCounters(): string[] {
    const ofLanes = classes.flatMap((name) => [`assigned.${name}`, `acked.${name}`, `before.${name}`]);
    return ['sequence', ...ofLanes].filter((name) => this.isDamaged(name));
  }

  /** Is a counter not what was written? */
  isDamaged(name: string): boolean {
    return this.table.get(Buffer.from(name)) !== undefined && this.#checked(name) === undefined;
  }

  #checked(name: string): Buffer | undefined {
    return valueIn(this.table.get(Buffer.from(name)), name, 8);
  }

  /** A counter; 0 before it was ever set. */
  number(name: string): number {
    return this.#values.get(name) ?? this.known(name) ?? 0;
  }

  /** A counter as it stands on the disk, 0 before it was ever set; undefined where it is damaged. */
  known(name: string): number | undefined {
    if (this.isDamaged(name)) return undefined;
    const value = this.#checked(name);
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
      round.put(this.table, key, checkedRow(name, value));
    }
    this.#changed.clear();
  }
}

/** Rows of what nothing else could give back. */
export function keptTwice(name: string, value: Uint8Array): { key: Buffer; value: Buffer }[] {
  return [name, copyOf(name)].map((one) => ({ key: Buffer.from(one), value: checkedRow(one, value) }));
}

function copyOf(name: string): string {
  return `${name}.copy`;
}
