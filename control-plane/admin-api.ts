/** What the central team may ask and do; each answer is a plain message of the admin contract. */

import { compileMeaning } from '../gateway/meaning.ts';
import { nowUs64 } from '../gateway/process/clock.ts';
import { exitCode, HilumError } from '../gateway/process/errors.ts';
import { percentileUs } from '../gateway/process/percentile.ts';
import type {
  CreateTokenRequest,
  CreateTokenResponse,
  CustodyRequest,
  CustodyResponse,
  CustodyRow,
  Gateway,
  Hop,
  LatencyRequest,
  LatencyResponse,
  ListQuarantineRequest,
  ListQuarantineResponse,
  ListSourcesRequest,
  ReplayQuarantineResponse,
  ShowQuarantineResponse,
  SourceRow,
  Trace,
  TraceResponse,
} from '../proto/gen/hilum/v1/admin.ts';
import { Trace as TraceCodec } from '../proto/gen/hilum/v1/admin.ts';
import type { CustodyCount, DeliveryEntry, QuarantineEntry } from '../proto/gen/hilum/v1/session.ts';
import type { GatewayRow } from '../proto/gen/hilum/v1/store.ts';
import { writeToken } from '../proto/token.ts';
import { needReason } from './audit/reason.ts';
import { CodeReplay } from './codes/replay.ts';
import { ConfigApi } from './config/config-api.ts';
import { followedMerge, toClinicalEvent } from './eventlog/clinical.ts';
import { lacking, sumOf } from './eventlog/counts.ts';
import type { StoredEvent } from './eventlog/eventlog.ts';
import { eventId } from './eventlog/keys.ts';
import type { State } from './plane.ts';
import { replayQuarantined } from './quarantine/replay.ts';
import type { Sessions } from './session/sessions.ts';
import type { Gone } from './store/gone.ts';
import { sourcesOf } from './telemetry/sources.ts';

const tokenTtlS = 15 * 60;
const tracesMax = 20;
/** Entries in one answer, which stays below what one gRPC message may have. */
const quarantineMax = 10_000;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

export class AdminApi {
  readonly state: State;
  readonly config: ConfigApi;
  readonly codeReplay: CodeReplay;
  readonly #sessions: Sessions;
  readonly #address: () => string;

  constructor(state: State, sessions: Sessions, address: () => string) {
    this.state = state;
    this.#sessions = sessions;
    this.#address = address;
    this.config = new ConfigApi(state, sessions);
    this.codeReplay = new CodeReplay(state);
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
      connectedAtUs: row.connectedAtUs,
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
    if (registry.get(gateway) === undefined) throw unknown('gateway', gateway);
    // The name first: from here on nothing of it is accepted, nor made.
    await registry.update(gateway, { revoked: true });
    await peers.revoke('gateway', gateway);
    await audit.add({ action: 'revoked', actor, gateway, reason });
    return this.#sessions.drop(gateway);
  }

