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
import { join } from 'node:path';
import { parseSize } from '../proto/config/size.ts';
import type { ConfigOffer, ReplayOutcome } from '../proto/gen/hilum/v1/session.ts';
import { orderKeysOf } from './capture/order-key.ts';
import { readDestinationTls } from './destination-tls.ts';
import { Destinations } from './destinations.ts';
import { IdentifiedUplink } from './identified-uplink.ts';
import { Journal } from './journal/journal.ts';
import type { StoredDelivery } from './journal/local-queues.ts';
import { Latency } from './latency.ts';
import { type Listener, makeListener, reloadListener } from './listeners.ts';
import { mappingVersion } from './normalize/normalize.ts';
import { Pipeline } from './pipeline.ts';
import { nowUs } from './process/clock.ts';
import { exitCode } from './process/errors.ts';
import { loadKey, memoryKey, writePrivate } from './process/keys.ts';
import { wasMade } from './process/lmdb.ts';
import { errorWord, type Log } from './process/log.ts';
import { ownDirectory } from './process/owner.ts';
import { StatusServer } from './process/status-server.ts';
import { openStorage } from './process/storage.ts';
import { Repeats } from './repeats.ts';
import { RunningConfig } from './running-config.ts';
import { SelfReport } from './self-report.ts';
import { journalBounds, type LoadedSettings, listenerTypes, loadSettings, resolvePath } from './settings.ts';
import { type SettingsFacts, settingsFacts } from './settings-digest.ts';
import { Tallies } from './tallies.ts';
import { version } from './version.ts';

export interface GatewayOptions {
  directory: string;
  loaded: LoadedSettings;
  log: Log;
}

