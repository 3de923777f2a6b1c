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
import type { ConfigOffer } from '../proto/gen/hilum/v1/session.ts';
import type { Class } from './capture/intake.ts';
import { orderKeysOf } from './capture/order-key.ts';
import { ConfigStore } from './config-store.ts';
import { Destinations } from './destinations.ts';
import { watchIdentity } from './identity-watch.ts';
import { Journal } from './journal/journal.ts';
import type { StoredDelivery } from './journal/local-queues.ts';
import { Latency } from './latency.ts';
import { type Listener, makeListener, reloadListener } from './listeners.ts';
import { compileMeaning, type Meaning } from './meaning.ts';
import { mappingVersion } from './normalize/normalize.ts';
import { Pipeline } from './pipeline.ts';
import { Lanes } from './prioritize/lanes.ts';
import { nowUs, nowUs64 } from './process/clock.ts';
import { exitCode } from './process/errors.ts';
import { loadKey, writePrivate } from './process/keys.ts';
import { errorWord, type Log } from './process/log.ts';
import { ownDirectory } from './process/owner.ts';
import { StatusServer } from './process/status-server.ts';
import { openStorage } from './process/storage.ts';
import { SelfReport } from './self-report.ts';
import { journalBounds, type LoadedSettings, loadSettings, parseSize, resolvePath } from './settings.ts';
import { Sources } from './sources.ts';
import { Tallies } from './tallies.ts';
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

const wakeDeliveriesMs = 1_000;
const repeatsShownMax = 10_000;
const renewCheckMs = 3_600_000;

