/** What the central team may do with configs: check, compare, push, roll back, see what became of each version. */
import { checkApart } from '../../gateway/process/config-check.ts';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import { documentLimits } from '../../proto/config/limits.ts';
import { problemsText } from '../../proto/config/problem.ts';
import type { Config } from '../../proto/config/schema.ts';
import { warningsOf } from '../../proto/config/warnings.ts';
import type {
  CheckConfigResponse,
  ConfigFacts,
  ConfigHistoryRequest,
  ConfigHistoryResponse,
  ConfigStatusResponse,
  ConfigVersion,
  DiffConfigResponse,
  PushConfigRequest,
  PushResult,
  RollbackConfigRequest,
} from '../../proto/gen/hilum/v1/admin.ts';
import { PushConfigResponse } from '../../proto/gen/hilum/v1/admin.ts';
import type { ConfigOutcome } from '../../proto/gen/hilum/v1/session.ts';
import type { GatewayRow } from '../../proto/gen/hilum/v1/store.ts';
import { needReason } from '../audit/reason.ts';
import type { State } from '../plane.ts';
import type { Sessions } from '../session/sessions.ts';
import { Turns } from '../turns.ts';
import { speaksOf } from './configs.ts';
import { diffLines } from './diff.ts';
import { toOffer } from './offer.ts';
import { runningAt } from './running.ts';

/** Each holds its text while it waits, megabytes perhaps. */
const checksMax = 8;

export class ConfigApi {
  readonly state: State;
  readonly #sessions: Sessions;
  readonly #reported = new Set<() => void>();
  /** Of pushes to a site each sees what the one before made desired. */
  readonly #pushes = new Turns();
  /** Under way or waiting, of those that somebody asks about. */
  #checks = 0;

