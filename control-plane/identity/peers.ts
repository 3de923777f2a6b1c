/**
 * Who calls. grpc-js with optional client certificates hands over certificates that nobody
 * verified (measured), so every call but Enroll goes through here: the chain to our CA, the
 * dates, the serial (issued by us, not revoked), and the name in the certificate's URI, whose gateway must not
 * be revoked either.
 *
 * A control plane that was put back from a copy does not know what it issued since: it takes up a serial that it does
 * not know where the certificate is newer than all that it knows of a gateway. What was replaced is older than what
 * replaced it, so it stays refused; what was revoked since the copy has to be revoked again.
 */
import { X509Certificate } from 'node:crypto';
import { nowUs64 } from '../../gateway/process/clock.ts';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import { CertificateRow } from '../../proto/gen/hilum/v1/store.ts';
import { type Row, readable, type Store } from '../store/store.ts';
import type { Issued, Role } from './ca.ts';

export interface Peer {
  role: Role;
  name: string;
  serial: string;
  expiresAtUs: bigint;
  /** Of an admin: may ask, and change nothing. */
  readOnly?: boolean;
}

/** `whose`: the role and name in a certificate that our CA did sign. */
export type Verdict = { peer: Peer } | { objection: string; whose?: string };

/** Of a certificate that our CA signed. */
interface Checked {
  readonly peer: Peer;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** What is known of gateways, from the moment that someone said so: where one is revoked, so are all its certificates, also one that is just being made. */
interface Gateways {
  get(gateway: string): unknown;
  isRevoked(gateway: string): boolean;
}

export class Peers {
  readonly #ca: X509Certificate;
  readonly #store: Store;
  readonly #gateways: Gateways;
  readonly #takenUp: (peer: Peer, row: Row) => void;
  readonly #rows = new Map<string, CertificateRow>();
  readonly #revoking = new Set<() => void>();
  readonly #verified = new Map<string, Checked>();

  /** @param takenUp of a certificate that was not known; writes its row, with what is said of it */
  constructor(caPem: string, store: Store, gateways: Gateways, takenUp: (peer: Peer, row: Row) => void) {
    this.#ca = new X509Certificate(caPem);
    this.#store = store;
    this.#gateways = gateways;
    this.#takenUp = takenUp;
  }

  async open(): Promise<void> {
    // One whose row does not open is as one that was never issued.
    for await (const { value } of readable(this.#store, 'certificates')) {
      const row = CertificateRow.decode(value);
      this.#rows.set(row.serial, row);
    }
  }

  /**
   * A certificate that was made: known at once, so that a revocation that comes meanwhile finds it. Its row is to be
   * written with what it belongs to, before anybody has it.
   * @throws HilumError `revoked`
   */
  issued(issued: Issued, role: Role, name: string, readOnly = false): Row {
    if (role === 'gateway' && this.#gateways.isRevoked(name)) {
      throw new HilumError('revoked', `the gateway ${name} was revoked.`, { exit: exitCode.refused });
    }
    const { serial, expiresAtUs } = issued;
    return this.#know(
      CertificateRow.fromPartial({ serial, role, name, expiresAtUs, issuedAtUs: nowUs64(), readOnly }),
    );
  }

