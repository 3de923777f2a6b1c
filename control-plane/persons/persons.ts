/**
 * Who became whom: for each gateway the merges, moves and links that its ADT reported, in a table of its own,
 * so that an event can be read as what is known by now.
 *
 *   persons   gateway \0 HMAC of what|system|value (16)    IdentifierHistory
 *
 * Why here. A merge is a barrier for both patients, also for events that were normalized before it and still
 * wait in a gateway's outbox. Those rows are sealed, ordered, acknowledged by position, and may be a million:
 * they are not searched and not rewritten. Instead a merge writes its identifiers here in the transaction that
 * appends it, and every reader gets events through `complete`: what was pending is told with the surviving
 * identity and the record that says so, marked `addedAtCentre`; the stored event and its bytes stay as they
 * came. Merges are of class `urgent` and leave their gateway before the backlog, so the table mostly knows
 * them before the events that they concern. A reader that follows the log live, and has read an event before
 * its merge arrived, gets the merge after it, in order.
 *
 * The steps are those of the gateway, run by the same code [normalize/memory/identity-history.ts], and an
 * identifier is its gateway's: what one gateway's ADT says changes nothing of another's.
 */
import {
  follow,
  historyText,
  type Look,
  reach,
  repeatSteps,
  sameIds,
  samePosition,
  undoing,
} from '../../gateway/normalize/memory/identity-history.ts';
import { idText, stepsOf, type What } from '../../gateway/normalize/memory/identity-steps.ts';
import { type Blind, createBlind } from '../../gateway/process/keys.ts';
import { ClinicalEvent, type IdentityLink } from '../../proto/gen/hilum/v1/event.ts';
import { IdentifierHistory } from '../../proto/gen/hilum/v1/identity.ts';
import type { Envelope } from '../../proto/gen/hilum/v1/session.ts';
import type { Book, Numbered } from '../eventlog/book.ts';
import { DamagedRow, orDamaged, type Row, type Store } from '../store/store.ts';

const table = 'persons';
/** As often as a walk can name new rows; the walk bounds itself. */
const roundsMax = 20;

export class Persons implements Book {
  readonly #store: Store;
  readonly #blind: Blind;
  /** Gateways that have rows: the others' events need no look. */
  readonly #gateways = new Set<string>();
  /** Queued and not flushed, by key; the next merge builds on it. */
  readonly #queued = new Map<string, { history: IdentifierHistory; pins: number }>();

  constructor(store: Store, blindKey: Uint8Array) {
    this.#store = store;
    this.#blind = createBlind(blindKey);
  }

  async open(): Promise<void> {
    let start = Buffer.of(1);
    for (;;) {
      const page = await this.#store.page(table, { start, limit: 16 });
      for (const { key } of page) this.#gateways.add(gatewayOf(key));
      // The key of a row that is damaged may lead back.
      const last = page.findLast((row) => !(row instanceof DamagedRow)) ?? page.at(-1);
      const next = last && Buffer.from(`${gatewayOf(last.key)}\x01`);
      if (next === undefined || next.compare(start) <= 0) return;
      start = next;
    }
  }

  concerns({ kind }: Envelope): boolean {
    return kind === 'merge';
  }

  /** Rows to write with the batch that holds these merges. Batches must be given in the order of their writes. */
  async rowsOf(gateway: string, merges: readonly Numbered[]): Promise<Row[]> {
    const changed = new Map<string, IdentifierHistory>();
    for (const { envelope } of merges) {
      if (envelope.event.length === 0) continue;
      const event = ClinicalEvent.decode(envelope.event);
      const known = new Map(changed);
      await this.#load(event, known, (text) => this.#newest(gateway, text));
      const look: Look = (text) => known.get(text);
      const put = (text: string, history: IdentifierHistory) => {
        known.set(text, history);
        changed.set(text, history);
      };
      const { recordEpoch: epoch, recordSequence: sequence, source, capturedAtUs } = envelope;
      // What its gateway refused is not followed here either; it had all that came before, which may still be on its way.
      const steps = stepsOf(event, { epoch, sequence, source, capturedAtUs });
      repeatSteps(steps, event.identityConflicts, look, put);
    }
    if (changed.size > 0) this.#gateways.add(gateway);
    return [...changed].map(([text, history]) => {
      const key = this.#key(gateway, text);
      const name = key.toString('latin1');
      this.#queued.set(name, { history, pins: (this.#queued.get(name)?.pins ?? 0) + 1 });
      return { table, key, value: IdentifierHistory.encode(history).finish() };
    });
  }

