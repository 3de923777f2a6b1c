/**
 * Audit entries that arose at gateways, recognised by what they say. Their numbers alone tell nothing: a journal that
 * was made anew begins at 1, and one that went back in time gives numbers again that its later self has used.
 *
 *   audit-told   gateway SHA-256 of the entry, cut to 16 bytes     1
 */
import { createHash } from 'node:crypto';
import { AuditEntry } from '../../proto/gen/hilum/v1/session.ts';
import { gatewayActions } from '../../proto/limits.ts';
import { orDamaged, type Row, type Store } from '../store/store.ts';

export class ToldEntries {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Those that are not in the trail, with the rows that make them known.
   * @param names of the gateway: its own, which new ones are known under, and those that its journal had before
   */
  async fresh(
    names: readonly [string, ...string[]],
    entries: readonly AuditEntry[],
  ): Promise<{ entries: AuditEntry[]; rows: Row[] }> {
    const found: { entries: AuditEntry[]; rows: Row[] } = { entries: [], rows: [] };
    for (const entry of entries) {
      if (await this.#known(names, entry)) continue;
      found.entries.push(entry);
      found.rows.push({ table, key: keyOf(names[0], entry), value: Buffer.of(1) });
    }
    return found;
  }

  async #known(names: readonly string[], entry: AuditEntry): Promise<boolean> {
    // The key says all that a row says, also of one that is damaged.
    for (const name of names)
      if ((await orDamaged(this.#store.get(table, keyOf(name, entry)))) !== undefined) return true;
    return false;
  }
}

/**
 * As it stands in the trail: told by this gateway, whatever else it says. What only a control plane does, and what
 * this build does not know of gateways, is no action of its own there: it is the gateway that says so.
 */
export function toldBy(
  gateway: string,
  site: string,
  { number, hash, previous, ...entry }: AuditEntry,
): Partial<AuditEntry> {
  const whose = { gateway, site, toldBy: gateway };
  if (gatewayActions.includes(entry.action)) return { ...entry, ...whose };
  const { action, actor, detail } = entry;
  const said = [action, actor !== '' && `by ${actor}`].filter(Boolean).join(' ');
  return {
    ...entry,
    ...whose,
    action: 'told',
    actor: gateway,
    detail: detail === '' ? said : `${said}: ${detail}`,
  };
}

const table = 'audit-told';
const digestBytes = 16;

function keyOf(gateway: string, entry: AuditEntry): Buffer {
  const digest = createHash('sha256').update(AuditEntry.encode(entry).finish()).digest();
  return Buffer.concat([Buffer.from(`${gateway}\0`), digest.subarray(0, digestBytes)]);
}
