/** DIR/admin.json: the identity of the first administrator and where the control plane is, as `hilumctl --context` reads it. */
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writePrivate } from '../../gateway/process/keys.ts';
import { readOwnFile, Unusable } from '../../gateway/process/own-file.ts';
import { storageError } from '../../gateway/process/storage.ts';
import type { AuditChain } from '../audit/chain.ts';
import type { Authority } from './ca.ts';
import { type Peers, serialOf } from './peers.ts';

export interface AdminContext {
  address: string;
  caPem: string;
  certPem: string;
  keyPem: string;
}

export interface Issuer {
  authority: Authority;
  peers: Peers;
  audit: AuditChain;
}

const dayMs = 86_400_000;
const renewDays = 30;

/**
 * Made once, renewed in its last month and where its row was damaged; the address follows the port.
 * @throws HilumError `admin-context-unreadable`
 */
export async function writeAdminContext(
  file: string,
  issuer: Issuer,
  address: string,
  nowMs: number,
): Promise<void> {
  let context: AdminContext;
  if (existsSync(file)) {
    const [read, certificate] = readContext(file);
    const daysLeft = (Date.parse(certificate.validTo) - nowMs) / dayMs;
    const begun = Date.parse(certificate.validFrom) <= nowMs;
    const good = begun && daysLeft > renewDays && issuer.peers.isGood(serialOf(certificate));
    if (good && read.address === address) return;
    context = { ...read, address };
    if (!good) Object.assign(context, await issueAdmin(issuer));
  } else {
    context = { address, caPem: issuer.authority.caPem, ...(await issueAdmin(issuer)) };
  }
  try {
    writePrivate(file, `${JSON.stringify(context, null, 2)}\n`);
  } catch (cause) {
    throw storageError(`The admin context in ${file} cannot be written`, cause);
  }
}

function readContext(file: string): [AdminContext, X509Certificate] {
  const hint = 'Put the file back from your backup, or move it away: the next start makes one anew.';
  return readOwnFile({ file, what: 'The admin context in', code: 'admin-context', hint }, (text) => {
    const { address, caPem, certPem, keyPem } = JSON.parse(text) as AdminContext;
    const context = { address, caPem, certPem, keyPem };
    if (Object.values(context).some((value) => typeof value !== 'string'))
      throw new Unusable('something is missing');
    return [context, new X509Certificate(certPem)];
  });
}

async function issueAdmin({
  authority,
  peers,
  audit,
}: Issuer): Promise<Pick<AdminContext, 'certPem' | 'keyPem'>> {
  const issued = await authority.issue('admin', 'admin', []);
  await audit.addAll(
    [{ action: 'admin-created', actor: 'start', subject: issued.serial }],
    [peers.issued(issued, 'admin', 'admin')],
  );
  return { certPem: issued.certificatePem, keyPem: issued.keyPem };
}
