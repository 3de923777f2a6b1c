/** What the central team may ask and do; each answer is a plain message of the admin contract. */

import { compileMeaning } from '../gateway/meaning.ts';
import { nowUs64 } from '../gateway/process/clock.ts';
import { exitCode, HilumError } from '../gateway/process/errors.ts';
import { checkConfig } from '../proto/config/check.ts';
import type {
  CheckConfigResponse,
  ConfigFacts,
  ConfigHistoryResponse,
  ConfigStatusResponse,
  CreateTokenRequest,
  CreateTokenResponse,
  CustodyRequest,
  CustodyResponse,
  CustodyRow,
  DiffConfigResponse,
  Gateway,
  LatencyRequest,
  LatencyResponse,
  ListQuarantineRequest,
  PushConfigRequest,
  PushConfigResponse,
  PushResult,
  ReplayQuarantineResponse,
  RollbackConfigRequest,
  ShowQuarantineResponse,
  Trace,
  TraceResponse,
} from '../proto/gen/hilum/v1/admin.ts';
import type { ConfigOutcome, CustodyCount, QuarantineEntry } from '../proto/gen/hilum/v1/session.ts';
import type { GatewayRow } from '../proto/gen/hilum/v1/store.ts';
import { writeToken } from '../proto/token.ts';
import { diffLines } from './config/diff.ts';
import { toOffer } from './config/offer.ts';
import { followedMerge, toClinicalEvent } from './eventlog/clinical.ts';
import type { StoredEvent } from './eventlog/eventlog.ts';
import { eventId } from './eventlog/keys.ts';
import type { State } from './plane.ts';
import type { Sessions } from './session/sessions.ts';

const tokenTtlS = 15 * 60;
const tracesMax = 20;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

export class AdminApi {
  readonly state: State;
  readonly #sessions: Sessions;
  readonly #address: () => string;
  readonly #reported = new Set<() => void>();

  constructor(state: State, sessions: Sessions, address: () => string) {
    this.state = state;
    this.#sessions = sessions;
    this.#address = address;
    state.configReported = () => {
      for (const wake of this.#reported) wake();
    };
  }

  async createToken(request: CreateTokenRequest, actor: string): Promise<CreateTokenResponse> {
    const { tokens, authority, registry, audit } = this.state;
    const gateway =
      request.gateway === ''
        ? registry.freeName(request.site, (name) => tokens.promised(name, nowUs64()))
        : request.gateway;
    for (const [what, name] of [
      ['site', request.site],
      ['gateway', gateway],
    ] as const) {
      if (!namePattern.test(name)) {
        throw new HilumError(
          'name-bad',
          `The ${what} name must have letters, digits, "-" or "_", at most 63.`,
          { exit: exitCode.usage },
        );
      }
    }
    const expiresAtUs = nowUs64() + BigInt(request.ttlSeconds || tokenTtlS) * 1_000_000n;
    const secret = await tokens.create({ gateway, site: request.site, expiresAtUs, createdBy: actor });
    await audit.add({ action: 'token-created', actor, gateway, site: request.site });
    return {
      token: writeToken({ address: this.#address(), caPin: authority.pin, secret }),
      gateway,
      expiresAtUs,
    };
  }

  gateways(): Gateway[] {
    const { registry, eventLog, telemetry } = this.state;
    const counts = eventLog.counts();
    return registry.all().map((row) => ({
      gateway: row.gateway,
      site: row.site,
      state: row.revoked ? 'revoked' : this.#sessions.online(row.gateway) ? 'online' : 'offline',
      version: row.version,
      lastSeenAtUs: row.lastSeenAtUs,
      lastAckAtUs: row.lastAckAtUs,
      connectedAtUs: row.connectedAtUs,
      peer: row.peer,
      certificateExpiresAtUs: row.certificateExpiresAtUs,
      config: this.#facts(row),
      events: counts.filter((one) => one.gateway === row.gateway).reduce((sum, one) => sum + one.events, 0n),
      clockOffsetUs: row.clockOffsetUs,
      clockUncertaintyUs: row.clockUncertaintyUs,
      status: telemetry.newest(row.gateway)?.status,
      epoch: (row.epochs.at(-1) ?? 0n).toString(16),
    }));
  }

  /** Desired is what was pushed; attempted and running are what the gateway said. */
  #facts(row: GatewayRow): ConfigFacts {
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
              outcome: attempted?.version === desired.version ? attempted.outcome : 'pending',
              problems: [],
              atUs: desired.atUs,
            },
      attempted: fact(attempted),
      running: fact(row.config?.running),
    };
  }

