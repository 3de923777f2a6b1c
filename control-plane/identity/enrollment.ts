/** A token and a CSR become a gateway; a certificate becomes a newer one of the same gateway. */
import { nowUs64 } from '../../gateway/process/clock.ts';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import type { Log } from '../../gateway/process/log.ts';
import type { EnrollRequest, EnrollResponse, RenewResponse } from '../../proto/gen/hilum/v1/session.ts';
import type { TokenRow } from '../../proto/gen/hilum/v1/store.ts';
import type { State } from '../plane.ts';
import type { Peer } from './peers.ts';

/**
 * @param before the gateway that asks under its certificate to be another from now on: it is retired, since
 *   its host has the new identity. Nobody can retire a gateway without holding its key.
 * @param drop ends the stream of a gateway.
 */
export async function enroll(
  state: State,
  request: EnrollRequest,
  peer: string,
  before: Peer | undefined,
  drop: (gateway: string) => void,
  log: Log,
): Promise<EnrollResponse> {
  const { tokens, registry, refusals } = state;
  const token = await tokens.take(request.secret, nowUs64());
  if (token === undefined) {
    await refusals.note(peer);
    throw new HilumError('token-refused', 'the token is unknown, was used before, or is expired.', {
      exit: exitCode.refused,
    });
  }
  const response = await (token.gateway === ''
    ? registry.withFreeName(token.site, (gateway) => admit(state, { ...token, gateway }, request, peer, log))
    : admit(state, token, request, peer, log));
  if (before !== undefined && before.name !== response.gateway) {
    await retire(state, before.name, response, drop);
    log('info', 'replaced', { gateway: before.name, by: response.gateway });
  }
  return response;
}

async function admit(
  { authority, peers, registry, audit }: State,
  { gateway, site }: TokenRow,
  request: EnrollRequest,
  peer: string,
  log: Log,
): Promise<EnrollResponse> {
  const issued = await authority.sign(request.csr, 'gateway', gateway);
  // With the name, what it had before must not become good again.
  if (registry.isRevoked(gateway)) await peers.revoke('gateway', gateway);
  await registry.update(gateway, {
    site,
    version: request.version,
    enrolledAtUs: nowUs64(),
    certificateExpiresAtUs: issued.expiresAtUs,
    revoked: false,
    replacedBy: '',
  });
  await peers.issued(issued, 'gateway', gateway);
  await audit.add({ action: 'enrolled', actor: peer, gateway, site, subject: issued.serial });
  log('info', 'enrolled', { gateway, site });
  return { gateway, site, certificatePem: issued.certificatePem, caPem: authority.caPem };
}

/** The old identity is refused from now on, and stands in no push. */
async function retire(
  { peers, registry, audit }: State,
  gateway: string,
  successor: EnrollResponse,
  drop: (gateway: string) => void,
): Promise<void> {
  await registry.update(gateway, { revoked: true, replacedBy: successor.gateway });
  await peers.revoke('gateway', gateway);
  await audit.add({
    action: 'replaced',
    actor: successor.gateway,
    gateway,
    site: registry.get(gateway)?.site ?? '',
    subject: successor.gateway,
  });
  drop(gateway);
}

export async function renew(state: State, csr: Uint8Array, peer: Peer): Promise<RenewResponse> {
  const { authority, peers, registry, audit } = state;
  const issued = await authority.sign(csr, 'gateway', peer.name);
  await peers.issued(issued, 'gateway', peer.name);
  await registry.update(peer.name, { certificateExpiresAtUs: issued.expiresAtUs });
  await audit.add({ action: 'renewed', actor: peer.name, gateway: peer.name, subject: issued.serial });
  return { certificatePem: issued.certificatePem, caPem: authority.caPem };
}
