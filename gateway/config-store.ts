/**
 * The config that runs here, and the one that was tried last. The last good one is kept on
 * disk, so the gateway boots without the control plane; a config is swapped as a whole:
 * written beside, flushed, renamed, then used.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CheckResult, checkConfig, type Listeners } from '../proto/config/check.ts';
import type { Problem } from '../proto/config/document.ts';
import { type ConfigOffer, ConfigOutcome, ConfigReport } from '../proto/gen/hilum/v1/session.ts';
import { checkApart } from './process/config-check.ts';
import { writePrivate } from './process/keys.ts';
import { errorWord } from './process/log.ts';
import type { RunningStatus } from './running-status.ts';

export interface StoredConfig {
  version: number;
  yaml: string;
}

interface Stored {
  version: number;
  yaml: string;
  report: unknown;
  /** Absent from what an older build wrote. */
  giver?: string;
}

export class ConfigStore {
  readonly #file: string;
  readonly #listeners: Listeners;
  #running: StoredConfig = { version: 0, yaml: '' };
  #report: ConfigReport = ConfigReport.create();
  /** Who gave what runs; '' where that is not known. */
  #giver = '';
  /** What ran last cannot be read. */
  unreadable = false;

  constructor(directory: string, listeners: Listeners) {
    this.#file = join(directory, 'config', 'running.json');
    this.#listeners = listeners;
    if (!existsSync(this.#file)) return;
    const stored = this.#read();
    // The built-in meaning runs, and the centre, which is told so, offers the config again.
    if (stored === undefined) return;
    this.#report = ConfigReport.fromJSON(stored.report);
    this.#giver = stored.giver ?? '';
    // A newer build may refuse what an older one ran: then the built-in meaning runs, and the centre is told.
    const { problems } = checkConfig(stored.yaml.trim() === '' ? '{}' : stored.yaml, { listeners });
    if (problems === undefined) this.#running = { version: stored.version, yaml: stored.yaml };
    else
      this.#report = ConfigReport.fromPartial({
        attempted: { ...this.#report.attempted, outcome: 'refused', problems },
      });
  }

  /** Undefined, and `unreadable`, where a person or a disk has spoiled the file. */
  #read(): Stored | undefined {
    try {
      const stored = JSON.parse(readFileSync(this.#file, 'utf8')) as Stored;
      if (typeof stored.version === 'number' && typeof stored.yaml === 'string') return stored;
    } catch {
      // Told below.
    }
    this.unreadable = true;
    return undefined;
  }

  running(): StoredConfig {
    return this.#running;
  }

  report(): ConfigReport {
    return this.#report;
  }

  /** Desired, attempted and running as `status` shows them. What is desired is what was offered last; the fact is the control plane's. */
  facts(): RunningStatus['config'] {
    const { attempted, running } = this.#report;
    const fact = (one: ConfigOutcome | undefined) =>
      one === undefined
        ? { version: '0', outcome: 'built-in' }
        : {
            version: String(one.version),
            hash: Buffer.from(one.hash).toString('hex'),
            outcome: one.outcome,
            problems: one.problems.map(({ path, line, column, message, hint }) => {
              return { path, line, column, message, hint };
            }),
          };
    return {
      desired: { version: String(attempted?.version ?? 0n) },
      attempted: fact(attempted),
      running: fact(running),
    };
  }

  /** Checks an offer's text with the code that will run it. */
  check({ yaml }: ConfigOffer): Promise<CheckResult> {
    return checkApart(yaml, { listeners: this.#listeners });
  }

  /**
   * Takes what was checked: on success it is on disk and `running` has changed. What the disk does not take is refused
   * like what is wrong: the last good one goes on.
   * @param giver the control plane and site that it is offered by and for: only their own versions grow
   */
  attempt(offer: ConfigOffer, { problems = [] }: CheckResult, nowUs: bigint, giver = ''): ConfigOutcome {
    const outcomeOf = (problems: Problem[]) =>
      ConfigOutcome.fromPartial({
        version: offer.version,
        hash: offer.hash,
        outcome: problems.length === 0 ? 'applied' : 'refused',
        problems,
        atUs: nowUs,
      });
    const before = this.#report.running;
    const giverBefore = this.#giver;
    let outcome = outcomeOf(this.#objections(offer, giver) ?? problems);
    if (outcome.outcome === 'applied') {
      const applied = { version: Number(offer.version), yaml: offer.yaml };
      this.#giver = giver;
      const why = this.#write(applied, { attempted: outcome, running: outcome });
      if (why === '') {
        this.#running = applied;
        this.#report = { attempted: outcome, running: outcome };
        return outcome;
      }
      this.#giver = giverBefore;
      outcome = outcomeOf(
        whole(`this gateway cannot store it (${why})`, 'see to its disk, then push it again'),
      );
    }
    this.#report = { attempted: outcome, running: before };
    // A refusal that is not on disk is still told; after a restart the centre offers it again.
    this.#write(this.#running, this.#report);
    return outcome;
  }

  /** To the offer, whatever its text says. */
  #objections(offer: ConfigOffer, giver: string): Problem[] | undefined {
    if (!createHash('sha256').update(offer.yaml).digest().equals(Buffer.from(offer.hash))) {
      return whole('the text does not have the hash that it was offered with', 'push it again');
    }
    const ours = giver === '' || this.#giver === '' || giver === this.#giver;
    if (ours && Number(offer.version) <= this.#running.version) {
      return whole(
        `version ${offer.version} is not newer than the running version ${this.#running.version}`,
        'versions only grow; to go back, use: hilumctl config rollback',
      );
    }
    return undefined;
  }

  /** '' once it is on disk, or the word for why not. */
  #write(running: StoredConfig, report: ConfigReport): string {
    const stored: Stored = { ...running, report: ConfigReport.toJSON(report), giver: this.#giver };
    try {
      writePrivate(this.#file, `${JSON.stringify(stored, null, 2)}\n`);
      return '';
    } catch (error) {
      return errorWord(error);
    }
  }
}

/** Of the config as a whole. */
function whole(message: string, hint: string): Problem[] {
  return [{ path: '', line: 0, column: 0, message, hint }];
}
