/**
 * The certificate that this control plane shows. It is made at each start, since names may have changed, and anew once
 * it is not good by the clock: one that was made while the clock was wrong shuts everybody out when it is set right.
 */
import { X509Certificate } from 'node:crypto';
import { controlPlaneName } from '../../proto/limits.ts';
import type { Authority, IssuedWithKey } from './ca.ts';

export type ServerIdentity = Pick<IssuedWithKey, 'certificatePem' | 'keyPem'>;

/** Of a control plane that runs for as long as its certificate. */
const renewBeforeMs = 30 * 86_400_000;

export class ServerCertificate {
  readonly #authority: Pick<Authority, 'issue'>;
  readonly #hosts: readonly string[];
  readonly #nowMs: () => number;
  #goodFromMs = 0;
  #goodToMs = 0;

  /** @param nowMs milliseconds since 1970, as the authority's */
  constructor(authority: Pick<Authority, 'issue'>, hosts: readonly string[], nowMs: () => number) {
    this.#authority = authority;
    this.#hosts = hosts;
    this.#nowMs = nowMs;
  }

  async issue(): Promise<ServerIdentity> {
    const issued = await this.#authority.issue('control-plane', controlPlaneName, [...this.#hosts]);
    const { validFrom, validTo } = new X509Certificate(issued.certificatePem);
    this.#goodFromMs = Date.parse(validFrom);
    this.#goodToMs = Date.parse(validTo) - renewBeforeMs;
    return issued;
  }

  isGood(): boolean {
    const nowMs = this.#nowMs();
    return nowMs >= this.#goodFromMs && nowMs <= this.#goodToMs;
  }
}
