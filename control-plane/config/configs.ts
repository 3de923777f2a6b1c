/**
 * Configs by site: versions that only grow over all sites, each kept with author and reason.
 * The newest of a site is what is desired; what a gateway attempted and runs are its own facts.
 */
import { createHash } from 'node:crypto';
import { ConfigVersion } from '../../proto/gen/hilum/v1/admin.ts';
import { indexKey } from '../eventlog/keys.ts';
import type { Store } from '../store/store.ts';

export class Configs {
  readonly #store: Store;
  readonly #nowUs: () => bigint;
  readonly #versions: ConfigVersion[] = [];

  constructor(store: Store, nowUs: () => bigint) {
    this.#store = store;
    this.#nowUs = nowUs;
  }

  async open(): Promise<void> {
    for (const { value } of await this.#store.range('configs', { limit: 1_000_000 })) {
      this.#versions.push(ConfigVersion.decode(value));
    }
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
