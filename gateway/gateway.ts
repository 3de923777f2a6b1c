/**
 * The gateway, wired in the order of the data's way:
 *
 *   listeners ──► journal ──► pipeline ──► journal ──► uplink ──► control plane
 *    capture      records     normalize     outbox └─► deliveries ──► local destinations
 *                             prioritize
 *
 * Started from the end of the way to its beginning, stopped from its beginning to its end:
 * intake first, then the commits in hand and their answers, then the Goodbye.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { durationMs } from '../proto/config/duration.ts';
import type { ConfigOffer, CustodyCount, Telemetry } from '../proto/gen/hilum/v1/session.ts';
import type { Class } from './capture/intake.ts';
import { orderKeysOf } from './capture/order-key.ts';
import { ConfigStore } from './config-store.ts';
import { Journal } from './journal/journal.ts';
import type { StoredDelivery } from './journal/local-queues.ts';
import { Latency } from './latency.ts';
import { type Listener, makeListener, reloadListener } from './listeners.ts';
import { compileMeaning, type Meaning } from './meaning.ts';
import { mappingVersion } from './normalize/normalize.ts';
import { Pipeline } from './pipeline.ts';
import { Lanes } from './prioritize/lanes.ts';
import { nowUs, nowUs64 } from './process/clock.ts';
import { exitCode, openStorage } from './process/errors.ts';
import { loadKey, writePrivate } from './process/keys.ts';
import { errorWord, type Log } from './process/log.ts';
import { type Metric, StatusServer } from './process/status-server.ts';
import { Delivery } from './route/delivery.ts';
import { journalBounds, type LoadedSettings, loadSettings, parseListen, resolvePath } from './settings.ts';
import { Shares } from './shares.ts';
import { Sources } from './sources.ts';
import { Unmapped } from './unmapped.ts';
import { parseProxy } from './uplink/channel.ts';
import { type Identity, loadIdentity, saveIdentity } from './uplink/identity.ts';
import { renewWhenDue } from './uplink/renew.ts';
import { Uplink } from './uplink/uplink.ts';
import { version } from './version.ts';

export interface GatewayOptions {
  directory: string;
  loaded: LoadedSettings;
  log: Log;
}

const laneNames: readonly Class[] = ['stat', 'urgent', 'routine', 'bulk'];
const wakeDeliveriesMs = 1_000;
const repeatsShownMax = 10_000;
const renewCheckMs = 3_600_000;
/** Custody by hour goes up for the last three days; the totals are for ever. */
const hoursReported = 72;

export class Gateway {
  readonly #options: GatewayOptions;
  #identity: Identity | undefined;
  readonly #journal: Journal;
  readonly #config: ConfigStore;
  readonly #sources: Sources;
  readonly #pipeline: Pipeline;
  readonly #listeners: Listener[];
  readonly #latency = new Latency();
  readonly #shares = new Shares();
  readonly #unmapped = new Unmapped();
  readonly #startedAtUs = nowUs();
  readonly #deliveries = new Map<string, Delivery>();
  readonly #alarms = new Map<string, number>();
  readonly #repeats = new Map<number, number>();
  readonly #status: StatusServer;
  #meaning: Meaning;
  #uplink: Uplink | undefined;
  #statusAddress = '';
  #ready = false;
  #stopping = false;
  #deliveryTimer: NodeJS.Timeout | undefined;
  #renewTimer: NodeJS.Timeout | undefined;