const wakeDeliveriesMs = 1_000;
/** Of a stop, for each step of it, however long the ones before it took. */
const stopStepMs = 1_000;

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #journal: Journal;
  readonly #config: RunningConfig;
  readonly #pipeline: Pipeline;
  readonly #listeners: Listener[];
  readonly #latency = new Latency();
  readonly #tallies = new Tallies({
    clockSkewMs: (source) => this.#config.sources.clockSkewMs(source),
    onAlarm: (code, fields) => this.alarm(code, fields),
    log: (level, code, fields) => this.#options.log(level, code, fields),
    audit: (entry) => void this.#journal.reports.audit(entry),
  });
  readonly #destinations: Destinations<StoredDelivery>;
  readonly #report: SelfReport;
  readonly #alarms = new Map<string, number>();
  readonly #repeats = new Repeats();
  readonly #status: StatusServer;
  readonly #uplink: IdentifiedUplink;
  #settings: SettingsFacts;
  #statusAddress = '';
  #ready = false;
  #stopping = false;
  #deliveryTimer: NodeJS.Timeout | undefined;

  static async open(options: GatewayOptions): Promise<Gateway> {
    const { directory, loaded, log } = options;
    const { settings } = loaded;
    await ownDirectory(directory);
    const journalDirectory = join(directory, 'journal');
    const fresh = !wasMade(journalDirectory);
    const keyFile = settings.keyFile ?? 'key';
    const key = loadKey(
      resolvePath(keyFile, settings.keyFile === undefined ? '' : loaded.file, directory),
      fresh,
    );
    let gateway: Gateway | undefined;
    /** What is found while the journal is opened, until there is who tells it. */
    const early: [string, Record<string, number | string>][] = [];
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
          onAlarm(code, fields) {
            if (gateway === undefined) early.push([code, fields]);
            else gateway.alarm(code, fields);
          },
          onRecords: () => gateway?.onRecords(),
          onEvents: () => gateway?.onEvents(),
          onEpoch: (epoch) => gateway?.onEpoch(epoch),
          onDeliveries: () => gateway?.onDeliveries(),
          onRepeat: (sequence) => gateway?.onRepeat(sequence),
        },
      ),
    );
    gateway = new Gateway(options, journal, key);
    for (const [code, fields] of early) gateway.alarm(code, fields);
    return gateway;
  }

  private constructor(options: GatewayOptions, journal: Journal, key: Buffer) {
    const { directory, loaded, log } = options;
    this.#options = options;
    this.#journal = journal;
    this.#settings = settingsFacts(loaded);
    const listeners = listenerTypes(loaded.settings);
    this.#config = new RunningConfig({ directory, listeners, mappingVersion, log });
    this.#uplink = this.#makeUplink();
    this.#pipeline = new Pipeline(
      journal,
      {
        gateway: this.name,
        site: this.#uplink.identity?.site ?? '',
        memoryKey: memoryKey(key),
        circuits: this.#tallies.circuits,
      },
      {
        onAlarm: (code, fields) => this.alarm(code, fields),
        onNormalized: (result, taken, atUs) => {
          this.#tallies.count(journal.sourceName(taken.source), result);
          if (taken.journaledAtUs === 0) return;
          // What was replayed was captured long before it was journaled this time.
          if (result.replayed !== true)
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
        sources: this.#config.sources,
        log,
      }),
    );
    this.#destinations = new Destinations(
      journal.local,
      {
        log,
        onAlarm: (code, fields) => this.alarm(code, fields),
        normalizedThrough: () => Math.min(this.#pipeline.normalizedThrough(), journal.finishedThrough()),
      },
      readDestinationTls(loaded, directory),
    );
    this.#report = new SelfReport({
      journal,
      journalBytesMax: parseSize(loaded.settings.journal.bytesMax) ?? 0,
      config: this.#config.store,
      listeners: this.#listeners,
      destinations: this.#destinations,
      latency: this.#latency,
      tallies: this.#tallies,
      notAccepted: this.#config.sources.notAccepted,
      alarms: this.#alarms,
      now: () => ({
        identity: this.#uplink.identity,
        uplink: this.#uplink.state(),
        uplinkAddress: this.#uplink.address,
        uplinkProxy: this.#uplink.proxy,
        settings: this.#settings,
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
    return this.#uplink.identity?.gateway ?? '';
  }

  /** Resolves when every listener listens; the control plane need not be there. */
  async start(): Promise<void> {
    const { log, loaded } = this.#options;
    const { recovered } = this.#journal;
    log('info', 'recovered', {
      ms: Math.round(recovered.ms),
      records: recovered.records,
      events: recovered.events,
    });
    this.#config.begin({
      pipeline: this.#pipeline,
      destinations: this.#destinations,
      newestRecord: () => this.#journal.stats().records,
      audit: (entry) => void this.#journal.reports.audit(entry),
    });
    this.#pipeline.start();
    this.#uplink.start();
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
    this.#uplink.watch();
    this.#ready = true;
    this.#noteRun();
    if (this.#uplink.identity === undefined) log('warn', 'not-enrolled', { gateway: '' });
    log('info', 'ready', { gateway: this.name, status: this.#statusAddress });
  }

  /** Where `hilum-gateway status` finds the running one. A full disk must not keep a backlog from draining. */
  #noteRun(): void {
    const run = { pid: process.pid, status: this.#statusAddress };
    try {
      writePrivate(join(this.#options.directory, 'run.json'), `${JSON.stringify(run)}\n`);
    } catch (error) {
      this.alarm('run-not-noted', { reason: errorWord(error) });
    }
  }

  /** One deadline for all of it: what comes later has what is left, and a moment at least. */
  async stop(deadlineMs: number): Promise<void> {
    const endsAtMs = performance.now() + deadlineMs;
    const leftMs = () => Math.max(Math.min(stopStepMs, deadlineMs), endsAtMs - performance.now());
    this.#stopping = true;
    this.#ready = false;
    clearInterval(this.#deliveryTimer);
    this.#uplink.freeze();
    await Promise.all(this.#listeners.map((listener) => listener.stop(leftMs())));
    await this.#destinations.stop();
    await this.#pipeline.stop(leftMs());
    await this.#uplink.stop(leftMs());
    await this.#journal.stop();
    await this.#journal.close();
    this.#status.stop();
  }

  /** SIGHUP: certificates and keys of listeners and destinations are read again; what else changed needs a restart, and is said. */
  async reload(): Promise<void> {
    const { log, loaded, directory } = this.#options;
    const fresh = loadSettings(directory, loaded.file === '' ? undefined : loaded.file);
    for (const listener of this.#listeners) {
      const settings = fresh.settings.listeners[listener.name];
      if (settings !== undefined) reloadListener(listener, settings, log);
    }
    try {
      this.#destinations.renew(readDestinationTls(fresh, directory));
      const { destinations } = fresh.settings;
      this.#settings = settingsFacts({ ...loaded, settings: { ...loaded.settings, destinations } });
    } catch (error) {
      log('error', 'destinations-reload-failed', { reason: errorWord(error) });
    }
    const others = ({ settings }: LoadedSettings) => JSON.stringify({ ...settings, destinations: undefined });
    const changed = others(fresh) !== others(loaded);
    log(changed ? 'warn' : 'info', changed ? 'reloaded-restart-needed' : 'reloaded');
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
    this.#uplink.notify();
  }

  onEpoch(epoch: bigint): void {
    this.#pipeline.change({ epoch });
  }

  onDeliveries(): void {
    if (this.#stopping) return;
    this.#destinations.notify();
  }

  onRepeat(sequence: number): void {
    this.#repeats.note(sequence);
  }

  alarm(code: string, fields: Record<string, number | string>): void {
    this.#alarms.set(code, nowUs());
    this.#options.log('warn', code, fields);
  }

  #makeUplink(): IdentifiedUplink {
    const { directory, loaded, log } = this.#options;
    const journal = this.#journal;
    return new IdentifiedUplink(
      {
        directory,
        settings: loaded.settings.uplink,
        outbox: journal,
        reports: journal.reports,
        version,
        mappingVersion,
        lanes: this.#config.lanes,
        log,
      },
      {
        onIdentity: (identity) => this.#pipeline.change(identity),
        onAlarm: (code, fields) => this.alarm(code, fields),
        onConfig: (offer) => this.#onConfig(offer),
        async onTakeOut(how, { recordSequences, ids, recordHashes, recordEpochs, actor, reason }) {
          const action = how === 'replay' ? 'replayed' : 'discarded';
          const outcomes: ReplayOutcome[] = [];
          for (const [at, recordSequence] of recordSequences.entries()) {
            const asked = { actor, reason, subject: ids[at] ?? `record ${recordSequence}` };
            const of = { id: ids[at] ?? '', hash: recordHashes[at] ?? '', epoch: recordEpochs[at] ?? 0n };
            const outcome = await journal[how](Number(recordSequence), { ...of, asked });
            outcomes.push({ recordSequence, outcome });
            if (outcome !== action)
              await journal.reports.audit({ ...asked, action, outcome: 'failed', detail: outcome });
          }
          const done = outcomes.filter(({ outcome }) => outcome === action).length;
          return { replayed: done, missing: outcomes.length - done, outcomes };
        },
        async onPayload({ recordSequence, recordHash: hash, recordEpoch: epoch, actor, reason }) {
          await journal.reports.audit({
            action: 'viewed',
            actor,
            reason,
            subject: `record ${recordSequence}`,
          });
          const found = journal.rawQuarantined(Number(recordSequence), { hash, epoch });
          return { found: found !== undefined, raw: found ?? new Uint8Array(0) };
        },
        configReport: () => this.#config.store.report(),
        telemetry: () => this.#report.telemetry(),
        details: () => this.#report.details(),
        takeRepeats: () => this.#repeats.take(),
        onLatency: (lane, hop, us) => this.#latency.record(lane, hop, us),
      },
    );
  }

  #onConfig(offer: ConfigOffer): void {
    void this.#config
      .take(offer, this.#uplink.giver)
      .then(() => this.#uplink.sendConfigReport(this.#config.store.report()));
  }
}
