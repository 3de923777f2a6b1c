/** What the central team may ask and do; each answer is a plain message of the admin contract. */
import { nowUs64 } from '../gateway/process/clock.ts';
import { checkApart } from '../gateway/process/config-check.ts';
import { exitCode, HilumError } from '../gateway/process/errors.ts';
import { time } from '../gateway/process/output.ts';
import { percentileUs } from '../gateway/process/percentile.ts';
import { budgetMs } from '../proto/config/duration.ts';
import { type Class, classes } from '../proto/config/event-words.ts';
import type { Config } from '../proto/config/schema.ts';
import type {
  CreateAdminRequest,
  CreateAdminResponse,
  CreateTokenRequest,
  CreateTokenResponse,
  CustodyRequest,
  CustodyResponse,
  CustodyRow,
  DiscardQuarantineResponse,
  Gateway,
  LatencyRequest,
  LatencyResponse,
  ListQuarantineRequest,
  ListQuarantineResponse,
  ListSourcesRequest,
  ReplayQuarantineResponse,
  ShowQuarantineResponse,
  SourceRow,
} from '../proto/gen/hilum/v1/admin.ts';
import type { QuarantineEntry } from '../proto/gen/hilum/v1/quarantine.ts';
import type { CustodyCount } from '../proto/gen/hilum/v1/session.ts';
import type { GatewayRow } from '../proto/gen/hilum/v1/store.ts';
import { writeToken } from '../proto/token.ts';
import { needReason } from './audit/reason.ts';
import { CodeReplay } from './codes/replay.ts';
import { ConfigApi } from './config/config-api.ts';
import { lacking, sumOf } from './eventlog/counts.ts';
import { createAdmin } from './identity/admins.ts';
import { freeName, nameTaken } from './identity/enrollment.ts';
import type { State } from './plane.ts';
import { type Asking, askedAs, discardQuarantined, replayQuarantined } from './quarantine/taking-out.ts';
import type { Sessions } from './session/sessions.ts';
import { sourcesOf } from './telemetry/sources.ts';
import { Traces } from './traces.ts';

const tokenTtlS = 15 * 60;
/** Entries in one answer, which stays below what one gRPC message may have. */
const quarantineMax = 10_000;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

export class AdminApi {
  readonly state: State;
  readonly config: ConfigApi;
  readonly codeReplay: CodeReplay;
  readonly traces: Traces;
  readonly #sessions: Sessions;
  readonly #address: () => string;

  constructor(state: State, sessions: Sessions, address: () => string) {
    this.state = state;
    this.#sessions = sessions;
    this.#address = address;
    this.config = new ConfigApi(state, sessions);
    this.codeReplay = new CodeReplay(state);
    this.traces = new Traces(state);
  }