  /**
   * From now on every certificate of this gateway or admin is refused. The rows of those that were good, which are to be
   * written at once, with what they belong to.
   */
  revoked(role: Role, name: string): Row[] {
    const good = [...this.#rows.values()].filter(
      (row) => row.role === role && row.name === name && !row.revoked,
    );
    const rows = good.map((row) => this.#know({ ...row, revoked: true }));
    for (const listener of this.#revoking) listener();
    return rows;
  }

  /** Calls at each revocation; returns what ends that. */
  onRevocation(listener: () => void): () => void {
    this.#revoking.add(listener);
    return () => this.#revoking.delete(listener);
  }

  /** Was it issued here and not revoked, as far as the rows tell? */
  isGood(serial: string): boolean {
    return this.#rows.get(serial)?.revoked === false;
  }

  /** Certificates of a role that are good now, the oldest first. */
  good(role: Role, nowMs: number): CertificateRow[] {
    return [...this.#rows.values()]
      .filter((row) => row.role === role && !row.revoked && Number(row.expiresAtUs) / 1000 > nowMs)
      .sort((a, b) => Number(a.issuedAtUs - b.issuedAtUs));
  }

  /** @param raw the certificate as presented (DER), undefined where there was none. */
  verify(raw: Uint8Array | undefined, nowMs: number): Verdict {
    if (raw === undefined || raw.length === 0) return { objection: 'no client certificate was presented' };
    const name = Buffer.from(raw).toString('base64');
    let known = this.#verified.get(name);
    if (known === undefined) {
      const checked = this.#check(raw);
      if ('objection' in checked) return checked;
      known = checked;
      if (this.#verified.size > 10_000) this.#verified.clear();
      this.#verified.set(name, known);
    }
    const { role, name: owner } = known.peer;
    const whose = `${role} ${owner}`;
    if (nowMs < known.validFromMs || nowMs > known.validToMs)
      return { objection: 'the client certificate is not valid now', whose };
    const row = this.#rows.get(known.peer.serial) ?? this.#takeUp(known);
    if (row === undefined)
      return { objection: 'the client certificate was not issued by this control plane', whose };
    if (row.revoked || (role === 'gateway' && this.#gateways.isRevoked(owner)))
      return { objection: 'the client certificate was revoked', whose };
    return { peer: row.readOnly ? { ...known.peer, readOnly: true } : known.peer };
  }

  #check(raw: Uint8Array): Checked | { objection: string } {
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(raw);
    } catch {
      return { objection: 'the client certificate cannot be read' };
    }
    if (!certificate.checkIssued(this.#ca) || !certificate.verify(this.#ca.publicKey)) {
      return { objection: 'the client certificate is not from the CA of this control plane' };
    }
    const uris = [...(certificate.subjectAltName ?? '').matchAll(/(?:^|, )URI:([^,"]+)/g)].map(
      (match) => match[1],
    );
    const [, role, name] =
      /^spiffe:\/\/hilum\/(gateway|admin)\/([A-Za-z0-9][A-Za-z0-9_-]*)$/.exec(uris[0] ?? '') ?? [];
    if (uris.length !== 1 || role === undefined || name === undefined) {
      return { objection: 'the client certificate does not name a gateway or an admin' };
    }
    const validToMs = Date.parse(certificate.validTo);
    return {
      peer: {
        role: role as Role,
        name,
        serial: serialOf(certificate),
        expiresAtUs: BigInt(validToMs) * 1000n,
      },
      validFromMs: Date.parse(certificate.validFrom),
      validToMs,
    };
  }

  /**
   * Undefined where it is not newer than every one that is known of its gateway. All of them last equally long, so the
   * newest is the one that ends last; none is known of a gateway that was enrolled since the copy was made.
   */
  #takeUp({ peer, validFromMs }: Checked): CertificateRow | undefined {
    const { role, name, serial, expiresAtUs } = peer;
    if (role !== 'gateway' || this.#gateways.get(name) === undefined || this.#gateways.isRevoked(name))
      return undefined;
    const known = [...this.#rows.values()].filter((row) => row.role === role && row.name === name);
    if (known.length === 0 || known.some((row) => row.expiresAtUs >= expiresAtUs)) return undefined;
    const issuedAtUs = BigInt(validFromMs) * 1000n;
    const row = CertificateRow.fromPartial({ serial, role, name, expiresAtUs, issuedAtUs });
    this.#takenUp(peer, this.#know(row));
    return row;
  }

  #know(row: CertificateRow): Row {
    this.#rows.set(row.serial, row);
    return {
      table: 'certificates',
      key: Buffer.from(row.serial),
      value: CertificateRow.encode(row).finish(),
    };
  }
}

/** As it stands in a row, and in `Peer`. */
export function serialOf(certificate: X509Certificate): string {
  return certificate.serialNumber.toLowerCase();
}