  static async open(options: GatewayOptions): Promise<Gateway> {
    const { directory, loaded, log } = options;
    const { settings } = loaded;
    const journalDirectory = join(directory, 'journal');
    const fresh = !existsSync(join(journalDirectory, 'data.mdb'));
    const keyFile = settings.keyFile ?? 'key';
    const key = loadKey(
      resolvePath(keyFile, settings.keyFile === undefined ? '' : loaded.file, directory),
      fresh,
    );
    let gateway: Gateway | undefined;
    const journal = await openStorage('The journal', () =>
      Journal.open(
        {
          directory: journalDirectory,
          gateway: loadIdentity(directory)?.gateway ?? '',
          key,
          ...journalBounds(settings),
          orderKeysOf,
        },
        {
          onFault(code, cause) {
            // Storage that failed once is not trusted again: stop answering, recover from disk.
            log('error', code, { reason: errorWord(cause) });
            process.exit(exitCode.tryAgain);
          },
          onAlarm: (code, fields) => gateway?.alarm(code, fields),
          onRecords: () => gateway?.onRecords(),
          onEvents: () => gateway?.onEvents(),
          onEpoch: (epoch) => gateway?.onEpoch(epoch),
          onDeliveries: () => gateway?.onDeliveries(),
          onRepeat: (sequence) => gateway?.onRepeat(sequence),
        },
      ),
    );
    gateway = new Gateway(options, journal, key);
    return gateway;
  }

