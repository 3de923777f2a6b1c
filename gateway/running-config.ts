/**
 * The config that runs, and an offer of another: refused, or applied as a whole by all who work by it. It is on disk
 * before anybody uses it (config-store.ts), so the gateway boots with what ran last.
 */
import type { Listeners } from '../proto/config/check.ts';
import { problemsText } from '../proto/config/problem.ts';
import type { Config } from '../proto/config/schema.ts';
import type { AuditEntry, ConfigOffer } from '../proto/gen/hilum/v1/session.ts';
import type { Class } from './capture/intake.ts';
import { ConfigStore } from './config-store.ts';
import { compileMeaning, type Meaning } from './meaning.ts';
import { Lanes } from './prioritize/lanes.ts';
import { nowUs64 } from './process/clock.ts';
import type { Log } from './process/log.ts';
import { Sources } from './sources.ts';

/** Who works by the config, beside sources and lanes. */
export interface ConfigUsers {
  pipeline: {
    setConfig(yaml: string, version: number, reclassifies: boolean): void;
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
  #meaning: Meaning;
  #users: ConfigUsers | undefined;

  constructor(options: RunningConfigOptions) {
    this.#options = options;
    this.store = new ConfigStore(options.directory, options.listeners);
    if (this.store.unreadable) options.log('error', 'config-unreadable');
    const { yaml, version } = this.store.running();
    this.#meaning = compileMeaning(yaml, version);
    this.sources = new Sources(this.#meaning.config);
    this.lanes = new Lanes(budgetsOf(this.#meaning));
  }

  /** From here on they work by what runs. */
  begin(users: ConfigUsers): void {
    this.#users = users;
    this.#tell(users);
  }

  /** Between two jobs of the normalizer; the report of the store names path and reason of a refusal. */
  take(offer: ConfigOffer, giver: string): void {
    const running = this.store.report().running;
    if (running?.version === offer.version && Buffer.from(running.hash).equals(Buffer.from(offer.hash)))
      return;
    const outcome = this.store.attempt(offer, nowUs64(), giver);
    const applied = outcome.outcome === 'applied';
    if (applied) {
      this.#meaning = compileMeaning(offer.yaml, Number(offer.version));
      this.lanes.useBudgets(budgetsOf(this.#meaning));
      this.sources.use(this.#meaning.config);
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
    const { yaml, version } = this.store.running();
    pipeline.setConfig(yaml, version, this.#meaning.reclassifies);
    destinations.use(this.#meaning.config);
    // Which version maps the records from here on.
    const { mappingVersion } = this.#options;
    audit({
      action: 'mapped',
      subject: version === 0 ? mappingVersion : `${mappingVersion}+config@${version}`,
      detail: `from record ${Math.min(pipeline.normalizedThrough(), newestRecord()) + 1} on`,
    });
  }
}

function budgetsOf(meaning: Meaning): Record<Class, number> {
  const ms = (lane: Class): number => meaning.budgetMs(lane);
  return { stat: ms('stat'), urgent: ms('urgent'), routine: ms('routine'), bulk: ms('bulk') };
}