  /** These rows are on stable storage; those of other tables are none of ours. */
  settled(rows: readonly Row[]): void {
    for (const { table: of, key } of rows) {
      if (of !== table) continue;
      const name = Buffer.from(key).toString('latin1');
      const queued = this.#queued.get(name);
      if (queued === undefined) continue;
      queued.pins -= 1;
      if (queued.pins === 0) this.#queued.delete(name);
    }
  }

  /** Adds to the event what became of its identifiers since its gateway normalized it. */
  async complete(gateway: string, event: ClinicalEvent): Promise<void> {
    if (!this.#gateways.has(gateway)) return;
    const known = new Map<string, IdentifierHistory>();
    await this.#load(event, known, (text) => this.#stored(this.#key(gateway, text)));
    if (known.size === 0) return;
    const { links } = follow(event, (text) => known.get(text));
    event.identityLinks = reconciled(event.identityLinks, links, (text) => known.get(text));
  }

  async #load(
    event: ClinicalEvent,
    known: Map<string, IdentifierHistory>,
    get: (text: string) => Promise<IdentifierHistory | undefined>,
  ): Promise<void> {
    const asked = new Set(known.keys());
    for (let round = 0; round < roundsMax; round += 1) {
      const missing = reach(event, (text) => known.get(text)).filter((text) => !asked.has(text));
      if (missing.length === 0) return;
      for (const text of missing) {
        asked.add(text);
        const history = await get(text);
        if (history !== undefined) known.set(text, history);
      }
    }
  }

  async #newest(gateway: string, text: string): Promise<IdentifierHistory | undefined> {
    const key = this.#key(gateway, text);
    return this.#queued.get(key.toString('latin1'))?.history ?? this.#stored(key);
  }

  async #stored(key: Buffer): Promise<IdentifierHistory | undefined> {
    const row = await orDamaged(this.#store.get(table, key));
    // What one that is damaged had followed is not followed; the next merge of this identifier begins anew.
    return row === undefined || row instanceof DamagedRow ? undefined : IdentifierHistory.decode(row);
  }

  #key(gateway: string, text: string): Buffer {
    return Buffer.concat([Buffer.from(`${gateway}\0`), this.#blind(text)]);
  }
}

function gatewayOf(key: Buffer): string {
  return key.subarray(0, key.indexOf(0)).toString();
}

/** What the gateway followed stays where it still holds; what it could not know is added, what was undone says so. */
function reconciled(
  followed: readonly IdentityLink[],
  now: readonly IdentityLink[],
  look: Look,
): IdentityLink[] {
  const links = now.map((link) => {
    const same = followed.find((one) => one.what === link.what && one.kind === link.kind && holds(one, link));
    return same ?? { ...link, addedAtCentre: true };
  });
  for (const one of followed) {
    if (links.includes(one)) continue;
    const [said] = one.said;
    const history = said === undefined ? undefined : look(historyText(one.what as What, said));
    const undoneBy = said === undefined ? undefined : undoing(history, said, one.merge);
    if (undoneBy !== undefined) links.push({ ...one, undoneBy });
    // Its merge has not arrived here: what the gateway says is all that is known.
    else if (!links.some((link) => link.what === one.what && link.kind === one.kind && overlaps(link, one)))
      links.push(one);
  }
  return links;
}

function holds(one: IdentityLink, link: IdentityLink): boolean {
  return (
    samePosition(one.merge, link.merge) &&
    sameIds(one.said, link.said) &&
    sameIds(one.surviving, link.surviving) &&
    sameIds(one.linked, link.linked) &&
    sameIds(one.patient, link.patient)
  );
}

function overlaps(link: IdentityLink, one: IdentityLink): boolean {
  return link.said.some((a) => one.said.some((b) => idText(a) === idText(b)));
}