  async revoke(gateway: string, reason: string, actor: string): Promise<number> {
    const { registry, peers, audit } = this.state;
    if (registry.get(gateway) === undefined) throw unknown('gateway', gateway);
    await peers.revoke('gateway', gateway);
    await registry.update(gateway, { revoked: true });
    await audit.add({ action: 'revoked', actor, gateway, reason });
    return this.#sessions.drop(gateway);
  }

  async trace(id: string): Promise<TraceResponse> {
    const byId = await this.state.eventLog.byId(id);
    const events = byId === undefined ? await this.state.eventLog.byControlId(id, tracesMax) : [byId];
    return { traces: await Promise.all(events.map((event) => this.#trace(event))) };
  }

  /** Times are the clock that took them; the gateway's are put on ours by the session's measured offset. */
  async #trace(event: StoredEvent): Promise<Trace> {
    const { envelope, gateway, epoch, lane, sequence } = event;
    const row = this.state.registry.get(gateway);
    const offsetUs = row?.clockOffsetUs ?? 0n;
    let latest = 0n;
    // The gateway's hops follow each other, whatever a step of its clock made of their times.
    const there = (atUs: bigint) => {
      if (atUs !== 0n && atUs - offsetUs > latest) latest = atUs - offsetUs;
      return atUs && latest;
    };
    const hops = [
      { hop: 'captured', atUs: there(envelope.capturedAtUs) },
      { hop: 'journaled', atUs: there(envelope.journaledAtUs) },
      { hop: 'normalized', atUs: there(envelope.normalizedAtUs) },
      { hop: 'queued', atUs: there(event.queuedAtUs) },
      { hop: 'sent', atUs: there(event.sentAtUs) },
      { hop: 'stored', atUs: event.storedAtUs },
      { hop: 'acked', atUs: there(await this.state.telemetry.ackedAtUs(gateway, epoch, lane, sequence)) },
    ].filter(({ atUs }) => atUs !== 0n);
    const { provenance, identityLinks } = await toClinicalEvent(event, this.state.persons);
    return {
      id: eventId(gateway, epoch, lane, sequence),
      gateway,
      source: envelope.source,
      messageControlId: envelope.messageControlId,
      recordHash: Buffer.from(envelope.recordSha256).toString('hex'),
      class: lane,
      kind: envelope.kind,
      mappingVersion: provenance?.mappingVersion ?? '',
      hops,
      uncertaintyUs: row?.clockUncertaintyUs ?? 0n,
      clockOffsetUs: offsetUs,
      repeats: await this.state.telemetry.repeatsOf(gateway, envelope.recordEpoch, envelope.recordSequence),
      conflict: provenance?.conflict ?? '',
      duplicateOf: provenance?.duplicateOf ?? '',
      followed: identityLinks.map((link) => followedMerge(link, there)),
    };
  }

  latency({ gateway, site }: LatencyRequest): LatencyResponse {
    const { telemetry, registry, configs } = this.state;
    const wanted = (name: string) =>
      (gateway === '' || name === gateway) && (site === '' || registry.get(name)?.site === site);
    const meaning = compileMeaning(site === '' ? '' : (configs.desired(site)?.yaml ?? ''), 0);
    const order = ['journaled', 'normalized', 'queued', 'sent', 'acked', 'total'];
    const classes = ['stat', 'urgent', 'routine', 'bulk'];
    const rows = telemetry.latency(wanted).map(({ histogram, class: lane, hop }) => ({
      class: lane,
      hop,
      count: BigInt(histogram.totalCount),
      p50Us: BigInt(histogram.getValueAtPercentile(50)),
      p90Us: BigInt(histogram.getValueAtPercentile(90)),
      p99Us: BigInt(histogram.getValueAtPercentile(99)),
      maxUs: BigInt(histogram.maxValue),
      budgetUs: hop === 'total' ? BigInt(meaning.budgetMs(lane as 'stat') * 1000) : 0n,
      gateway: gateway === '' ? '' : gateway,
    }));
    rows.sort(
      (a, b) =>
        classes.indexOf(a.class) - classes.indexOf(b.class) || order.indexOf(a.hop) - order.indexOf(b.hop),
    );
    return { rows };
  }

  custody({ gateway, site, byHour }: CustodyRequest): CustodyResponse {
    const rows: CustodyRow[] = [];
    for (const row of this.state.registry.all()) {
      if ((gateway !== '' && row.gateway !== gateway) || (site !== '' && row.site !== site)) continue;
      const report = this.state.telemetry.newest(row.gateway);
      for (const count of report?.custody ?? []) {
        if (count.hour !== 0n && !byHour) continue;
        rows.push(this.#custodyRow(row, count, report?.atUs ?? 0n));
      }
    }
    return { rows };
  }

  #custodyRow(row: GatewayRow, count: CustodyCount, reportedAtUs: bigint): CustodyRow {
    const stored = this.state.eventLog
      .counts()
      .find((one) => one.gateway === row.gateway && one.source === count.source);
    const whole = count.hour === 0n && count.destination === '';
    const accounted = count.pending + count.delivered + count.quarantined + count.expired;
    return {
      gateway: row.gateway,
      site: row.site,
      source: count.source,
      accepted: count.accepted,
      pending: count.pending,
      delivered: count.delivered,
      quarantined: count.quarantined,
      expired: count.expired,
      duplicates: count.duplicates,
      // What the gateway was told is stored and this log does not hold is missing as well.
      missing:
        count.accepted -
        accounted +
        (whole && count.delivered > (stored?.records ?? 0n) ? count.delivered - (stored?.records ?? 0n) : 0n),
      doubled: whole ? (stored?.doubled ?? 0n) : 0n,
      stored: whole ? (stored?.records ?? 0n) : 0n,
      reportedAtUs,
      hour: count.hour,
      destination: count.destination,
    };
  }

  async quarantine({ gateway, site, source, all }: ListQuarantineRequest): Promise<QuarantineEntry[]> {
    return (await this.state.quarantine.list()).filter(
      (entry) =>
        (gateway === '' || entry.gateway === gateway) &&
        (site === '' || entry.site === site) &&
        (source === '' || entry.source === source) &&
        (all || entry.state === 'open'),
    );
  }

  /** The payload is fetched from the site, with a reason, and both ends note who looked. */
  async showQuarantine(
    id: string,
    payload: boolean,
    reason: string,
    actor: string,
  ): Promise<ShowQuarantineResponse> {
    const entry = await this.state.quarantine.get(id);
    if (entry === undefined) throw unknown('quarantined record', id);
    if (!payload) return { entry, raw: new Uint8Array(0) };
    if (reason === '') {
      throw new HilumError('reason-missing', 'Looking at a payload needs a reason.', {
        hint: 'Add --reason "…".',
        exit: exitCode.usage,
      });
    }
    await this.state.audit.add({
      action: 'viewed',
      actor,
      gateway: entry.gateway,
      site: entry.site,
      subject: id,
      reason,
    });
    const reply = await this.#sessions.payload(entry.gateway, entry.recordSequence, actor, reason);
    if (reply === undefined) throw offline(entry.gateway);
    if (!reply.found) throw unknown('payload at the gateway', id);
    return { entry, raw: reply.raw };
  }

  async replay(ids: string[], reason: string, actor: string): Promise<ReplayQuarantineResponse> {
    const answer: ReplayQuarantineResponse = { replayed: 0, missing: 0, offline: 0 };
    const byGateway = new Map<string, QuarantineEntry[]>();
    for (const id of ids) {
      const entry = await this.state.quarantine.get(id);
      if (entry === undefined) answer.missing += 1;
      else byGateway.set(entry.gateway, [...(byGateway.get(entry.gateway) ?? []), entry]);
    }
    for (const [gateway, entries] of byGateway) {
      const sequences = entries.map((entry) => entry.recordSequence);
      const result = await this.#sessions.replay(gateway, sequences, actor, reason);
      if (result === undefined) {
        answer.offline += entries.length;
        continue;
      }
      answer.replayed += result.replayed;
      answer.missing += result.missing;
      await this.state.quarantine.add(entries.map((entry) => ({ ...entry, state: 'replayed' })));
      for (const entry of entries) {
        await this.state.audit.add({
          action: 'replayed',
          actor,
          gateway,
          site: entry.site,
          subject: entry.id,
          reason,
        });
      }
    }
    return answer;
  }

  checkConfig(yaml: string, fileName: string): CheckConfigResponse {
    const problems = checkConfig(yaml, fileName === '' ? {} : { fileName }).problems ?? [];
    return { valid: problems.length === 0, problems };
  }

  diffConfig(yaml: string, site: string): DiffConfigResponse {
    const desired = this.state.configs.desired(site);
    return { diff: diffLines(desired?.yaml ?? '', yaml), running: desired?.version ?? 0n };
  }

  async push(request: PushConfigRequest, actor: string): Promise<PushConfigResponse> {
    const checked = this.checkConfig(request.yaml, '');
    if (!checked.valid) {
      await this.state.audit.add({
        action: 'config-refused',
        actor,
        site: request.site,
        reason: request.reason,
        outcome: 'refused',
      });
      return { version: 0n, valid: false, problems: checked.problems, results: [] };
    }
    return this.#roll(request.site, request.yaml, actor, request.reason, request.waitSeconds, 0n);
  }

  async rollback(request: RollbackConfigRequest, actor: string): Promise<PushConfigResponse> {
    const { configs } = this.state;
    const history = configs.history(request.site);
    const target = request.version === 0n ? history.at(-2) : configs.find(request.site, request.version);
    if (target === undefined)
      throw unknown('earlier config version of this site', String(request.version || ''));
    return this.#roll(request.site, target.yaml, actor, request.reason, request.waitSeconds, target.version);
  }

  async #roll(
    site: string,
    yaml: string,
    actor: string,
    reason: string,
    waitSeconds: number,
    rollbackOf: bigint,
  ): Promise<PushConfigResponse> {
    const { configs, audit, registry } = this.state;
    if (reason === '') {
      throw new HilumError('reason-missing', 'A config needs a reason.', {
        hint: 'Add --reason "…".',
        exit: exitCode.usage,
      });
    }
    const gateways = registry.ofSite(site).filter((row) => !row.revoked);
    if (gateways.length === 0) throw unknown('site', site);
    const version = await configs.add(site, yaml, actor, reason, rollbackOf);
    await audit.add({
      action: 'config-pushed',
      actor,
      site,
      subject: `config ${version.version}`,
      reason,
      detail: version.hash,
    });
    for (const row of gateways) this.#sessions.offer(row.gateway, toOffer(version));
    const online = gateways.filter((row) => this.#sessions.online(row.gateway));
    await this.#wait(waitSeconds, () =>
      online.every((row) => this.#outcome(row.gateway, version.version).outcome !== 'pending'),
    );
    const results = gateways.map((row) => this.#outcome(row.gateway, version.version));
    return { version: version.version, valid: true, problems: [], results };
  }

  #outcome(gateway: string, version: bigint): PushResult {
    const attempted = this.state.registry.get(gateway)?.config?.attempted;
    if (attempted?.version !== version) return { gateway, outcome: 'pending', problems: [] };
    return { gateway, outcome: attempted.outcome, problems: attempted.problems };
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

  history(site: string): ConfigHistoryResponse {
    return { versions: this.state.configs.history(site) };
  }

  configStatus(site: string): ConfigStatusResponse {
    const rows = this.state.registry.all().filter((row) => site === '' || row.site === site);
    return {
      gateways: rows.map((row) => ({ gateway: row.gateway, site: row.site, config: this.#facts(row) })),
    };
  }
}

function unknown(what: string, name: string): HilumError {
  return new HilumError('not-found', `There is no ${what}${name === '' ? '' : ` "${name}"`}.`, {
    exit: exitCode.failed,
  });
}

function offline(gateway: string): HilumError {
  return new HilumError('gateway-offline', `The gateway ${gateway} is not connected.`, {
    hint: 'The payload stays at the site; try again when it is connected.',
    exit: exitCode.unreachable,
  });
}
