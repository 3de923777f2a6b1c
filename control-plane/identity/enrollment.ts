/**
 * A token and a CSR become a gateway; a certificate becomes a newer one of the same gateway. All that the control plane
 * keeps of it, and its entries in the trail, are one write: a crash leaves a token that is still good, or a gateway.
 */
import { nowUs64 } from '../../gateway/process/clock.ts';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import type { Log } from '../../gateway/process/log.ts';
import type { EnrollRequest, EnrollResponse, RenewResponse } from '../../proto/gen/hilum/v1/session.ts';
import type { TokenRow } from '../../proto/gen/hilum/v1/store.ts';
import type { State } from '../plane.ts';
import type { Row } from '../store/store.ts';
import type { Peer } from './peers.ts';

/**
 * @param before the gateway that asks under its certificate to be another from now on: it is retired, since
 *   its host has the new identity. Nobody can retire a gateway without holding its key.
 * @throws HilumError `token-refused`, `name-taken`
 */
export async function enroll(
  state: State,
  request: EnrollRequest,
  peer: string,
  before: Peer | undefined,
  streams: Streams,
  log: Log,
): Promise<EnrollResponse> {
  const { authority, peers, tokens, registry, refusals } = state;
  // Before the token, which is good once.
  await authority.check(request.csr);
  const taken = await tokens.take(request.secret, nowUs64());
  if (taken === undefined) {
    await refusals.note(peer, 'the token is unknown, used or expired');
    throw new HilumError('token-refused', 'the token is unknown, was used before, or is expired.', {
      exit: exitCode.refused,
    });
  }
  const { token, used } = taken;
  const admission = { request, peer, before, used };
  const response = await (token.gateway === ''
    ? registry.withFreeName(token.site, (gateway) => admit(state, { ...token, gateway }, admission))
    : registry.inTurn(token.gateway, async () => {
        // A host that holds the key of the name takes it from nobody.
        const isOwn = before?.name === token.gateway && peers.isGood(before.serial);
        if (!isOwn) await mustBeFree(state, token, streams, admission);
        return admit(state, token, admission, isOwn);
      }));
  const { gateway, site } = response;
  log('info', 'enrolled', { gateway, site });
  if (before !== undefined && before.name !== gateway) {
    streams.drop(before.name);
    log('info', 'replaced', { gateway: before.name, by: gateway });
  }
  return response;
}

/** Who asks, and the row by which its token is used. */
interface Admission {
  request: EnrollRequest;
  peer: string;
  before: Peer | undefined;
  used: Row;
}

async function admit(
  { authority, peers, registry, audit }: State,
  { gateway, site }: TokenRow,
  { request, peer, before, used }: Admission,
  isOwn = false,
): Promise<EnrollResponse> {
  const issued = await authority.sign(request.csr, 'gateway', gateway);
  const rows = [used];
  const entries = [{ action: 'enrolled', actor: peer, gateway, site, subject: issued.serial }];
  // With the name, what it had before must not become good again, nor stay good beside it.
  if (!isOwn) rows.push(...peers.revoked('gateway', gateway));
  const row = {
    site,
    version: request.version,
    enrolledAtUs: nowUs64(),
    certificateExpiresAtUs: issued.expiresAtUs,
    revoked: false,
    replacedBy: '',
  };
  rows.push(registry.changed(gateway, row), peers.issued(issued, 'gateway', gateway));
  // Its old identity is refused from now on, and stands in no push.
  if (before !== undefined && before.name !== gateway) {
    const { name } = before;
    rows.push(registry.changed(name, { revoked: true, replacedBy: gateway }));
    rows.push(...peers.revoked('gateway', name));
    const { site: left = '' } = registry.get(name) ?? {};
    entries.push({ action: 'replaced', actor: gateway, gateway: name, site: left, subject: gateway });
  }
  await audit.addAll(entries, rows);
  return { gateway, site, certificatePem: issued.certificatePem, caPem: authority.caPem };
}

/** What of the sessions an enrollment needs. */
export interface Streams {
  online(gateway: string): boolean;
  /** Ends the stream of a gateway. */
  drop(gateway: string): void;
}

type Named = Pick<TokenRow, 'gateway' | 'site'>;

/** Why another machine cannot have this name: that of a gateway which is connected, or of another site. '' where it can. */
export function nameTaken(
  { registry }: Pick<State, 'registry'>,
  { gateway, site }: Named,
  streams: Pick<Streams, 'online'>,
): string {
  const row = registry.get(gateway);
  if (row === undefined || row.revoked) return '';
  if (row.site !== site) return `there is a gateway "${gateway}" at site "${row.site}"`;
  return streams.online(gateway) ? `the gateway "${gateway}" of this site is connected` : '';
}

/** What a person can do about it. */
export const freeName = 'Leave --gateway out for a name of its own, or revoke that one first.';

async function mustBeFree(
  state: State,
  token: Named,
  streams: Streams,
  { peer, used }: Admission,
): Promise<void> {
  const why = nameTaken(state, token, streams);
  if (why === '') return;
  const { gateway, site } = token;
  const entry = { action: 'enroll', actor: peer, gateway, site, outcome: 'refused', reason: why };
  await state.audit.addAll([entry], [used]);
  throw new HilumError('name-taken', `${why}.`, {
    hint: 'Ask for another token, without a gateway name.',
    exit: exitCode.refused,
  });
}

/** Of one gateway within an hour: one is due in months, and a reply that is lost is asked for again every hour. */
const renewalsMax = 10;
const hourUs = 3_600_000_000n;

/** @throws HilumError `renewed-too-often`, `revoked` */
export function renew(state: State, csr: Uint8Array, peer: Peer): Promise<RenewResponse> {
  // In turn, so that the next one finds the one before it among those within the hour.
  return state.registry.inTurn(peer.name, () => renewed(state, csr, peer));
}

async function renewed(
  { authority, peers, registry, audit }: State,
  csr: Uint8Array,
  peer: Peer,
): Promise<RenewResponse> {
  // Its name may have been given to another machine since it asked.
  if (!peers.isGood(peer.serial))
    throw new HilumError('revoked', `this certificate of ${peer.name} was revoked.`, {
      exit: exitCode.refused,
    });
  const nowUs = nowUs64();
  const recent = peers
    .good('gateway', Number(nowUs) / 1000)
    .filter(({ name, issuedAtUs }) => name === peer.name && issuedAtUs > nowUs - hourUs);
  if (recent.length >= renewalsMax)
    throw new HilumError(
      'renewed-too-often',
      `${peer.name} got ${recent.length} certificates within the hour.`,
      {
        hint: 'The next one is signed an hour after the first of them.',
        exit: exitCode.refused,
      },
    );
  const issued = await authority.sign(csr, 'gateway', peer.name);
  const { name } = peer;
  await audit.addAll(
    [{ action: 'renewed', actor: name, gateway: name, subject: issued.serial }],
    [
      peers.issued(issued, 'gateway', name),
      registry.changed(name, { certificateExpiresAtUs: issued.expiresAtUs }),
    ],
  );
  return { certificatePem: issued.certificatePem, caPem: authority.caPem };
}
