/**
 * People who ask and tell the control plane. The first identity, `admin`, is made with the control plane; each person
 * should have one of their own, because its name is what the audit trail says.
 */
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import type {
  AdminIdentity,
  CreateAdminRequest,
  CreateAdminResponse,
  RevokeAdminRequest,
} from '../../proto/gen/hilum/v1/admin.ts';
import { needReason } from '../audit/reason.ts';
import type { State } from '../plane.ts';

type Parts = Pick<State, 'authority' | 'peers' | 'audit'>;

/** As it stands in a certificate [peers.ts]. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

export async function createAdmin(
  { authority, peers, audit, registry }: Parts & Pick<State, 'registry'>,
  { name, readOnly }: CreateAdminRequest,
  actor: string,
  address: string,
): Promise<CreateAdminResponse> {
  if (!namePattern.test(name)) {
    throw new HilumError('admin-name', `"${name}" cannot be the name of an admin.`, {
      hint: 'Write letters, digits, "-" and "_", at most 64.',
      exit: exitCode.usage,
    });
  }
  if (registry.get(name) !== undefined) {
    throw new HilumError('admin-name', `"${name}" is the name of a gateway.`, {
      hint: 'The audit trail could not tell them apart: choose another.',
    });
  }
  // Else whoever may make identities could act under somebody else's name.
  if (name !== actor && listAdmins({ peers }).some((one) => one.name === name)) {
    throw new HilumError('admin-there', `There is an admin "${name}" whose identity is good.`, {
      hint: `Who has it can make it anew; else: hilumctl admin revoke ${name} --reason "…".`,
    });
  }
  const issued = await authority.issue('admin', name, []);
  const detail = readOnly ? 'read-only' : '';
  await audit.addAll(
    [{ action: 'admin-created', actor, subject: `${name} ${issued.serial}`, detail }],
    [peers.issued(issued, 'admin', name, readOnly)],
  );
  const { certificatePem: certPem, keyPem, expiresAtUs } = issued;
  return { address, caPem: authority.caPem, certPem, keyPem, expiresAtUs };
}

export function listAdmins({ peers }: Pick<Parts, 'peers'>): AdminIdentity[] {
  return peers.good('admin', Date.now()).map(({ name, readOnly, serial, issuedAtUs, expiresAtUs }) => ({
    name,
    readOnly,
    serial,
    issuedAtUs,
    expiresAtUs,
  }));
}

/** Returns how many certificates were good until now. */
export async function revokeAdmin(
  { peers, audit }: Parts,
  { name, reason }: RevokeAdminRequest,
  actor: string,
): Promise<number> {
  needReason('A revocation', reason);
  const all = listAdmins({ peers }).filter(({ readOnly }) => !readOnly);
  if (all.length > 0 && all.every((one) => one.name === name)) {
    throw new HilumError(
      'last-admin',
      `Without "${name}" nobody could change anything: every other identity is read-only. Nothing was changed.`,
      {
        hint: 'Make another one first: hilumctl admin create NAME --out FILE. With that one revoke this.',
        exit: exitCode.refused,
      },
    );
  }
  const revoked = peers.revoked('admin', name);
  if (revoked.length === 0) {
    throw new HilumError('not-found', `There is no admin "${name}" whose identity is good.`, {
      hint: '"hilumctl admin list" shows them.',
    });
  }
  await audit.addAll([{ action: 'admin-revoked', actor, subject: name, reason }], revoked);
  return revoked.length;
}
