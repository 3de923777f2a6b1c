/** What the trail says of rows that do not open: it was written with them, and says who, what, when and why. */
import { ConfigVersion } from '../../proto/gen/hilum/v1/admin.ts';
import { AuditEntry } from '../../proto/gen/hilum/v1/session.ts';
import type { GatewayRow } from '../../proto/gen/hilum/v1/store.ts';
import { readable, type Store } from '../store/store.ts';

/** Whose a gateway is and whether it may still come. */
export async function gatewayInTrail(store: Store, gateway: string): Promise<Partial<GatewayRow>> {
  const row: Partial<GatewayRow> = {};
  for await (const { value } of readable(store, 'audit')) {
    const entry = AuditEntry.decode(value);
    if (entry.gateway !== gateway) continue;
    const { site, atUs: enrolledAtUs } = entry;
    if (entry.action === 'enrolled')
      Object.assign(row, { site, enrolledAtUs, revoked: false, replacedBy: '' });
    else if (entry.action === 'revoked') row.revoked = true;
    else if (entry.action === 'replaced') Object.assign(row, { revoked: true, replacedBy: entry.subject });
  }
  return row;
}

/** A version of a config without its text, which stood in the row alone. */
export async function configInTrail(store: Store, version: bigint): Promise<ConfigVersion> {
  const found = ConfigVersion.fromPartial({ version });
  for await (const { value } of readable(store, 'audit')) {
    const { action, subject, site, actor: author, reason, detail: hash, atUs } = AuditEntry.decode(value);
    if (action === 'config-pushed' && subject === `config ${version}`)
      Object.assign(found, { site, author, reason, hash, atUs });
  }
  return found;
}