  constructor(state: State, sessions: Sessions) {
    this.state = state;
    this.#sessions = sessions;
    state.configReported = () => {
      for (const wake of this.#reported) wake();
    };
  }

  /** Desired is what was pushed; attempted and running are what the gateway said. */
  facts(row: GatewayRow): ConfigFacts {
    const desired = this.state.configs.desired(row.site);
    const fact = (one: ConfigOutcome | undefined) =>
      one === undefined
        ? undefined
        : {
            version: one.version,
            hash: Buffer.from(one.hash).toString('hex'),
            outcome: one.outcome,
            problems: one.problems,
            atUs: one.atUs,
          };
    const attempted = row.config?.attempted;
    return {
      desired:
        desired === undefined
          ? undefined
          : {
              version: desired.version,
              hash: desired.hash,
              outcome:
                attempted !== undefined && speaksOf(attempted, desired) ? attempted.outcome : 'pending',
              problems: [],
              atUs: desired.atUs,
            },
      attempted: fact(attempted),
      running: fact(row.config?.running),
    };
  }

  async checkConfig(yaml: string, fileName: string): Promise<CheckConfigResponse> {
    if (this.#checks >= checksMax)
      throw new HilumError('busy', `${this.#checks} configs are being checked already.`, {
        hint: 'Try again in a minute, or check it where you are: "hilumctl config check" needs no control plane.',
        exit: exitCode.tryAgain,
      });
    this.#checks += 1;
    try {
      const { problems = [], config } = await checkApart(yaml, fileName === '' ? {} : { fileName }, 'asked');
      return { valid: problems.length === 0, problems, warnings: config ? warningsOf(config) : [] };
    } finally {
      this.#checks -= 1;
    }
  }

  diffConfig(yaml: string, site: string): DiffConfigResponse {
    // It could not be pushed either.
    if (yaml.length > documentLimits.charactersMax) {
      throw new HilumError(
        'config-too-large',
        `The config has ${yaml.length} characters; at most ${documentLimits.charactersMax} can be pushed.`,
        { hint: 'Leave out what is generated, or not used any more.', exit: exitCode.badConfig },
      );
    }
    const desired = this.state.configs.desired(site);
    const { versions, unknown } = runningAt(this.state, site);
    const [running] = versions;
    const compared = unknown ? desired : running;
    return {
      diff: diffLines(compared?.yaml ?? '', yaml),
      running: running?.version ?? 0n,
      desired: desired?.version ?? 0n,
    };
  }

  async push(request: PushConfigRequest, actor: string): Promise<PushConfigResponse> {
    const { problems } = await checkApart(request.yaml);
    if (problems !== undefined) {
      await this.state.audit.add({
        action: 'config-refused',
        actor,
        site: request.site,
        subject: `config for ${request.site}`,
        reason: request.reason,
        outcome: 'refused',
        detail: problemsText(problems).slice(0, 2_000),
      });
      return PushConfigResponse.fromPartial({ problems });
    }
    return this.#roll({ ...request, rollbackOf: 0n }, actor);
  }

  async rollback(request: RollbackConfigRequest, actor: string): Promise<PushConfigResponse> {
    const { configs } = this.state;
    const { site, version } = request;
    const target = version === 0n ? configs.lastGood(site) : configs.find(site, version);
    if (target === undefined && version === 0n) {
      throw new HilumError(
        'nothing-to-roll-back',
        `Site "${site}" has no earlier config that its gateways applied; nothing was changed.${this.#sameTexts(site)}`,
        {
          hint: `See "hilumctl config history --site ${site}"; name a version with --to, or push a file.`,
          exit: exitCode.refused,
        },
      );
    }
    if (target === undefined) {
      throw new HilumError('not-found', `Site "${site}" has no config version ${version}.`, {
        hint: `See "hilumctl config history --site ${site}".`,
      });
    }
    if (!configs.isWhole(target)) {
      throw new HilumError(
        'config-damaged',
        `The text of config version ${target.version} is damaged on disk.`,
        {
          hint: 'Push the file that it was made from.',
          exit: exitCode.refused,
        },
      );
    }
    const { reason, waitSeconds } = request;
    const wanted = { site, yaml: target.yaml, reason, waitSeconds, rollbackOf: target.version };
    const rolled = await this.#roll({ ...wanted, inPlaceOf: 0n }, actor);
    return { ...rolled, back: withoutText(target) };
  }

  async #roll(
    { site, yaml, reason, waitSeconds, inPlaceOf, rollbackOf }: PushConfigRequest & { rollbackOf: bigint },
    actor: string,
  ): Promise<PushConfigResponse> {
    const { configs, audit, registry } = this.state;
    needReason('A config', reason);
    const known = registry.ofSite(site);
    const gateways = known.filter((row) => !row.revoked);
    if (gateways.length === 0) {
      const why =
        known.length === 0
          ? `There is no site "${site}" with a gateway.`
          : `Site "${site}" has no gateway that takes a config: ${known.map(({ gateway }) => gateway).join(', ')} ${known.length === 1 ? 'is' : 'are'} revoked.`;
      throw new HilumError('not-found', why, {
        hint:
          known.length === 0
            ? 'See "hilumctl gateways".'
            : `Enroll one: hilumctl token create --site ${site}; then push again.`,
      });
    }
    // Known from the push; of a rollback it is a config that an earlier build may have taken.
    const { config } = await checkApart(yaml);
    const warnings = [...(config ? warningsOf(config) : []), ...this.#warnings(gateways, config)];
    const { before, version } = await this.#pushes.take(site, async () => {
      const desired = configs.desired(site);
      if (inPlaceOf !== 0n && desired?.version !== inPlaceOf) throw pushedMeanwhile(site, inPlaceOf, desired);
      const made = await configs.add({ site, yaml, author: actor, reason, rollbackOf }, (row, added) => {
        const subject = `config ${added.version}`;
        const entry = { action: 'config-pushed', actor, site, subject, reason, detail: added.hash };
        return audit.addAll([entry], [row]);
      });
      return { before: desired, version: made };
    });
    if (before?.hash === version.hash)
      warnings.push(`Version ${before.version}, which was desired until now, has the same text.`);
    // With those that were enrolled while the text was checked and written.
    const offered = registry.ofSite(site).filter((row) => !row.revoked);
    for (const row of offered) this.#sessions.offer(row.gateway, toOffer(version));
    const online = offered.filter((row) => this.#sessions.online(row.gateway));
    await this.#wait(waitSeconds, () =>
      online.every((row) => this.#outcome(row.gateway, version).outcome !== 'pending'),
    );
    const results = offered.map((row) => this.#outcome(row.gateway, version));
    return {
      version: version.version,
      valid: true,
      problems: [],
      results,
      warnings,
      back: undefined,
      before: before && withoutText(before),
    };
  }

  /** Earlier versions that are no way back: what they say is desired. */
  #sameTexts(site: string): string {
    const { configs } = this.state;
    const desired = configs.desired(site);
    const same = configs.history(site).filter((one) => one !== desired && one.hash === desired?.hash);
    if (same.length === 0) return '';
    const numbers = same.map(({ version }) => version).join(', ');
    return ` The same text as version ${desired?.version}, which is desired, ${same.length === 1 ? 'has version' : 'have versions'} ${numbers}.`;
  }

  /** Letters that wait at a gateway for a destination which this text no longer names. */
  #warnings(gateways: readonly GatewayRow[], config: Config | undefined): string[] {
    const named = config?.destinations ?? {};
    return gateways.flatMap(({ gateway }) =>
      (this.state.telemetry.newest(gateway)?.custody ?? [])
        .filter(({ destination, pending }) => destination !== '' && pending > 0n && !(destination in named))
        .map(
          ({ destination, pending }) =>
            `${gateway} holds ${pending} ${pending === 1n ? 'message' : 'messages'} for the destination "${destination}", which this config does not name: they stay there until one does.`,
        ),
    );
  }

