/**
 * Configs by site: versions that only grow over all sites, each kept with author and reason.
 * The newest of a site is what is desired; what a gateway attempted and runs are its own facts.
 */
import { createHash } from 'node:crypto';
import { ConfigVersion, type PushResult } from '../../proto/gen/hilum/v1/admin.ts';
import type { ConfigOutcome, ConfigReport } from '../../proto/gen/hilum/v1/session.ts';
import { ConfigOutcomeRow } from '../../proto/gen/hilum/v1/store.ts';
import { indexKey } from '../eventlog/keys.ts';
import type { Store } from '../store/store.ts';

export class Configs {
  readonly #store: Store;
  readonly #nowUs: () => bigint;
  readonly #versions: ConfigVersion[] = [];
  /** version → gateway → what it said. */
  readonly #outcomes = new Map<bigint, Map<string, ConfigOutcome>>();

  constructor(store: Store, nowUs: () => bigint) {
    this.#store = store;
    this.#nowUs = nowUs;
  }

  async open(): Promise<void> {
    for (const { value } of await this.#store.range('configs', { limit: 1_000_000 })) {
      this.#versions.push(ConfigVersion.decode(value));
    }
    for (const { value } of await this.#store.range('config-outcomes', { limit: 1_000_000 })) {
      const { gateway, outcome } = ConfigOutcomeRow.decode(value);
      if (this.given(outcome) !== undefined) this.#remember(gateway, outcome as ConfigOutcome);
    }
  }

  /**
   * The version that a gateway names, where it was given here: a gateway that came from another control plane runs,
   * and has attempted, that one's versions, and numbers alone do not tell them from ours.
   */
  given(outcome: Pick<ConfigOutcome, 'version' | 'hash'> | undefined): ConfigVersion | undefined {
    if (outcome === undefined) return undefined;
    const found = this.#versions.find(({ version }) => version === outcome.version);
    return found?.hash === Buffer.from(outcome.hash).toString('hex') ? found : undefined;
  }

  /** What a gateway says of a version is kept for ever: a rollback goes to one that was applied. */
  async reported(gateway: string, { attempted, running }: ConfigReport): Promise<void> {
    for (const outcome of [attempted, running]) {
      if (outcome === undefined || this.given(outcome) === undefined) continue;
      if (this.#outcomes.get(outcome.version)?.get(gateway)?.outcome === outcome.outcome) continue;
      this.#remember(gateway, outcome);
      await this.#store.write([
        {
          table: 'config-outcomes',
          key: Buffer.concat([indexKey(outcome.version), Buffer.from(gateway)]),
          value: ConfigOutcomeRow.encode({ gateway, outcome }).finish(),
        },
      ]);
    }
  }

  outcomes(version: bigint): PushResult[] {
    return [...(this.#outcomes.get(version) ?? [])].map(([gateway, { outcome, problems }]) => {
      return { gateway, outcome, problems };
    });
  }

  /**
   * Where a rollback goes: the newest version before the desired one, with another text, that a gateway of
   * the site applied and none refused. Where the desired one itself was refused, that is the one that runs.
   * A version that is a rollback stands where the one that it gave back stood, so that a second goes further
   * back and not to what the first left.
   */
  lastGood(site: string): ConfigVersion | undefined {
    const desired = this.desired(site);
    let standing = desired;
    while (standing !== undefined && standing.rollbackOf !== 0n)
      standing = this.find(site, standing.rollbackOf);
    return this.#versions.findLast((version) => {
      if (desired === undefined || standing === undefined || version.site !== site) return false;
      if (version.version >= standing.version || version.hash === desired.hash) return false;
      const outcomes = this.outcomes(version.version);
      return outcomes.length > 0 && outcomes.every(({ outcome }) => outcome === 'applied');
    });
  }

  #remember(gateway: string, outcome: ConfigOutcome): void {
    const known = this.#outcomes.get(outcome.version) ?? new Map<string, ConfigOutcome>();
    this.#outcomes.set(outcome.version, known.set(gateway, outcome));
  }

  desired(site: string): ConfigVersion | undefined {
    return this.#versions.findLast((version) => version.site === site);
  }

  history(site: string): ConfigVersion[] {
    return this.#versions.filter((version) => site === '' || version.site === site);
  }

  find(site: string, version: bigint): ConfigVersion | undefined {
    return this.#versions.find((one) => one.site === site && one.version === version);
  }

  /** The text must have been checked. Resolves when it is flushed. */
  async add(
    site: string,
    yaml: string,
    author: string,
    reason: string,
    rollbackOf = 0n,
  ): Promise<ConfigVersion> {
    const version = ConfigVersion.fromPartial({
      version: (this.#versions.at(-1)?.version ?? 0n) + 1n,
      hash: createHash('sha256').update(yaml).digest('hex'),
      author,
      reason,
      atUs: this.#nowUs(),
      site,
      yaml,
      rollbackOf,
    });
    this.#versions.push(version);
    await this.#store.write([
      { table: 'configs', key: indexKey(version.version), value: ConfigVersion.encode(version).finish() },
    ]);
    return version;
  }
}
