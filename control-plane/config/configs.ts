/**
 * Configs by site: versions that only grow over all sites, each kept with author and reason.
 * The newest of a site is what is desired; what a gateway attempted and runs are its own facts.
 */
import { createHash } from 'node:crypto';
import { ConfigVersion, type PushResult } from '../../proto/gen/hilum/v1/admin.ts';
import type { ConfigOutcome, ConfigReport } from '../../proto/gen/hilum/v1/session.ts';
import { ConfigOutcomeRow } from '../../proto/gen/hilum/v1/store.ts';
import { configInTrail } from '../audit/trail.ts';
import { indexKey } from '../eventlog/keys.ts';
import { DamagedRow, type Row, readable, type Store, walk } from '../store/store.ts';

const pageRows = 1_000;
/** More than anybody pushes; what claims more must not use the numbers up. */
const versionMax = 2n ** 48n;

export class Configs {
  readonly #store: Store;
  readonly #nowUs: () => bigint;
  readonly #versions: ConfigVersion[] = [];
  /** Versions whose rows do not open. */
  readonly #lost = new Set<bigint>();
  /** Of the versions that are here or that a gateway told of: one that was restored from an older copy gives none again. */
  #highest = 0n;
  /** version → gateway → what it said. */
  readonly #outcomes = new Map<bigint, Map<string, ConfigOutcome>>();

  constructor(store: Store, nowUs: () => bigint) {
    this.#store = store;
    this.#nowUs = nowUs;
  }

  async open(): Promise<void> {
    for await (const row of walk(this.#store, 'configs', pageRows)) {
      if (row instanceof DamagedRow) {
        const version = row.key.readBigUInt64BE(0);
        // Its key is what is damaged: the next version would be behind it.
        if (version > versionMax) continue;
        this.#lost.add(version);
        this.#versions.push(await configInTrail(this.#store, version));
      } else this.#versions.push(ConfigVersion.decode(row.value));
    }
    this.#highest = this.#versions.at(-1)?.version ?? 0n;
    for await (const { value } of readable(this.#store, 'config-outcomes')) {
      const { gateway, outcome } = ConfigOutcomeRow.decode(value);
      if (outcome !== undefined) this.#remember(gateway, outcome);
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
      if (outcome === undefined || outcome.version === 0n) continue;
      if (outcome.version > versionMax) continue;
      const known = this.#outcomes.get(outcome.version)?.get(gateway);
      if (known?.outcome === outcome.outcome && sameHash(known.hash, outcome.hash)) continue;
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

  outcomes(version: ConfigVersion): PushResult[] {
    return [...(this.#outcomes.get(version.version) ?? [])]
      .filter(([, outcome]) => speaksOf(outcome, version))
      .map(([gateway, { outcome, problems }]) => ({ gateway, outcome, problems, offline: false }));
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
      if (!this.isWhole(version)) return false;
      if (version.version >= standing.version || version.hash === desired.hash) return false;
      const outcomes = this.outcomes(version);
      return outcomes.length > 0 && outcomes.every(({ outcome }) => outcome === 'applied');
    });
  }

  #remember(gateway: string, outcome: ConfigOutcome): void {
    if (outcome.version > this.#highest) this.#highest = outcome.version;
    const known = this.#outcomes.get(outcome.version) ?? new Map<string, ConfigOutcome>();
    this.#outcomes.set(outcome.version, known.set(gateway, outcome));
  }

  /** False of a version whose text is damaged: it stays what is desired, and nobody can be given it. */
  isWhole({ version }: ConfigVersion): boolean {
    return !this.#lost.has(version);
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

  /**
   * The text must have been checked. Nobody is given it, and it is not what is desired, before it is flushed.
   * @param write writes its row, with what is said of it
   */
  async add(
    pushed: Pick<ConfigVersion, 'site' | 'yaml' | 'author' | 'reason'> & Partial<ConfigVersion>,
    write: (row: Row, version: ConfigVersion) => Promise<void>,
  ): Promise<ConfigVersion> {
    const version = ConfigVersion.fromPartial({
      ...pushed,
      version: this.#highest + 1n,
      hash: createHash('sha256').update(pushed.yaml).digest('hex'),
      atUs: this.#nowUs(),
    });
    this.#highest = version.version;
    const value = ConfigVersion.encode(version).finish();
    await write({ table: 'configs', key: indexKey(version.version), value }, version);
    this.#versions.push(version);
    return version;
  }
}

/** The version alone does not say it: a control plane that was restored from an older copy may have given it twice. */
export function speaksOf(outcome: ConfigOutcome, { version, hash }: ConfigVersion): boolean {
  return outcome.version === version && sameHash(outcome.hash, Buffer.from(hash, 'hex'));
}

function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(Buffer.from(b));
}
