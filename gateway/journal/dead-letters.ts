/**
 * Dead letters of a stopped gateway: what a local destination refused for good. They can be looked at, and
 * put back into their queue, where each stands at its old place: before what its source sent later.
 *
 * Rows and counts change in one transaction: accepted = pending + delivered + dead holds at every moment.
 */
import { LocalDelivery } from '../../proto/gen/hilum/v1/journal.ts';
import { codeOf } from '../process/errors.ts';
import type { Environment, Table } from '../process/lmdb.ts';
import type { Opener } from '../process/seal.ts';
import { place, readUInt64, shortKey, tables, writeUInt64 } from './layout.ts';
import { State, stateKey } from './state.ts';

/** A message for one destination: refused for good, or waiting. */
export interface DeadLetter {
  key: Buffer;
  /** `destination/record.part`. */
  id: string;
  destination: string;
  recordSequence: number;
  open(): LocalDelivery;
}

/** The state of a destination's queue, from its counts and from its rows. */
export interface LocalCustody {
  destination: string;
  accepted: number;
  pending: number;
  delivered: number;
  dead: number;
  deadRows: number;
  missing: number;
}

/** Few enough for a transaction that stays small. */
const lettersPerWrite = 200;

/** In the order of destinations and records. */
export function deadLetters(environment: Environment, opener: Opener, epoch: bigint): Generator<DeadLetter> {
  return letters(tables.deadLetters, environment, opener, epoch);
}

/** The same of what is still to be sent. */
export function waitingLetters(
  environment: Environment,
  opener: Opener,
  epoch: bigint,
): Generator<DeadLetter> {
  return letters(tables.deliveries, environment, opener, epoch);
}

function* letters(
  name: string,
  environment: Environment,
  opener: Opener,
  epoch: bigint,
): Generator<DeadLetter> {
  const names = destinationNames(environment);
  const table = tableIfThere(environment, name);
  for (const { key, value } of table?.getRange({}) ?? []) {
    const number = key.readUInt16BE(0);
    const [recordSequence, part] = [readUInt64(key, 2), key.readUInt16BE(10)];
    const destination = names.get(number) ?? `destination-${number}`;
    const where = place('deliveries', epoch, recordSequence, part);
    yield {
      key: Buffer.from(key),
      id: `${destination}/${recordSequence}.${part}`,
      destination,
      recordSequence,
      open: () => LocalDelivery.decode(opener.open(where, value)),
    };
  }
}

/** Resolves when all are durably back in their queues; the environment must be open for writing. */
export async function requeue(environment: Environment, letters: readonly DeadLetter[]): Promise<void> {
  const [dead, waiting] = [environment.table(tables.deadLetters), environment.table(tables.deliveries)];
  const { table: state } = new State(environment);
  for (let from = 0; from < letters.length; from += lettersPerWrite) {
    const moved = new Map<number, number>();
    await environment.write(() => {
      for (const { key } of letters.slice(from, from + lettersPerWrite)) {
        const value = dead.get(key);
        if (value === undefined) continue;
        void waiting.put(key, value);
        void dead.remove(key);
        const number = key.readUInt16BE(0);
        moved.set(number, (moved.get(number) ?? 0) + 1);
      }
      for (const [number, count] of moved) {
        const counts = Buffer.from(state.get(countsKey(number)) ?? Buffer.alloc(24));
        writeUInt64(counts, readUInt64(counts, 16) - count, 16);
        void state.put(countsKey(number), counts);
      }
    });
  }
}

/** What each destination was given, and what became of it. */
export function localCustody(environment: Environment): LocalCustody[] {
  const { table: state } = new State(environment);
  const rowsOf = (name: string) => {
    const rows = new Map<number, number>();
    for (const key of tableIfThere(environment, name)?.getKeys({}) ?? []) {
      const number = (key as Buffer).readUInt16BE(0);
      rows.set(number, (rows.get(number) ?? 0) + 1);
    }
    return rows;
  };
  const [waiting, dead] = [rowsOf(tables.deliveries), rowsOf(tables.deadLetters)];
  return [...destinationNames(environment)].map(([number, destination]) => {
    const counts = state.get(countsKey(number)) ?? Buffer.alloc(24);
    const [accepted, delivered, deadCount] = [0, 8, 16].map((at) => readUInt64(counts, at));
    const one = { accepted: accepted ?? 0, delivered: delivered ?? 0, dead: deadCount ?? 0 };
    const pending = waiting.get(number) ?? 0;
    const missing = one.accepted - pending - one.delivered - one.dead;
    return { destination, ...one, pending, deadRows: dead.get(number) ?? 0, missing };
  });
}

function destinationNames(environment: Environment): Map<number, string> {
  const names = new Map<number, string>();
  for (const { key, value } of tableIfThere(environment, tables.destinations)?.getRange({}) ?? [])
    names.set(key.readUInt16BE(0), value.toString());
  return names;
}

function countsKey(destination: number): Buffer {
  return Buffer.concat([Buffer.of(stateKey.localCustody), shortKey(destination)]);
}

/** A journal that never had a dead letter has no table for them, and one open for reading makes none. */
function tableIfThere(environment: Environment, name: string): Table | undefined {
  try {
    return environment.table(name);
  } catch (error) {
    if (codeOf(error) === 'table-missing') return undefined;
    throw error;
  }
}
