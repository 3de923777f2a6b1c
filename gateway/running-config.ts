/**
 * The config that runs, and an offer of another: refused, or applied as a whole by all who work by it. It is on disk
 * before anybody uses it (config-store.ts), so the gateway boots with what ran last.
 */
import { checkConfig, type Listeners } from '../proto/config/check.ts';
import { budgetMs } from '../proto/config/duration.ts';
import { type Class, perClass } from '../proto/config/event-words.ts';
import { problemsText } from '../proto/config/problem.ts';
import type { Config } from '../proto/config/schema.ts';
import type { AuditEntry, ConfigOffer } from '../proto/gen/hilum/v1/session.ts';
import { ConfigStore } from './config-store.ts';
import { Lanes } from './prioritize/lanes.ts';
import { nowUs64 } from './process/clock.ts';
import type { Log } from './process/log.ts';
import { Sources } from './sources.ts';

/** Who works by the config, beside sources and lanes. */
export interface ConfigUsers {
  pipeline: {
    setConfig(config: Config, version: number): void;
    /** Every record up to this sequence is normalized. */
    normalizedThrough(): number;
  };
  destinations: { use(config: Config): void };
  /** The sequence of the newest record. */
  newestRecord(): number;
  audit(entry: Partial<AuditEntry>): void;
}

export interface RunningConfigOptions {
  directory: string;
  /** Which sources may name. */
  listeners: Listeners;
  mappingVersion: string;
  log: Log;
}

export class RunningConfig {
  readonly store: ConfigStore;
  readonly sources: Sources;
  /** Deadlines between the lanes; they change with the config's budgets. */
  readonly lanes: Lanes;
  readonly #options: RunningConfigOptions;
  /** What runs. */
  #config: Config;
  /** One offer after the other. */
  #turn: Promise<void> = Promise.resolve();
  #users: ConfigUsers | undefined;

  constructor(options: RunningConfigOptions) {
    this.#options = options;
    this.store = new ConfigStore(options.directory, options.listeners);
    if (this.store.unreadable) options.log('error', 'config-unreadable');
    const { yaml, version } = this.store.running();
    const { config } = checkConfig(yaml.trim() === '' ? '{}' : yaml);
    if (config === undefined) throw new Error(`config ${version} was not checked before it was run`);
    this.#config = config;
    this.sources = new Sources(config);
    this.lanes = new Lanes(budgetsOf(config));
  }

  /** From here on they work by what runs. */
  begin(users: ConfigUsers): void {
    this.#users = users;
    this.#tell(users);
  }

  /**
   * Between two jobs of the normalizer; the report of the store names path and reason of a refusal. Resolves when it runs
   * or is refused; records are answered and mapped meanwhile, under what ran before.
   */
  take(offer: ConfigOffer, giver: string): Promise<void> {
    this.#turn = this.#turn.then(() => this.#take(offer, giver));
    return this.#turn;
  }

  async #take(offer: ConfigOffer, giver: string): Promise<void> {
    const running = this.store.report().running;
    if (running?.version === offer.version && Buffer.from(running.hash).equals(Buffer.from(offer.hash)))
      return;
    const checked = await this.store.check(offer);
    const outcome = this.store.attempt(offer, checked, nowUs64(), giver);
    const applied = outcome.outcome === 'applied';
    if (applied && checked.config !== undefined) {
      this.#config = checked.config;
      this.lanes.useBudgets(budgetsOf(this.#config));
      this.sources.use(this.#config);
      if (this.#users !== undefined) this.#tell(this.#users);
    }
    this.#options.log(applied ? 'info' : 'warn', applied ? 'config-applied' : 'config-refused', {
      version: Number(offer.version),
    });
    this.#users?.audit({
      action: applied ? 'config-applied' : 'config-refused',
      actor: offer.author,
      reason: offer.reason,
      subject: `config ${offer.version}`,
      outcome: applied ? 'success' : 'refused',
      detail: problemsText(outcome.problems),
    });
  }

  #tell({ pipeline, destinations, newestRecord, audit }: ConfigUsers): void {
    const { version } = this.store.running();
    pipeline.setConfig(this.#config, version);
    destinations.use(this.#config);
    // Which version maps the records from here on.
    const { mappingVersion } = this.#options;
    audit({
      action: 'mapped',
      subject: version === 0 ? mappingVersion : `${mappingVersion}+config@${version}`,
      detail: `from record ${Math.min(pipeline.normalizedThrough(), newestRecord()) + 1} on`,
    });
  }
}

function budgetsOf(config: Config): Record<Class, number> {
  return perClass((one) => budgetMs(config, one));
}
