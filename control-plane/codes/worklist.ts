/**
 * What gateways could not map, by gateway: the newest count of its present life, and the sum of the
 * lives before. Reports are absolute and partial (some entries each time), so a lost one loses
 * nothing that a later one does not tell again. Lives follow each other as they come: a gateway's clock may be set back,
 * so the start of a life tells which one it is, and not which of two is later.
 *
 * Rows are in memory and, changed, on disk. Keys are hashes: what senders write stands in no key.
 */
import { createHash } from 'node:crypto';
import type { UnmappedCode } from '../../proto/gen/hilum/v1/session.ts';
import { UnmappedRow } from '../../proto/gen/hilum/v1/store.ts';
import { readable, type Store } from '../store/store.ts';

/** Twice what a gateway keeps in one life, for those whose sources change. */
const rowsOfGatewayMax = 1_000;
const textMax = 64;
const systemMax = 160;
/** What an earlier life told last may still come. */
const livesKept = 8;
const table = 'unmapped-codes';

export class Worklist {
  readonly #store: Store;
  /** gateway → key → row */
  readonly #rows = new Map<string, Map<string, UnmappedRow>>();
  /** gateway → sightings beyond its list, in its present life */
  readonly #uncounted = new Map<string, { site: string; count: bigint }>();

  constructor(store: Store) {
    this.#store = store;
  }

  async open(): Promise<void> {
    for await (const { key, value } of readable(this.#store, table)) {
      const row = UnmappedRow.decode(value);
      this.#of(row.gateway).set(key.toString(), row);
    }
  }

  /** Resolves when what changed is flushed. */
  async report(
    gateway: string,
    site: string,
    startedAtUs: bigint,
    entries: readonly UnmappedCode[],
    uncounted: bigint,
  ): Promise<void> {
    this.#uncounted.set(gateway, { site, count: uncounted });
    const known = this.#of(gateway);
    const changed = [];
    for (const sent of entries) {
      const entry = bounded(sent);
      const key = keyOf(gateway, entry);
      const before = known.get(key);
      if (before === undefined && known.size >= rowsOfGatewayMax) continue;
      const row = merged(before, {
        gateway,
        site,
        entry,
        startedAtUs,
        countBefore: 0n,
        earlierStartsAtUs: [],
      });
      if (row === undefined) continue;
      known.set(key, row);
      changed.push({ table, key: Buffer.from(key), value: UnmappedRow.encode(row).finish() });
    }
    if (changed.length > 0) await this.#store.write(changed);
  }

  /** Of one site, or of all. */
  rows(site: string): UnmappedRow[] {
    return [...this.#rows.values()]
      .flatMap((rows) => [...rows.values()])
      .filter((row) => site === '' || row.site === site);
  }

  /** Sightings that no list had a place for. */
  uncounted(site: string): bigint {
    let sum = 0n;
    for (const one of this.#uncounted.values()) if (site === '' || one.site === site) sum += one.count;
    return sum;
  }

  #of(gateway: string): Map<string, UnmappedRow> {
    let rows = this.#rows.get(gateway);
    if (rows === undefined) {
      rows = new Map();
      this.#rows.set(gateway, rows);
    }
    return rows;
  }
}

/** Undefined: nothing new. A report of an earlier life came late and says nothing new either. */
function merged(before: UnmappedRow | undefined, now: UnmappedRow): UnmappedRow | undefined {
  if (before?.entry === undefined || now.entry === undefined) return now;
  if (before.earlierStartsAtUs.includes(now.startedAtUs)) return undefined;
  const sameLife = now.startedAtUs === before.startedAtUs;
  if (sameLife && now.entry.count <= before.entry.count) return undefined;
  const firstSeenAtUs =
    before.entry.firstSeenAtUs < now.entry.firstSeenAtUs
      ? before.entry.firstSeenAtUs
      : now.entry.firstSeenAtUs;
  return {
    ...now,
    entry: { ...now.entry, firstSeenAtUs },
    countBefore: sameLife ? before.countBefore : before.countBefore + before.entry.count,
    earlierStartsAtUs: sameLife
      ? before.earlierStartsAtUs
      : [...before.earlierStartsAtUs, before.startedAtUs].slice(-livesKept),
  };
}

function keyOf(gateway: string, { source, field, system, code }: UnmappedCode): string {
  const hash = createHash('sha256').update(JSON.stringify([gateway, source, field, system, code]));
  return hash.digest('hex').slice(0, 32);
}

/** A gateway cuts and cleans them itself; the centre, where they reach terminals, does not lean on that. */
function bounded(entry: UnmappedCode): UnmappedCode {
  const cut = (text: string, charactersMax = textMax) =>
    text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, charactersMax);
  return {
    ...entry,
    source: cut(entry.source),
    field: cut(entry.field),
    system: cut(entry.system, systemMax),
    name: cut(entry.name),
    code: cut(entry.code),
    text: cut(entry.text),
    unit: cut(entry.unit),
  };
}
