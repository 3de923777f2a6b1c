/** The gateways that belong to this control plane, and what is known of each. */
import { nowUs64 } from '../../gateway/process/clock.ts';
import { GatewayRow } from '../../proto/gen/hilum/v1/store.ts';
import { gatewayInTrail } from '../audit/trail.ts';
import { epochsOf } from '../eventlog/stored.ts';
import { DamagedRow, type Row, type Store, walk } from '../store/store.ts';
import { Turns } from '../turns.ts';

const pageRows = 1_000;

export class Registry {
  readonly #store: Store;
  readonly #rows = new Map<string, GatewayRow>();
  readonly #turns = new Turns();

  constructor(store: Store) {
    this.#store = store;
  }

  async open(): Promise<void> {
    const damaged: string[] = [];
    for await (const row of walk(this.#store, 'gateways', pageRows)) {
      if (row instanceof DamagedRow) damaged.push(row.key.toString());
      else this.#rows.set(row.key.toString(), GatewayRow.decode(row.value));
    }
    // Its name, its site and its epochs are needed; what it runs it tells itself when it comes.
    for (const gateway of damaged) {
      const epochs = await epochsOf(this.#store, gateway);
      await this.update(gateway, { ...(await gatewayInTrail(this.#store, gateway)), epochs });
    }
  }

  get(gateway: string): GatewayRow | undefined {
    return this.#rows.get(gateway);
  }

  isRevoked(gateway: string): boolean {
    return this.#rows.get(gateway)?.revoked === true;
  }

  all(): GatewayRow[] {
    return [...this.#rows.values()].sort((a, b) => (a.gateway < b.gateway ? -1 : 1));
  }

  ofSite(site: string): GatewayRow[] {
    return this.all().filter((row) => row.site === site);
  }

  /** The gateway whose journal has this epoch, and which has not left it; '' where it is this one's, or nobody's. */
  holder(gateway: string, epoch: bigint): string {
    const row = this.#rows.get(gateway);
    if (row?.epochs.includes(epoch)) return '';
    const heir = row ?? GatewayRow.create({ gateway });
    const others = this.all().filter((one) => one.gateway !== gateway && one.epochs.includes(epoch));
    return others.find((one) => !hasLeft(one, heir))?.gateway ?? '';
  }

  /**
   * The names that a gateway's journal had before it was enrolled anew. An epoch is random, so whoever has one in
   * common had the same journal, if those before have left it: an epoch is known to who ever saw an id. What is
   * stored under those names is what this journal delivered.
   */
  earlierNames(gateway: string): string[] {
    const row = this.#rows.get(gateway);
    if (row === undefined) return [];
    return this.all()
      .filter((one) => one.enrolledAtUs < row.enrolledAtUs && hasLeft(one, row) && isSame(one, row))
      .map((one) => one.gateway);
  }

  /** All names that a gateway's journal has had and has, its own among them. */
  namesOf(gateway: string): string[] {
    const row = this.#rows.get(gateway);
    if (row === undefined) return [gateway];
    const same = this.all().filter((one) => isSame(one, row) && (hasLeft(one, row) || hasLeft(row, one)));
    return [...new Set([gateway, ...same.map((one) => one.gateway)])];
  }

  /** Changes a row; resolves when that is flushed. A gateway that is new here starts empty. */
  update(gateway: string, change: Partial<GatewayRow>): Promise<void> {
    return this.#store.write([this.changed(gateway, change)]);
  }

  /** Changes a row, which is to be written at once, with what it belongs to. */
  changed(gateway: string, change: Partial<GatewayRow>): Row {
    const row = { ...(this.#rows.get(gateway) ?? GatewayRow.create({ gateway })), ...change };
    this.#rows.set(gateway, row);
    return { table: 'gateways', key: Buffer.from(gateway), value: GatewayRow.encode(row).finish() };
  }

  /** One at a time for a name: who it is given to, and which certificates are good under it, is decided in here. */
  inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(name, work);
  }

  /**
   * A name for the next gateway of a site: the site's own, then site-2, site-3 … Nobody else gets it while
   * `work` makes the gateway's row.
   */
  withFreeName<T>(site: string, work: (name: string) => Promise<T>): Promise<T> {
    const base = site.replace(/[^A-Za-z0-9_-]/g, '-');
    let name = base;
    for (let number = 2; this.#rows.has(name) || this.#turns.has(name); number += 1)
      name = `${base}-${number}`;
    return this.inTurn(name, () => work(name));
  }
}

function isSame({ epochs }: GatewayRow, { epochs: those }: GatewayRow): boolean {
  return epochs.some((epoch) => those.includes(epoch));
}

/** Does nobody speak under this name any more who could say that another takes its journal for its own? */
function hasLeft({ revoked, site, certificateExpiresAtUs }: GatewayRow, heir: GatewayRow): boolean {
  return revoked || (site === heir.site && certificateExpiresAtUs <= nowUs64());
}