  async createToken(request: CreateTokenRequest, actor: string): Promise<CreateTokenResponse> {
    const { tokens, authority, audit } = this.state;
    // Without a name here the gateway gets one when it enrolls: numbers count gateways, not tokens.
    const { gateway } = request;
    for (const [what, name] of [
      ['site', request.site],
      ['gateway', gateway],
    ] as const) {
      if ((what === 'site' || name !== '') && !namePattern.test(name)) {
        throw new HilumError(
          'name-bad',
          `The ${what} name must have letters, digits, "-" or "_", at most 63.`,
          { exit: exitCode.usage },
        );
      }
    }
    const why = nameTaken(this.state, request, this.#sessions);
    if (why !== '')
      throw new HilumError('name-taken', `${why[0]?.toUpperCase()}${why.slice(1)}.`, { hint: freeName });
    const expiresAtUs = nowUs64() + BigInt(request.ttlSeconds || tokenTtlS) * 1_000_000n;
    const { secret, row } = tokens.made({ gateway, site: request.site, expiresAtUs });
    await audit.addAll([{ action: 'token-created', actor, gateway, site: request.site }], [row]);
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
      state:
        row.replacedBy !== ''
          ? 'replaced'
          : row.revoked
            ? 'revoked'
            : this.#sessions.online(row.gateway)
              ? 'online'
              : 'offline',
      version: row.version,
      lastSeenAtUs: row.lastSeenAtUs,
      lastAckAtUs: row.lastAckAtUs,
      connectedAtUs: this.#sessions.connectedAtUs(row.gateway),
      peer: row.peer,
      certificateExpiresAtUs: row.certificateExpiresAtUs,
      config: this.config.facts(row),
      events: counts.filter((one) => one.gateway === row.gateway).reduce((sum, one) => sum + one.events, 0n),
      clockOffsetUs: row.clockOffsetUs,
      clockUncertaintyUs: row.clockUncertaintyUs,
      status: telemetry.newest(row.gateway)?.status,
      epoch: (row.epochs.at(-1) ?? 0n).toString(16),
      missingEvents: row.missingEvents,
    }));
  }

  async revoke(gateway: string, reason: string, actor: string): Promise<number> {
    needReason('A revocation', reason);
    const { registry, peers, audit } = this.state;
    if (registry.get(gateway) === undefined)
      throw unknown('gateway', gateway, '"hilumctl gateways" shows them.');
    // The name first: from here on nothing of it is accepted, nor made.
    const name = registry.changed(gateway, { revoked: true });
    await audit.addAll(
      [{ action: 'revoked', actor, gateway, reason }],
      [name, ...peers.revoked('gateway', gateway)],
    );
    return this.#sessions.drop(gateway);
  }

  createAdmin(request: CreateAdminRequest, actor: string): Promise<CreateAdminResponse> {
    return createAdmin(this.state, request, actor, this.#address());
  }

  async latency({ gateway, site }: LatencyRequest): Promise<LatencyResponse> {
    const { telemetry, registry } = this.state;
    const wanted = (name: string) =>
      (gateway === '' || name === gateway) && (site === '' || registry.get(name)?.site === site);
    const budgetUs = await this.#budgetsUs(registry.all().filter((row) => wanted(row.gateway)));
    const lanes: readonly string[] = classes;
    const order = ['journaled', 'normalized', 'queued', 'sent', 'acked', 'total'];
    const rows = telemetry.latency(wanted).map(({ histogram, class: lane, hop }) => ({
      class: lane,
      hop,
      count: BigInt(histogram.totalCount),
      p50Us: BigInt(percentileUs(histogram, 50)),
      p90Us: BigInt(percentileUs(histogram, 90)),
      p99Us: BigInt(percentileUs(histogram, 99)),
      maxUs: BigInt(histogram.maxValue),
      budgetUs: hop === 'total' ? budgetUs(lane) : 0n,
      gateway: gateway === '' ? '' : gateway,
    }));
    rows.sort(
      (a, b) =>
        lanes.indexOf(a.class) - lanes.indexOf(b.class) || order.indexOf(a.hop) - order.indexOf(b.hop),
    );
    return { rows };
  }

  /** By what each of these gateways runs; 0 where they differ. */
  async #budgetsUs(rows: readonly GatewayRow[]): Promise<(lane: string) => bigint> {
    const { configs, telemetry } = this.state;
    const told = rows.filter(({ gateway }) => telemetry.newest(gateway) !== undefined);
    const yamls = new Set(told.map(({ config }) => configs.given(config?.running)?.yaml ?? ''));
    const running: Config[] = [];
    for (const yaml of yamls) {
      const { config } = await checkApart(yaml.trim() === '' ? '{}' : yaml);
      if (config !== undefined) running.push(config);
    }
    return (lane) => {
      const [budget = 0, ...others] = new Set(running.map((config) => budgetMs(config, lane as Class)));
      return others.length === 0 ? BigInt(budget * 1000) : 0n;
    };
  }

  custody({ gateway, site, byHour }: CustodyRequest): CustodyResponse {
    const rows: CustodyRow[] = [];
    const continued = gateway === '' ? this.#continued() : new Set<string>();
    for (const row of this.state.registry.all()) {
      if ((gateway !== '' && row.gateway !== gateway) || (site !== '' && row.site !== site)) continue;
      if (continued.has(row.gateway)) continue;
      const report = this.state.telemetry.newest(row.gateway);
      for (const count of report?.custody ?? []) {
        if (count.hour !== 0n && !byHour) continue;
        rows.push(this.#custodyRow(row, count, report?.atUs ?? 0n));
      }
    }
    return { rows };
  }

  /**
   * Names whose journal goes on under a later one, which counts all that it ever took: told once more, that would be in
   * each sum twice. Where the later name has counted less its journal is an older copy, and both are told.
   */
  #continued(): Set<string> {
    const { registry, telemetry } = this.state;
    const acceptedBy = (gateway: string) => {
      const counts = telemetry.newest(gateway)?.custody ?? [];
      const whole = counts.filter(({ hour, destination }) => hour === 0n && destination === '');
      return new Map(whole.map(({ source, accepted }) => [source, accepted]));
    };
    return new Set(
      registry.all().flatMap(({ gateway }) => {
        const now = acceptedBy(gateway);
        return registry
          .earlierNames(gateway)
          .filter((name) => [...acceptedBy(name)].every(([source, was]) => was <= (now.get(source) ?? -1n)));
      }),
    );
  }

  #custodyRow(row: GatewayRow, count: CustodyCount, reportedAtUs: bigint): CustodyRow {
    const { eventLog, registry } = this.state;
    // A journal that was enrolled anew counts all that it ever took; what it delivered before is stored under its earlier names.
    const names = new Set([row.gateway, ...registry.earlierNames(row.gateway)]);
    const stored = eventLog.storedUnder(names, count.source);
    const doubled = eventLog
      .counts()
      .filter((one) => names.has(one.gateway) && one.source === count.source)
      .reduce((sum, one) => sum + one.doubled, 0n);
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
      missing: count.accepted - accounted + (whole ? lacking(count, stored) : 0n),
      doubled: whole ? doubled : 0n,
      stored: whole ? sumOf(stored) : 0n,
      reportedAtUs,
      hour: count.hour,
      destination: count.destination,
      deliveredElsewhere: count.deliveredElsewhere,
    };
  }

  /** What each gateway told last of its sources. */
  sources({ gateway, site }: ListSourcesRequest): SourceRow[] {
    return this.state.registry
      .all()
      .filter((row) => (gateway === '' || row.gateway === gateway) && (site === '' || row.site === site))
      .flatMap((row) => sourcesOf(row, this.state.telemetry.newest(row.gateway)));
  }

  quarantine(request: ListQuarantineRequest): Promise<ListQuarantineResponse> {
    const { gateway, site, source, all, limit } = request;
    return this.state.quarantine.list(
      (entry) =>
        (gateway === '' || entry.gateway === gateway) &&
        (site === '' || entry.site === site) &&
        (source === '' || entry.source === source) &&
        (all || entry.state === 'open'),
      Math.min(limit || quarantineMax, quarantineMax),
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
    if (entry === undefined)
      throw unknown('quarantined record', id, '"hilumctl quarantine list" shows them.');
    if (!payload) return { entry, raw: new Uint8Array(0) };
    needReason('Looking at a payload', reason);
    const gateway = askedAs(this.state, this.#sessions, entry.gateway);
    await this.state.audit.add({
      action: 'viewed',
      actor,
      gateway,
      site: entry.site,
      subject: id,
      reason,
    });
    const reply = await this.#sessions.payload(gateway, entry, actor, reason);
    if (reply?.found !== true && entry.state !== 'open') throw takenOut(entry);
    if (reply === undefined) throw offline(gateway);
    if (!reply.found)
      throw unknown(
        'payload at the gateway',
        id,
        'The gateway does not have that record, or cannot read it: "hilumctl audit list" tells of what was damaged.',
      );
    return { entry, raw: reply.raw };
  }

  replay(asking: Asking): Promise<ReplayQuarantineResponse> {
    return replayQuarantined(this.state, this.#sessions, asking);
  }

  discard(asking: Asking): Promise<DiscardQuarantineResponse> {
    return discardQuarantined(this.state, this.#sessions, asking);
  }
}

function unknown(what: string, name: string, hint: string): HilumError {
  return new HilumError('not-found', `There is no ${what}${name === '' ? '' : ` "${name}"`}.`, {
    hint,
    exit: exitCode.failed,
  });
}

function takenOut({ id, state, replayedAtUs }: QuarantineEntry): HilumError {
  const when = replayedAtUs === 0n ? 'before' : `at ${time(replayedAtUs)} UTC`;
  return new HilumError(
    'taken-out',
    `${id} was ${state} ${when}: its bytes are not in quarantine any more.`,
    {
      hint:
        state === 'replayed'
          ? `"hilumctl trace ${id}" has its message control ID, and the trace of that what became of it.`
          : 'They went with it, for good.',
    },
  );
}

function offline(gateway: string): HilumError {
  return new HilumError('gateway-offline', `The gateway ${gateway} is not connected.`, {
    hint: 'The payload stays at the site; try again when it is connected.',
    exit: exitCode.unreachable,
  });
}
