/**
 * Everything small that changes with nearly every round, in one table, so that it costs one page:
 *
 *   name (text)                counter(8) crc32(4)  sequence · assigned.<lane> · acked.<lane> · reported.<queue>
 *   'format'                   as it is(1), which every build reads, and as format.copy with crc32(4)
 *   'epoch', 'origin'          as it is(8) crc32(4), and once more as <name>.copy
 *   1 hour(4) source(2)        custody of a source in an hour; see custody.ts
 *   2 destination(2)           counts of a local destination; see local-queues.ts
 *   3 epoch(8) source(2)       what was delivered under an epoch that ended; see custody.ts
 *   4 epoch(8)                 the control plane of an epoch; see planes.ts
 *
 * Every counter is there from the first start on; it is set when it changes and goes into the round that makes it true. One
 * that is damaged on the disk, or not there, counts as 0 and is told: what hangs from it is numbered anew, under another
 * epoch [journal.ts]. Builds before format.copy wrote a counter when it first changed: what they never wrote is written once.
 */
import { randomBytes } from 'node:crypto';
import { type Class, classes } from '../../proto/config/event-words.ts';
import { checkedRow, valueIn } from '../process/checked-value.ts';
import { exitCode, HilumError } from '../process/errors.ts';
import type { Environment, Table } from '../process/lmdb.ts';
import type { Round } from './committer.ts';
import { format, outboxTable, readUInt64, recordsTable, tables, writeUInt64 } from './layout.ts';

export const stateKey = {
  custody: 1,
  localCustody: 2,
  endedEpoch: 3,
  plane: 4,
} as const;

/** Where the counter of sequences is lost: more than a journal gives out between two writes of it. */
export const sequenceGap = 1_000_000_000;

const formatCopy = copyOf('format');
const counterNames = [
  'sequence',
  ...classes.flatMap((name) => [`assigned.${name}`, `acked.${name}`, `before.${name}`]),
];

interface Row {
  key: Buffer;
  value: Buffer;
}

export class State {
  readonly #environment: Environment;
  readonly table: Table;
  readonly #values = new Map<string, number>();
  readonly #changed = new Set<string>();
  readonly #keys = new Map<string, Buffer>();

  constructor(environment: Environment) {
    this.#environment = environment;
    this.table = environment.table(tables.state);
  }

  /** Was the journal ever started? Then something is here, or rows are that hang from it: whatever of it is damaged. */
  get isBegun(): boolean {
    const names = [
      tables.state,
      tables.sources,
      tables.quarantine,
      ...classes.flatMap((one) => [recordsTable(one), outboxTable(one)]),
    ];
    return names.some((name) => this.#holds(name));
  }

  #holds(name: string): boolean {
    return this.#environment.has(name) && [...this.#environment.table(name).getKeys({ limit: 1 })].length > 0;
  }

  /** Throws `journal-format` where another build wrote it. */
  checkFormat(): void {
    const found = (this.#format ?? this.table.get(Buffer.from('format')))?.toString();
    if (found === undefined || found === format) return;
    throw new HilumError('journal-format', `The journal has format ${found}; this build reads ${format}.`, {
      hint: 'Run the build that wrote it, drain it, then upgrade.',
      exit: exitCode.badConfig,
    });
  }

  /** By its copy, which has a checksum. */
  get #format(): Buffer | undefined {
    const row = this.table.get(Buffer.from(formatCopy));
    return row?.length === 1 ? undefined : valueIn(row, formatCopy, 1);
  }

  /** Rows that a journal has from its first start on, where they are not there. */
  missing(): Row[] {
    const counters = counterNames.filter((name) => this.table.get(Buffer.from(name)) === undefined);
    const rows: Row[] = [
      { key: Buffer.from('format'), value: Buffer.from(format) },
      { key: Buffer.from(formatCopy), value: checkedRow(formatCopy, Buffer.from(format)) },
    ];
    if (!this.isBegun) {
      const epoch = randomBytes(8);
      rows.push(...keptTwice('epoch', epoch), ...keptTwice('origin', epoch), ...counters.map(zero));
    } else if (this.#format === undefined)
      rows.push(...counters.filter((name) => this.#neverSet(name)).map(zero));
    return rows.filter(({ key, value }) => !this.table.get(key)?.equals(value));
  }

  /** Of a counter that is not there: can an earlier build have had nothing to count with it? */
  #neverSet(name: string): boolean {
    const [kind, lane] = name.split('.') as [string, Class];
    if (lane === undefined) return !this.#holds(tables.sources);
    // Set with a new epoch, for all lanes.
    if (kind === 'before') return this.kept('epoch') === this.kept('origin');
    const [first] = this.#environment.table(outboxTable(lane)).getKeys({ limit: 1 });
    if (kind === 'acked' && first !== undefined) return readUInt64(first as Buffer, 0) === 1;
    const other = kind === 'acked' ? 'assigned' : 'acked';
    return first === undefined && this.table.get(Buffer.from(`${other}.${lane}`)) === undefined;
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
    return counterNames.filter((name) => this.isDamaged(name));
  }

  /** Is a counter not what was written? */
  isDamaged(name: string): boolean {
    return this.known(name) === undefined;
  }

  #checked(name: string): Buffer | undefined {
    return valueIn(this.table.get(Buffer.from(name)), name, 8);
  }

  /** A counter; 0 where it is damaged. */
  number(name: string): number {
    return this.#values.get(name) ?? this.known(name) ?? 0;
  }

  /** A counter as it stands on the disk; undefined where it is damaged. */
  known(name: string): number | undefined {
    const value = this.#checked(name);
    return value && readUInt64(value, 0);
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
export function keptTwice(name: string, value: Uint8Array): Row[] {
  return [name, copyOf(name)].map((one) => ({ key: Buffer.from(one), value: checkedRow(one, value) }));
}

function zero(name: string): Row {
  return { key: Buffer.from(name), value: checkedRow(name, Buffer.alloc(8)) };
}

function copyOf(name: string): string {
  return `${name}.copy`;
}
