/**
 * The audit trail: entries numbered without a gap, each with the hash of the one before, so
 * that a change, a removal or another order is found by whoever walks the chain.
 *
 *   hash(n) = SHA-256( hash(n-1) | entry n without its hash )
 *
 * Never content: an entry says who did what to which event, config or gateway, and why.
 */
import { createHash } from 'node:crypto';
import { AuditEntry } from '../../proto/gen/hilum/v1/session.ts';
import { indexKey } from '../eventlog/keys.ts';
import { type Gone, stillAsked } from '../store/gone.ts';
import { DamagedRow, orDamaged, type Row, type Store, walk } from '../store/store.ts';

const origin = Buffer.alloc(32);
/** Of these a page takes some milliseconds, and then others have their turn. */
const walkRows = 100;

export type Verification =
  | { intact: true; entries: bigint; head: string }
  | { intact: false; entries: bigint; firstBad: bigint; reason: string };

export class AuditChain {
  readonly #store: Store;
  readonly #nowUs: () => bigint;
  #number = 0n;
  #head: Buffer = origin;

  constructor(store: Store, nowUs: () => bigint) {
    this.#store = store;
    this.#nowUs = nowUs;
  }

  /** Where the newest entry and the head do not both open, the trail goes on from the one that does; `verify` names the other. */
  async open(): Promise<void> {
    const newest = await orDamaged(this.#store.range('audit', { limit: 1, reverse: true }));
    const head = await this.#readHead();
    if (newest instanceof DamagedRow) {
      if (head === undefined || head instanceof DamagedRow) throw newest;
      this.#number = head.number;
      this.#head = head.hash;
    } else if (newest[0] !== undefined) {
      const entry = AuditEntry.decode(newest[0].value);
      this.#number = entry.number;
      this.#head = Buffer.from(entry.hash);
    }
  }

  /** Resolves when the entry is flushed. Entries keep the order of the calls. */
  add(entry: Partial<AuditEntry>): Promise<void> {
    return this.addAll([entry], []);
  }

  /** Entries and `beside`, the rows that they speak of, in one write: after a crash there is all of it or nothing. */
  async addAll(entries: readonly Partial<AuditEntry>[], beside: readonly Row[]): Promise<void> {
    const rows = entries.map((entry) => this.#next(entry));
    const head = Buffer.concat([indexKey(this.#number), this.#head]);
    if (rows.length > 0) rows.push({ table: 'audit-head', key: Buffer.from('head'), value: head });
    await this.#store.write([...beside, ...rows]);
  }

  #next(entry: Partial<AuditEntry>): Row {
    this.#number += 1n;
    const full = AuditEntry.fromPartial({
      atUs: this.#nowUs(),
      outcome: 'success',
      ...entry,
      number: this.#number,
      previous: this.#head,
      hash: new Uint8Array(0),
    });
    full.hash = hashOf(full);
    this.#head = Buffer.from(full.hash);
    return { table: 'audit', key: indexKey(this.#number), value: AuditEntry.encode(full).finish() };
  }

  /** The number of the newest entry, 0 before the first. */
  last(): bigint {
    return this.#number;
  }

  list(after: bigint, limit: number): Promise<AuditEntry[]> {
    return this.#store
      .range('audit', { start: indexKey(after + 1n), limit })
      .then((rows) => rows.map(({ value }) => AuditEntry.decode(value)));
  }

  /**
   * Walks the chain as far as it is now; names the first entry that is not what it was, or cannot be read. What is added
   * meanwhile is left to the next one, so that a trail which grows is no broken one.
   * @param gone whoever asked does not wait any more: rejects with `cancelled`
   */
  async verify(gone: Gone = () => false): Promise<Verification> {
    const head = await this.#readHead();
    const entries = head?.number ?? 0n;
    const bad = (firstBad: bigint, reason: string): Verification => ({
      intact: false,
      entries,
      firstBad,
      reason,
    });
    let previous: Buffer = origin;
    let number = 0n;
    // Where the head does not open, nothing says how far it goes.
    const part = head instanceof DamagedRow ? {} : { end: indexKey(entries + 1n) };
    for await (const row of walk(this.#store, 'audit', walkRows, part)) {
      stillAsked(gone);
      const at = row.key.readBigUInt64BE(0);
      if (at !== number + 1n) return bad(number + 1n, 'an entry is missing here');
      if (row instanceof DamagedRow) return bad(at, `the entry cannot be read: ${row.message}`);
      const entry = AuditEntry.decode(row.value);
      if (entry.number !== at) return bad(at, 'an entry is missing here');
      if (!Buffer.from(entry.previous).equals(previous))
        return bad(at, 'the entry does not follow the one before it');
      if (!hashOf(entry).equals(Buffer.from(entry.hash))) return bad(at, 'the entry was changed');
      previous = Buffer.from(entry.hash);
      number = at;
    }
    if (head instanceof DamagedRow)
      return bad(number + 1n, `the end of the trail cannot be read: ${head.message}`);
    if (number !== entries || (head !== undefined && !head.hash.equals(previous)))
      return bad(number + 1n, 'the end of the trail is missing');
    // In this order: an entry and its head are one write, and the head only grows.
    const newest = await this.#newest();
    const headNow = await this.#readHead();
    const ends = headNow instanceof DamagedRow ? 0n : (headNow?.number ?? 0n);
    if (ends < entries || ends < newest) return bad(ends + 1n, 'the end of the trail is missing');
    return { intact: true, entries: number, head: previous.toString('hex') };
  }

  /** By its key alone. */
  async #newest(): Promise<bigint> {
    const [row] = await this.#store.page('audit', { limit: 1, reverse: true });
    return row?.key.readBigUInt64BE(0) ?? 0n;
  }

  async #readHead(): Promise<
    { number: bigint; hash: Buffer } | (DamagedRow & { number?: undefined }) | undefined
  > {
    const head = await orDamaged(this.#store.get('audit-head', Buffer.from('head')));
    if (head === undefined || head instanceof DamagedRow) return head;
    return { number: head.readBigUInt64BE(0), hash: head.subarray(8) };
  }
}

function hashOf(entry: AuditEntry): Buffer {
  const bare = AuditEntry.encode({ ...entry, hash: new Uint8Array(0) }).finish();
  return createHash('sha256').update(entry.previous).update(bare).digest();
}