export class Gateway {
  readonly #options: GatewayOptions;
  #identity: Identity | undefined;
  readonly #journal: Journal;
  readonly #config: ConfigStore;
  readonly #sources: Sources;
  readonly #pipeline: Pipeline;
  readonly #listeners: Listener[];
  readonly #latency = new Latency();
  readonly #tallies = new Tallies({
    clockSkewMs: (source) => this.#sources.clockSkewMs(source),
    onAlarm: (code, fields) => this.alarm(code, fields),
    log: (level, code, fields) => this.#options.log(level, code, fields),
    audit: (entry) => void this.#journal.reports.audit(entry),
  });
  readonly #destinations: Destinations<StoredDelivery>;
  readonly #report: SelfReport;
  readonly #alarms = new Map<string, number>();
  readonly #repeats = new Map<number, number>();
  readonly #status: StatusServer;
  /** Deadlines between the lanes; they change with the config's budgets. */
  readonly #lanes: Lanes;
  #meaning: Meaning;
  #uplink: Uplink | undefined;
  #statusAddress = '';
  #ready = false;
  #stopping = false;
  #deliveryTimer: NodeJS.Timeout | undefined;
  #renewTimer: NodeJS.Timeout | undefined;
  #identityTimer: NodeJS.Timeout | undefined;

  static async open(options: GatewayOptions): Promise<Gateway> {
    const { directory, loaded, log } = options;
    const { settings } = loaded;
    await ownDirectory(directory);
    const journalDirectory = join(directory, 'journal');
    const fresh = !existsSync(join(journalDirectory, 'data.mdb'));
    const keyFile = settings.keyFile ?? 'key';
    const key = loadKey(
      resolvePath(keyFile, settings.keyFile === undefined ? '' : loaded.file, directory),
      fresh,
    );
    let gateway: Gateway | undefined;
    const journal = await openStorage('The journal', journalDirectory, () =>
      Journal.open(
        {
          directory: journalDirectory,
          gateway: () => gateway?.name ?? '',
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
    this.#lanes = new Lanes(budgetsOf(this.#meaning));
    this.#pipeline = new Pipeline(
      journal,
      {
        gateway: this.name,
        site: this.#identity?.site ?? '',
        masterKey: key,
        circuits: this.#tallies.circuits,
      },
      {
        onAlarm: (code, fields) => this.alarm(code, fields),
        onNormalized: (result, taken, atUs) => {
          this.#tallies.count(journal.sourceName(taken.source), result);
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
    this.#destinations = new Destinations(journal.local, {
      log,
      onAlarm: (code, fields) => this.alarm(code, fields),
      normalizedThrough: () => this.#pipeline.normalizedThrough(),
    });
    this.#report = new SelfReport({
      journal,
      journalBytesMax: parseSize(loaded.settings.journal.bytesMax) ?? 0,
      config: this.#config,
      listeners: this.#listeners,
      destinations: this.#destinations,
      latency: this.#latency,
      tallies: this.#tallies,
      alarms: this.#alarms,
      now: () => ({
        identity: this.#identity,
        uplink: this.#uplink?.state(),
        uplinkAddress: loaded.settings.uplink.address ?? this.#identity?.address ?? '',
        notReady: this.#notReady(),
      }),
    });
    this.#status = new StatusServer({
      status: () => this.#report.status(),
      notReady: () => this.#notReady(),
      metrics: () => this.#report.metrics(),
    });
  }

  /** '' while it is not enrolled. */
  get name(): string {
    return this.#identity?.gateway ?? '';
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
    this.#destinations.use(this.#meaning.config);
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
    this.#identityTimer = watchIdentity(directory, (identity) => void this.#adopt(identity));
    void this.#renew();
    this.#ready = true;
    // Where `hilum-gateway status` finds the running one.
    writePrivate(
      join(directory, 'run.json'),
      `${JSON.stringify({ pid: process.pid, status: this.#statusAddress })}\n`,
    );
    if (this.#identity === undefined) log('warn', 'not-enrolled', { gateway: '' });
    log('info', 'ready', { gateway: this.name, status: this.#statusAddress });
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    this.#ready = false;
    clearInterval(this.#deliveryTimer);
    clearInterval(this.#renewTimer);
    clearInterval(this.#identityTimer);
    await Promise.all(this.#listeners.map((listener) => listener.stop(deadlineMs)));
    this.#destinations.stop();
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
      await this.#adopt(renewed);
      this.#options.log('info', 'certificate-renewed');
    } catch (error) {
      this.alarm('certificate-renewal-failed', { reason: errorWord(error) });
    }
  }

  /** The uplink comes back as this identity; what is normalized from here on carries its name. */
  async #adopt(identity: Identity): Promise<void> {
    if (this.#stopping || identity.certificatePem === this.#identity?.certificatePem) return;
    const { gateway, site } = identity;
    if (gateway !== this.#identity?.gateway)
      this.#options.log('info', 'identity-taken-up', { gateway, site });
    this.#identity = identity;
    this.#pipeline.change({ gateway, site });
    await this.#uplink?.stop(1_000);
    if (this.#identity === identity && !this.#stopping) this.#startUplink();
  }

  /** Why intake is not taken, in a word; '' when it is. */
  #notReady(): string {
    if (!this.#ready) return this.#stopping ? 'stopping' : 'starting';
    const { state } = this.#journal.room();
    return state === 'open' ? '' : `journal-${state}`;
  }

  onRecords(): void {
    this.#pipeline.pump();
  }

  onEvents(): void {
    this.#uplink?.notify();
  }

  onEpoch(epoch: bigint): void {
    this.#pipeline.change({ epoch });
  }

  onDeliveries(): void {
    if (this.#stopping) return;
    this.#destinations.notify();
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
    this.#uplink = new Uplink(
      this.#journal,
      this.#journal.reports,
      {
        identity,
        address: uplink.address ?? identity.address,
        proxy: parseProxy(uplink.proxy),
        version,
        mappingVersion,
        lanes: this.#lanes,
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
        telemetry: () => this.#report.telemetry(),
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
      this.#lanes.useBudgets(budgetsOf(this.#meaning));
      this.#sources.use(this.#meaning.config);
      this.#pipeline.setConfig(offer.yaml, Number(offer.version), this.#meaning.reclassifies);
      this.#destinations.use(this.#meaning.config);
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
}

function budgetsOf(meaning: Meaning): Record<Class, number> {
  const ms = (lane: Class): number => meaning.budgetMs(lane);
  return { stat: ms('stat'), urgent: ms('urgent'), routine: ms('routine'), bulk: ms('bulk') };
}