  async trace(id: string, gone: Gone): Promise<TraceResponse> {
    // Nobody asks for all messages without a control ID, and no row has an empty key.
    if (id === '') {
      throw new HilumError('usage', 'A trace wants an event id or a message control ID (MSH-10).', {
        exit: exitCode.usage,
      });
    }
    const byId = await this.state.eventLog.byId(id);
    const events = byId === undefined ? await this.state.eventLog.byControlId(id, tracesMax, gone) : [byId];
    if (events.length > 0) return { traces: await Promise.all(events.map((event) => this.#trace(event))) };
    return { traces: (await this.state.quarantine.find(id, tracesMax)).map((entry) => this.#stopped(entry)) };
  }

  /** The way of a record that was not understood ends in quarantine. */
  #stopped(entry: QuarantineEntry): Trace {
    const row = this.state.registry.get(entry.gateway);
    const offsetUs = row?.clockOffsetUs ?? 0n;
    return TraceCodec.fromPartial({
      id: entry.id,
      gateway: entry.gateway,
      source: entry.source,
      messageControlId: entry.messageControlId,
      recordHash: entry.recordHash,
      hops: [
        { hop: 'captured', atUs: entry.capturedAtUs === 0n ? 0n : entry.capturedAtUs - offsetUs },
        { hop: 'quarantined', atUs: entry.atUs - offsetUs },
        { hop: 'replayed', atUs: entry.replayedAtUs === 0n ? 0n : entry.replayedAtUs - offsetUs },
      ].filter(({ atUs }) => atUs !== 0n),
      uncertaintyUs: row?.clockUncertaintyUs ?? 0n,
      clockOffsetUs: offsetUs,
      code: entry.code,
      reason: entry.reason,
    });
  }

  /** Times are the clock that took them; the gateway's are put on ours by the session's measured offset. */
  async #trace(event: StoredEvent): Promise<Trace> {
    const { envelope, gateway, epoch, lane, sequence } = event;
    const row = this.state.registry.get(gateway);
    const offsetUs = row?.clockOffsetUs ?? 0n;
    const ackedAtUs = await this.state.telemetry.ackedAtUs(gateway, epoch, lane, sequence);
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
      { hop: 'acked', atUs: there(ackedAtUs) },
    ].filter(({ atUs }) => atUs !== 0n);
    const deliveries = await this.state.telemetry.deliveriesOf(
      gateway,
      envelope.recordEpoch,
      envelope.recordSequence,
    );
    const recordHash = Buffer.from(envelope.recordSha256).toString('hex');
    const names = [gateway, ...this.state.registry.earlierNames(gateway)];
    const was = await this.state.quarantine.before(names, recordHash, envelope.recordSequence);
    const { provenance, identityLinks, once } = await toClinicalEvent(event, this.state);
    return {
      id: eventId(gateway, epoch, lane, sequence),
      gateway,
      source: envelope.source,
      messageControlId: envelope.messageControlId,
      recordHash,
      class: lane,
      kind: envelope.kind,
      mappingVersion: provenance?.mappingVersion ?? '',
      hops: [...hops.map(plainHop), ...deliveries.map((one) => localHop(one, offsetUs))],
      uncertaintyUs: row?.clockUncertaintyUs ?? 0n,
      clockOffsetUs: offsetUs,
      repeats: await this.state.telemetry.repeatsOf(gateway, envelope.recordEpoch, envelope.recordSequence),
      conflict: provenance?.conflict ?? '',
      duplicateOf: provenance?.duplicateOf ?? '',
      code: '',
      reason: '',
      followed: identityLinks.map((link) => followedMerge(link, there)),
      once,
      wasQuarantined: was.map(({ id, code, reason, atUs, replayedAtUs }) => ({
        id,
        code,
        reason,
        atUs: atUs - offsetUs,
        replayedAtUs: replayedAtUs - offsetUs,
      })),
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
      p50Us: BigInt(percentileUs(histogram, 50)),
      p90Us: BigInt(percentileUs(histogram, 90)),
      p99Us: BigInt(percentileUs(histogram, 99)),
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
    const { eventLog, registry } = this.state;
    // A journal that was enrolled anew counts all that it ever took; what it delivered before is stored under its earlier names.
    const names = new Set([row.gateway, ...registry.earlierNames(row.gateway)]);
    const stored = eventLog.storedUnder(names, count.source);
    const doubled =
      eventLog.counts().find((one) => one.gateway === row.gateway && one.source === count.source)?.doubled ??
      0n;
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
    if (entry === undefined) throw unknown('quarantined record', id);
    if (!payload) return { entry, raw: new Uint8Array(0) };
    needReason('Looking at a payload', reason);
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

  replay(ids: string[], reason: string, actor: string): Promise<ReplayQuarantineResponse> {
    return replayQuarantined(this.state, this.#sessions, ids, reason, actor);
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

function plainHop({ hop, atUs }: { hop: string; atUs: bigint }): Hop {
  return { hop, atUs, destination: '', route: '', answer: '', attempts: 0 };
}

/** What became of the record at a destination of its site: a way of its own, beside the one to here. */
function localHop(
  { outcome, atUs, destination, route, answer, attempts }: DeliveryEntry,
  offsetUs: bigint,
): Hop {
  return { hop: outcome, atUs: atUs - offsetUs, destination, route, answer, attempts };
}
