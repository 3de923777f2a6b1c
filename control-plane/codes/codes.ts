/** Codes without a meaning, merged over the gateways of a site, each with what is or might be its meaning. */
import type { CodeRow, ListCodesRequest, ListCodesResponse } from '../../proto/gen/hilum/v1/admin.ts';
import type { Telemetry, UnmappedCode } from '../../proto/gen/hilum/v1/session.ts';
import type { UnmappedRow } from '../../proto/gen/hilum/v1/store.ts';
import type { Configs } from '../config/configs.ts';
import type { Running } from '../config/running.ts';
import type { Store } from '../store/store.ts';
import { Catalogue } from './catalogue.ts';
import { Worklist } from './worklist.ts';

export class Codes {
  readonly #worklist: Worklist;
  readonly #configs: Configs;
  readonly #runs: (site: string) => Running;
  /** Compiling every site's tables is worth keeping until one of the configs is another. */
  #kept: { versions: string; catalogue: Catalogue } | undefined;
  /** version → its site's tables alone; of those that run. */
  #running = new Map<bigint, Catalogue>();

  constructor(store: Store, configs: Configs, runs: (site: string) => Running) {
    this.#worklist = new Worklist(store);
    this.#configs = configs;
    this.#runs = runs;
  }

  open(): Promise<void> {
    return this.#worklist.open();
  }

  /** Resolves when what is new in it is flushed. */
  report(
    gateway: string,
    site: string,
    { startedAtUs, unmapped, unmappedUncounted }: Telemetry,
  ): Promise<void> {
    return this.#worklist.report(gateway, site, startedAtUs, unmapped, unmappedUncounted);
  }

  async list({ site, unmapped }: ListCodesRequest): Promise<ListCodesResponse> {
    const catalogue = await this.#catalogue();
    const rows = mergedBySite(this.#worklist.rows(site));
    const running = await this.#runningAt([...new Set(rows.map((row) => row.site))]);
    const codes = rows
      .map((row) => told(row, catalogue, running.get(row.site) ?? []))
      .filter((row) => !unmapped || row.state === 'unmapped');
    codes.sort(
      (a, b) => Number(b.count - a.count) || a.site.localeCompare(b.site) || a.code.localeCompare(b.code),
    );
    return { codes, uncounted: this.#worklist.uncounted(site) };
  }

  /** As a gateway of the site reported it. */
  entry({
    site,
    source,
    field,
    system,
    code,
  }: Record<'site' | 'source' | 'field' | 'system' | 'code', string>): UnmappedCode | undefined {
    const row = this.#worklist
      .rows(site)
      .find(
        ({ entry }) =>
          entry?.source === source && entry.field === field && entry.system === system && entry.code === code,
      );
    return row?.entry;
  }

  /** By site: the tables of each config that its gateways run. */
  async #runningAt(sites: readonly string[]): Promise<Map<string, Catalogue[]>> {
    const before = this.#running;
    this.#running = new Map();
    const found = new Map<string, Catalogue[]>();
    for (const site of sites) {
      const { versions, other } = this.#runs(site);
      const catalogues: Catalogue[] = [];
      for (const { version, yaml } of versions) {
        const catalogue = before.get(version) ?? (await Catalogue.of(new Map([[site, yaml]])));
        this.#running.set(version, catalogue);
        catalogues.push(catalogue);
      }
      found.set(site, other || versions.length === 0 ? [...catalogues, builtIn] : catalogues);
    }
    return found;
  }

  async #catalogue(): Promise<Catalogue> {
    const sites = [...new Set(this.#configs.history('').map(({ site }) => site))];
    const desired = sites.flatMap((site) => this.#configs.desired(site) ?? []);
    const versions = desired.map(({ version }) => version).join();
    if (this.#kept?.versions !== versions) {
      const catalogue = await Catalogue.of(new Map(desired.map(({ site, yaml }) => [site, yaml])));
      this.#kept = { versions, catalogue };
    }
    return this.#kept.catalogue;
  }
}

/** What is mapped where no config is. */
const builtIn = new Catalogue(new Map());

function mergedBySite(rows: readonly UnmappedRow[]): UnmappedRow[] {
  const found = new Map<string, UnmappedRow>();
  for (const row of rows) {
    if (row.entry === undefined) continue;
    const { source, field, system, code } = row.entry;
    const key = JSON.stringify([row.site, source, field, system, code]);
    const other = found.get(key);
    const count = row.entry.count + row.countBefore;
    if (other?.entry === undefined) {
      found.set(key, { ...row, entry: { ...row.entry, count } });
      continue;
    }
    const [newest, oldest] =
      row.entry.lastSeenAtUs > other.entry.lastSeenAtUs ? [row.entry, other.entry] : [other.entry, row.entry];
    const firstSeenAtUs =
      newest.firstSeenAtUs < oldest.firstSeenAtUs ? newest.firstSeenAtUs : oldest.firstSeenAtUs;
    other.entry = { ...newest, firstSeenAtUs, count: other.entry.count + count };
  }
  return [...found.values()];
}

function told({ site, entry }: UnmappedRow, catalogue: Catalogue, running: readonly Catalogue[]): CodeRow {
  if (entry === undefined) throw new Error('a row of the worklist without its entry');
  const meanings = running.map((one) => one.mapped(site, entry));
  // At a gateway that runs another config it still comes without a meaning.
  const mapped = meanings.includes(undefined) ? undefined : meanings[0];
  const target = mapped ?? catalogue.suggest(entry);
  const table = entry.field === 'unit' ? undefined : catalogue.tableOf(site, entry);
  return {
    site,
    ...entry,
    state: mapped === undefined ? 'unmapped' : 'mapped',
    toSystem: target?.system ?? '',
    toCode: target?.code ?? '',
    toDisplay: target?.display ?? '',
    because: target?.because ?? '',
    table: table?.name ?? '',
    tableFrom: table?.from ?? '',
    tableTo: table?.to ?? '',
  };
}