  #outcome(gateway: string, version: ConfigVersion): PushResult {
    const attempted = this.state.registry.get(gateway)?.config?.attempted;
    if (attempted === undefined || !speaksOf(attempted, version))
      return { gateway, outcome: 'pending', problems: [], offline: !this.#sessions.online(gateway) };
    return { gateway, outcome: attempted.outcome, problems: attempted.problems, offline: false };
  }

  /** Resolves when `done` is true, asked at each report of a gateway, or after the time. */
  #wait(seconds: number, done: () => boolean): Promise<void> {
    if (done() || seconds === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#reported.delete(wake);
        resolve();
      };
      const wake = () => {
        if (done()) finish();
      };
      const timer = setTimeout(finish, seconds * 1000);
      this.#reported.add(wake);
    });
  }

  history({ site, version: only }: ConfigHistoryRequest): ConfigHistoryResponse {
    const { configs } = this.state;
    const versions = configs
      .history(site)
      .filter(({ version }) => only === 0n || version === only)
      .map((version) => ({
        ...(only === 0n ? withoutText(version) : version),
        outcomes: configs.outcomes(version),
      }));
    return { versions };
  }

  configStatus(site: string): ConfigStatusResponse {
    const rows = this.state.registry
      .all()
      .filter((row) => (site === '' || row.site === site) && !row.revoked);
    return {
      gateways: rows.map((row) => ({ gateway: row.gateway, site: row.site, config: this.facts(row) })),
    };
  }
}

function withoutText(version: ConfigVersion): ConfigVersion {
  return { ...version, yaml: '' };
}

function pushedMeanwhile(site: string, inPlaceOf: bigint, desired: ConfigVersion | undefined): HilumError {
  const now = desired === undefined ? 'there is none' : `it is ${desired.version}, by ${desired.author}`;
  return new HilumError(
    'pushed-meanwhile',
    `Version ${inPlaceOf} is not what is desired at "${site}": ${now}.`,
    {
      hint: 'Nothing was changed. See what it says (hilumctl config history --full, config diff), and push on top of it.',
      exit: exitCode.refused,
    },
  );
}