  private constructor(options: GatewayOptions, journal: Journal, key: Buffer) {
    const { directory, loaded, log } = options;
    this.#options = options;
    this.#journal = journal;
    this.#identity = loadIdentity(directory);
    this.#config = new ConfigStore(directory, Object.keys(loaded.settings.listeners));
    const { yaml, version: configVersion } = this.#config.running();
    this.#meaning = compileMeaning(yaml, configVersion);
    this.#sources = new Sources(this.#meaning.config);
    this.#pipeline = new Pipeline(
      journal,
      { gateway: this.#identity?.gateway ?? '', site: this.#identity?.site ?? '', masterKey: key },
      {
        onAlarm: (code, fields) => this.alarm(code, fields),
        onNormalized: (result, taken, atUs) => {
          for (const tally of [this.#shares, this.#unmapped])
            tally.count(journal.sourceName(taken.source), result);
          if (taken.journaledAtUs === 0) return;
          this.#latency.record(result.lane, 'journaled', taken.journaledAtUs - result.capturedAtUs);
          this.#latency.record(result.lane, 'normalized', atUs - taken.journaledAtUs);
        },
      },
    );
    this.#listeners = Object.entries(loaded.settings.listeners).map(([name, settings]) =>
      makeListener(name, settings, {
        directory,
        settingsFile: loaded.file,
        intake: journal,
        sources: this.#sources,
        log,
      }),
    );
    this.#status = new StatusServer({
      status: () => this.status(),
      ready: () => this.#ready,
      metrics: () => this.#metrics(),
    });
  }

  /** Resolves when every listener listens; the control plane need not be there. */
  async start(): Promise<void> {
    const { log, loaded, directory } = this.#options;
    const { recovered } = this.#journal;
    log('info', 'recovered', {
      ms: Math.round(recovered.ms),
      records: recovered.records,
      events: recovered.events,
    });
    this.#pipeline.setConfig(
      this.#config.running().yaml,
      this.#config.running().version,
      this.#meaning.reclassifies,
    );
    this.#pipeline.start();
    this.#auditMapping();
    this.#useDestinations();
    this.#startUplink();
    this.#statusAddress = await this.#status.listen(loaded.settings.status.listen, '127.0.0.1:9480', log);
    for (const listener of this.#listeners) {
      await listener.start();
      log('info', 'listening', {
        listener: listener.name,
        type: listener.type,
        address: listener.address,
        tls: listener.tls,
      });
      if (listener.plain !== undefined) {
        void this.#journal.reports.audit({
          action: 'listener-plain',
          subject: listener.name,
          actor: listener.plain.owner,
          reason: listener.plain.reason,
        });
      }
    }
    this.#deliveryTimer = setInterval(() => this.onDeliveries(), wakeDeliveriesMs);
    this.#deliveryTimer.unref();
    this.#renewTimer = setInterval(() => void this.#renew(), renewCheckMs);
    this.#renewTimer.unref();
    void this.#renew();
    this.#ready = true;
    // Where `hilum-gateway status` finds the running one.
    writePrivate(
      join(directory, 'run.json'),
      `${JSON.stringify({ pid: process.pid, status: this.#statusAddress })}\n`,
    );
    if (this.#identity === undefined) log('warn', 'not-enrolled', { gateway: '' });
    log('info', 'ready', { gateway: this.#identity?.gateway ?? '', status: this.#statusAddress });
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    this.#ready = false;
    clearInterval(this.#deliveryTimer);
    clearInterval(this.#renewTimer);
    await Promise.all(this.#listeners.map((listener) => listener.stop(deadlineMs)));
    for (const delivery of this.#deliveries.values()) delivery.stop();
    await this.#pipeline.stop(deadlineMs);
    await this.#uplink?.stop(deadlineMs);
    await this.#journal.stop();
    await this.#journal.close();
    this.#status.stop();
  }

  /** SIGHUP: certificates and keys of the listeners are read again; what else changed needs a restart, and is said. */
  async reload(): Promise<void> {
    const { log, loaded, directory } = this.#options;
    const fresh = loadSettings(directory, loaded.file === '' ? undefined : loaded.file);
    for (const listener of this.#listeners) {
      const settings = fresh.settings.listeners[listener.name];
      if (settings !== undefined) reloadListener(listener, settings, log);
    }
    const changed = JSON.stringify(fresh.settings) !== JSON.stringify(loaded.settings);
    log(changed ? 'warn' : 'info', changed ? 'reloaded-restart-needed' : 'reloaded');
  }

  /** At two thirds of its life the certificate is replaced under the old one, and the uplink comes back with it. */
  async #renew(): Promise<void> {
    const identity = this.#identity;
    if (identity === undefined || this.#stopping) return;
    const { uplink } = this.#options.loaded.settings;
    const way = { address: uplink.address ?? identity.address, proxy: parseProxy(uplink.proxy) };
    try {
      const renewed = await renewWhenDue(identity, way, Date.now());
      if (renewed === undefined) return;
      saveIdentity(this.#options.directory, renewed);
      this.#identity = renewed;
      await this.#uplink?.stop(1_000);
      this.#startUplink();
      this.#options.log('info', 'certificate-renewed');
    } catch (error) {
      this.alarm('certificate-renewal-failed', { reason: errorWord(error) });
    }
  }

  onRecords(): void {
    this.#pipeline.pump();
  }

  onEvents(): void {
    this.#uplink?.notify();
  }

  onEpoch(epoch: bigint): void {
    this.#pipeline.setEpoch(epoch);
  }

  onDeliveries(): void {
    if (this.#stopping) return;
    for (const delivery of this.#deliveries.values()) delivery.notify();
  }

  onRepeat(sequence: number): void {
    // Custody counts every one; here is only what a trace will show, so it may be bounded.
    if (this.#repeats.size < repeatsShownMax)
      this.#repeats.set(sequence, (this.#repeats.get(sequence) ?? 0) + 1);
  }

  #takeRepeats(): { recordSequence: number; count: number }[] {
    const taken = [...this.#repeats].map(([recordSequence, count]) => ({ recordSequence, count }));
    this.#repeats.clear();
    return taken;
  }

  alarm(code: string, fields: Record<string, number | string>): void {
    this.#alarms.set(code, nowUs());
    this.#options.log('warn', code, fields);
  }

  #startUplink(): void {
    const identity = this.#identity;
    if (identity === undefined) return;
    const { uplink } = this.#options.loaded.settings;
    const budgets = Object.fromEntries(laneNames.map((lane) => [lane, this.#meaning.budgetMs(lane)]));
    this.#uplink = new Uplink(
      this.#journal,
      this.#journal.reports,
      {
        identity,
        address: uplink.address ?? identity.address,
        proxy: parseProxy(uplink.proxy),
        version,
        mappingVersion,
        lanes: new Lanes(budgets as Record<Class, number>),
      },
      {
        nowUs,
        random: Math.random,
        log: this.#options.log,
        onAlarm: (code, fields) => this.alarm(code, fields),
        onConfig: (offer) => this.#onConfig(offer),
        onReplay: async (sequences) => {
          let replayed = 0;
          for (const sequence of sequences) if (await this.#journal.replay(sequence)) replayed += 1;
          return { replayed, missing: sequences.length - replayed };
        },
        onPayload: async (sequence, actor, reason) => {
          await this.#journal.reports.audit({
            action: 'viewed',
            actor,
            reason,
            subject: `record ${sequence}`,
          });
          const found = this.#journal.quarantined(sequence)?.record?.raw;
          return { found: found !== undefined, raw: found ?? new Uint8Array(0) };
        },
        configReport: () => this.#config.report(),
        telemetry: () => this.#telemetry(),
        takeRepeats: () => this.#takeRepeats(),
        onLatency: (lane, hop, us) => this.#latency.record(lane, hop, us),
      },
    );
    this.#uplink.start();
  }

  /** Refused or applied as a whole, between two jobs of the normalizer; the answer names path and reason. */
  #onConfig(offer: ConfigOffer): void {
    const { log } = this.#options;
    const running = this.#config.report().running;
    if (running?.version === offer.version && Buffer.from(running.hash).equals(Buffer.from(offer.hash))) {
      this.#uplink?.sendConfigReport(this.#config.report());
      return;
    }
    const outcome = this.#config.attempt(offer, nowUs64());
    const applied = outcome.outcome === 'applied';
    if (applied) {
      this.#meaning = compileMeaning(offer.yaml, Number(offer.version));
      this.#sources.use(this.#meaning.config);
      this.#pipeline.setConfig(offer.yaml, Number(offer.version), this.#meaning.reclassifies);
      this.#useDestinations();
      this.#auditMapping();
    }
    log(applied ? 'info' : 'warn', applied ? 'config-applied' : 'config-refused', {
      version: Number(offer.version),
    });
    void this.#journal.reports.audit({
      action: applied ? 'config-applied' : 'config-refused',
      actor: offer.author,
      reason: offer.reason,
      subject: `config ${offer.version}`,
      outcome: applied ? 'success' : 'refused',
      detail: outcome.problems.map(({ path, message }) => `${path}: ${message}`).join('; '),
    });
    this.#uplink?.sendConfigReport(this.#config.report());
  }

  /** Which version maps the records from here on. */
  #auditMapping(): void {
    const { version: configVersion } = this.#config.running();
    const through = Math.min(this.#pipeline.normalizedThrough(), this.#journal.stats().records);
    void this.#journal.reports.audit({
      action: 'mapped',
      subject: configVersion === 0 ? mappingVersion : `${mappingVersion}+config@${configVersion}`,
      detail: `from record ${through + 1} on`,
    });
  }

  /** One queue for each destination that the config names, and for those that still hold letters under an older one. */
  #useDestinations(): void {
    for (const delivery of this.#deliveries.values()) delivery.stop();
    this.#deliveries.clear();
    for (const [name, destination] of Object.entries(this.#meaning.config.destinations)) {
      const place = parseListen(destination.address);
      if (place === undefined) continue;
      let head: StoredDelivery | undefined;
      const delivery = new Delivery(
        {
          head: () => {
            head = this.#journal.local.head(name);
            return head === undefined
              ? undefined
              : {
                  raw: head.delivery.raw,
                  messageControlId: head.delivery.messageControlId,
                  recordSequence: head.recordSequence,
                };
          },
          delivered: () => this.#journal.local.settle(head as StoredDelivery, 'delivered'),
          deadLetter: () => this.#journal.local.settle(head as StoredDelivery, 'dead'),
          normalizedThrough: () => this.#pipeline.normalizedThrough(),
        },
        {
          name,
          host: place.host,
          port: place.port,
          tls: destination.tls,
          timeoutMs: durationMs(destination.timeout) ?? 30_000,
          inSourceOrder: destination.order === 'source',
        },
        { random: Math.random, log: this.#options.log },
      );
      this.#deliveries.set(name, delivery);
      delivery.notify();
    }
  }

  status(): Record<string, unknown> {
    const room = this.#journal.room();
    const uplink = this.#uplink?.state();
    const oldestS = this.#journal.oldestPendingS();
    const { desired, attempted, running } = this.#configFacts();
    return {
      ready: this.#ready,
      gateway: this.#identity?.gateway ?? '',
      site: this.#identity?.site ?? '',
      version,
      enrolled: this.#identity !== undefined,
      uplink: {
        state: uplink?.state ?? 'not-enrolled',
        reason: uplink?.reason ?? '',
        address: this.#options.loaded.settings.uplink.address ?? this.#identity?.address ?? '',
        lastAckAtUs: String(uplink?.lastAckAtUs ?? 0),
        connects: uplink?.connects ?? 0,
        clockOffsetUs: String(Math.round(uplink?.offsetUs ?? 0)),
      },
      listeners: this.#listeners.map(({ name, type, address, state, tls, plain, counters }) => ({
        name,
        type,
        address,
        state,
        tls,
        ...(plain === undefined ? {} : { plain }),
        counters: counters(),
      })),
      config: { desired, attempted, running },
      journal: {
        state: room.state,
        bytes: String(room.liveBytes),
        bytesMax: String(journalBounds(this.#options.loaded.settings).budgetBytes),
        fileBytes: String(room.fileBytes),
        freeBytes: String(room.freeBytes),
        oldestPendingAtUs: String(oldestS === undefined ? 0 : oldestS * 1_000_000),
        lanes: this.#journal.lanes().map(({ lane, first, last }) => ({ lane, queued: last - first + 1 })),
        refusals: this.#journal.stats().refusals,
        memory: this.#journal.memory.stats(),
        recoveredMs: Math.round(this.#journal.recovered.ms),
      },
      custody: this.#custody().map((count) => ({ ...count, missing: missing(count) })),
      destinations: this.#journal.local.counts().map(({ destination, counts }) => ({
        destination,
        ...counts,
        state: this.#deliveries.get(destination)?.counts.state ?? 'unused',
      })),
      shares: this.#shares.all(),
      unmapped: this.#unmapped.top(),
      latency: this.#latency.summary(),
      alarms: [...this.#alarms].map(([code, atUs]) => ({ code, atUs: String(atUs) })),
    };
  }

  #configFacts(): Record<'desired' | 'attempted' | 'running', unknown> {
    const { attempted, running } = this.#config.report();
    const fact = (one: typeof attempted) =>
      one === undefined
        ? { version: '0', outcome: 'built-in' }
        : {
            version: String(one.version),
            hash: Buffer.from(one.hash).toString('hex'),
            outcome: one.outcome,
            problems: one.problems,
          };
    // What the control plane desires is what it offered last; it is the control plane's fact.
    return {
      desired: { version: String(attempted?.version ?? 0n) },
      attempted: fact(attempted),
      running: fact(running),
    };
  }

  #custody(): {
    source: string;
    accepted: number;
    pending: number;
    delivered: number;
    quarantined: number;
    expired: number;
    duplicates: number;
  }[] {
    return this.#journal.custodyTotals().map(({ source, counts }) => ({
      source,
      accepted: counts.accepted,
      pending: counts.pending,
      delivered: counts.delivered,
      quarantined: counts.quarantined,
      expired: counts.expired,
      duplicates: counts.duplicates,
    }));
  }

  #telemetry(): Telemetry {
    const wide = (count: Record<string, number | string>): CustodyCount => ({
      source: String(count.source ?? ''),
      accepted: BigInt(count.accepted ?? 0),
      pending: BigInt(count.pending ?? 0),
      delivered: BigInt(count.delivered ?? 0),
      quarantined: BigInt(count.quarantined ?? 0),
      expired: BigInt(count.expired ?? 0),
      duplicates: BigInt(count.duplicates ?? 0),
      hour: BigInt(count.hour ?? 0),
      destination: String(count.destination ?? ''),
    });
    const room = this.#journal.room();
    const oldestS = this.#journal.oldestPendingS();
    return {
      atUs: nowUs64(),
      custody: [
        ...this.#custody().map(wide),
        ...this.#journal
          .custodyHours()
          .filter(({ hour }) => hour > nowUs() / 3.6e9 - hoursReported)
          .map(({ source, hour, counts }) => wide({ ...counts, source, hour })),
        ...this.#journal.local.counts().map(({ destination, counts }) =>
          wide({
            destination,
            accepted: counts.accepted,
            pending: counts.pending,
            delivered: counts.delivered,
            quarantined: counts.dead,
          }),
        ),
      ],
      latency: this.#latency.encode(),
      startedAtUs: BigInt(this.#startedAtUs),
      status: {
        journalBytes: BigInt(room.liveBytes),
        journalBytesMax: BigInt(journalBounds(this.#options.loaded.settings).budgetBytes),
        oldestPendingAtUs: BigInt((oldestS ?? 0) * 1_000_000),
        refused: BigInt(this.#journal.stats().refusals),
        alarms: [...this.#alarms.keys()],
        shares: this.#shares.all().map((share) => ({
          source: share.source,
          records: BigInt(share.records),
          stat: BigInt(share.stat),
          results: BigInt(share.results),
          unflaggedResults: BigInt(share.unflaggedResults),
        })),
      },
      clockOffsetUs: 0n,
      clockUncertaintyUs: 0n,
      ...this.#unmapped.report(nowUs()),
    };
  }

  *#metrics(): Generator<Metric> {
    for (const { source, ...counts } of this.#custody()) {
      for (const [term, value] of Object.entries(counts)) {
        yield {
          name: 'hilum_records',
          help: 'Records by source and what became of them.',
          type: 'gauge',
          labels: { source, term },
          value,
        };
      }
    }
    for (const { lane, first, last } of this.#journal.lanes()) {
      yield {
        name: 'hilum_outbox_events',
        help: 'Events that the control plane has not acknowledged.',
        type: 'gauge',
        labels: { lane },
        value: last - first + 1,
      };
    }
    const room = this.#journal.room();
    yield {
      name: 'hilum_journal_bytes',
      help: 'Bytes of the rows in the journal.',
      type: 'gauge',
      value: room.liveBytes,
    };
    yield {
      name: 'hilum_volume_free_bytes',
      help: 'Bytes free on the volume of the journal.',
      type: 'gauge',
      value: room.freeBytes,
    };
    yield {
      name: 'hilum_uplink_connected',
      help: '1 while the control plane is connected.',
      type: 'gauge',
      value: this.#uplink?.state().state === 'connected' ? 1 : 0,
    };
    yield {
      name: 'hilum_refused_total',
      help: 'Records that the journal did not take.',
      type: 'counter',
      value: this.#journal.stats().refusals,
    };
    for (const row of this.#latency.summary()) {
      for (const [quantile, value] of [
        ['0.5', row.p50Us],
        ['0.99', row.p99Us],
        ['1', row.maxUs],
      ] as const) {
        yield {
          name: 'hilum_latency_microseconds',
          help: 'Latency by class and hop.',
          type: 'gauge',
          labels: { class: row.class, hop: row.hop, quantile },
          value,
        };
      }
    }
    for (const listener of this.#listeners) {
      for (const [counter, value] of Object.entries(listener.counters())) {
        yield {
          name: 'hilum_listener',
          help: 'Counters of a listener.',
          type: 'gauge',
          labels: { listener: listener.name, counter },
          value,
        };
      }
    }
  }
}

function missing(count: {
  accepted: number;
  pending: number;
  delivered: number;
  quarantined: number;
  expired: number;
}): number {
  return count.accepted - count.pending - count.delivered - count.quarantined - count.expired;
}
