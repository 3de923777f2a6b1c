/**
 * The control plane, wired: the store at the bottom, on it the state that each folder owns,
 * on top the gRPC port. Answers what a session asks (Hub) and what an admin asks (Admin).
 */
import { hostname } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { nowUs64 } from '../gateway/process/clock.ts';
import { exitCode, HilumError } from '../gateway/process/errors.ts';
import { loadKey } from '../gateway/process/keys.ts';
import { wasMade } from '../gateway/process/lmdb.ts';
import { errorWord, type Log } from '../gateway/process/log.ts';
import { ownDirectory } from '../gateway/process/owner.ts';
import { StatusServer } from '../gateway/process/status-server.ts';
import { openStorage } from '../gateway/process/storage.ts';
import { addressOf, writeAddress } from '../proto/address.ts';
import { controlPlaneName } from '../proto/limits.ts';
import { AdminApi } from './admin-api.ts';
import { addAdmin } from './admin-service.ts';
import { AuditChain } from './audit/chain.ts';
import { ToldEntries } from './audit/told.ts';
import { Codes } from './codes/codes.ts';
import { Configs } from './config/configs.ts';
import { runningAt } from './config/running.ts';
import { EventLog } from './eventlog/eventlog.ts';
import { Overtaken } from './eventlog/overtaken.ts';
import { hubOf } from './hub.ts';
import { writeAdminContext } from './identity/admin-context.ts';
import { type Authority, openAuthority } from './identity/ca.ts';
import { enroll, renew } from './identity/enrollment.ts';
import { Peers } from './identity/peers.ts';
import { Refusals, refusedCall, refusedEnrollment } from './identity/refusals.ts';
import { Registry } from './identity/registry.ts';
import { ServerCertificate, type ServerIdentity } from './identity/server-certificate.ts';
import { Tokens } from './identity/tokens.ts';
import { planeMetrics } from './metrics.ts';
import { Persons } from './persons/persons.ts';
import { QuarantineIndex } from './quarantine/quarantine.ts';
import { GrpcServer } from './session/grpc-server.ts';
import { Sessions } from './session/sessions.ts';
import { addUplink } from './session/uplink-service.ts';
import type { Settings } from './settings.ts';
import { tellingDamage } from './store/damage.ts';
import { openLmdbStore } from './store/lmdb-store.ts';
import { Room } from './store/room.ts';
import type { Store } from './store/store.ts';
import { TelemetryStore } from './telemetry/telemetry.ts';

/** Whether the certificate that it shows is good by the clock. */
const lookEveryMs = 5_000;

export interface PlaneOptions {
  directory: string;
  settings: Settings;
  settingsFile: string;
  log: Log;
  /** The wall clock, milliseconds since 1970, by which certificates are made and looked at. */
  nowMs?: () => number;
}

/** A relative path in the settings is relative to the settings file. */
export function keyFile(directory: string, { keyFile: named }: Settings, settingsFile: string): string {
  if (named === undefined) return join(directory, 'key');
  return isAbsolute(named) || settingsFile === '' ? named : join(dirname(settingsFile), named);
}

export class Plane {
  readonly state: State;
  readonly #options: PlaneOptions;
  readonly #server: GrpcServer;
  readonly #sessions: Sessions;
  readonly #status: StatusServer;
  readonly #certificate: ServerCertificate;
  #looking: NodeJS.Timeout | undefined;
  #ready = false;
  address = '';

  static async open(options: PlaneOptions): Promise<Plane> {
    const { directory, settings, log, nowMs = Date.now } = options;
    await ownDirectory(directory);
    const storeDirectory = join(directory, 'store');
    const key = loadKey(keyFile(options.directory, settings, options.settingsFile), !wasMade(storeDirectory));
    const authority = await openAuthority(directory, nowMs);
    const opened = await openStorage('The store', storeDirectory, () =>
      openLmdbStore({
        directory: storeDirectory,
        key,
        onFault(cause) {
          // An ack must never be sent after a failed flush: stop, recover from disk.
          const code = cause instanceof HilumError ? cause.code : 'commit-rejected';
          log('error', code, { reason: errorWord(cause) });
          process.exit(exitCode.tryAgain);
        },
        onReserveNotHeld: () => log('warn', 'reserve-not-held'),
      }),
    );
    const audit = new AuditChain(opened, nowUs64);
    await audit.open();
    const store = tellingDamage(opened, ({ table, row, code }) => {
      log('warn', 'row-damaged', { table, row, reason: code });
      void audit.add({
        action: 'row-damaged',
        outcome: 'failed',
        subject: `row ${row} of ${table}`,
        reason: code,
      });
    });
    const configs = new Configs(store, nowUs64);
    const persons = new Persons(store, key);
    const registry = new Registry(store);
    const earlierNames = (gateway: string) => registry.earlierNames(gateway);
    const overtaken = new Overtaken(store, earlierNames);
    const state: State = {
      store,
      authority,
      peers: new Peers(authority.caPem, store, registry, ({ name: gateway, serial }, row) => {
        const action = 'certificate-missing-here';
        log('warn', action, { gateway });
        const reason = 'newer than all that are known of it: taken up';
        void audit.addAll([{ action, actor: gateway, gateway, subject: serial, reason }], [row]);
      }),
      tokens: new Tokens(store),
      registry,
      eventLog: new EventLog(store, key, nowUs64, [persons, overtaken], earlierNames),
      persons,
      overtaken,
      configs,
      codes: new Codes(store, configs, (site) => runningAt({ registry, configs }, site)),
      audit,
      refusals: new Refusals(audit, log, refusedEnrollment),
      refusedCallers: new Refusals(audit, log, refusedCall),
      room: new Room(store, (full) => {
        const action = full ? 'store-full' : 'store-room-again';
        log(full ? 'error' : 'info', action);
        void audit.add({ action, outcome: full ? 'failed' : 'done', subject: 'store' });
      }),
      told: new ToldEntries(store),
      telemetry: new TelemetryStore(store),
      quarantine: new QuarantineIndex(store),
    };
    const { peers, eventLog, codes, telemetry } = state;
    for (const part of [peers, registry, persons, eventLog, configs, codes, telemetry]) await part.open();
    const certificate = new ServerCertificate(authority, hostsOf(settings), nowMs);
    return new Plane(options, state, certificate, await certificate.issue());
  }

  private constructor(
    options: PlaneOptions,
    state: State,
    certificate: ServerCertificate,
    identity: ServerIdentity,
  ) {
    this.#options = options;
    this.state = state;
    this.#certificate = certificate;
    this.#sessions = new Sessions(hubOf(state, options.log));
    this.#server = new GrpcServer({
      identity,
      caPem: state.authority.caPem,
      verify: (raw) => state.peers.verify(raw, Date.now()),
      refused: (caller, reason, whose) => void state.refusedCallers.note(caller, reason, whose),
    });
    addUplink(this.#server, this.#sessions, {
      enroll: (request, peer, before) => enroll(state, request, peer, before, this.#sessions, options.log),
      renew: (csr, peer) => renew(state, csr, peer),
      log: options.log,
    });
    const api = new AdminApi(state, this.#sessions, () => options.settings.advertise ?? this.address);
    addAdmin(this.#server, api, options.log);
    this.#status = new StatusServer({
      notReady: () => {
        if (!this.#ready) return 'starting or stopping';
        return state.room.isFull ? 'store-full' : '';
      },
      status: () => ({
        ready: this.#ready,
        grpc: this.address,
        events: String(state.eventLog.last()),
        store: state.room.isFull ? 'full' : 'open',
        gateways: api.gateways().map(({ gateway, site, state: word }) => ({ gateway, site, state: word })),
      }),
      metrics: () => planeMetrics(state, api),
    });
  }

  /** Resolves when the port listens and the admin context is written. */
  async start(): Promise<void> {
    const { settings, directory, log } = this.#options;
    const { host, port: wanted } = addressOf(settings.grpc);
    const port = await this.#server.listen(
      host,
      wanted,
      this.#options.settingsFile || join(directory, 'settings.yaml'),
    );
    const reachable = host === '0.0.0.0' || host === '::' ? hostname() : host;
    this.address = writeAddress({ host: reachable, port });
    await this.#writeAdminContext();
    const http = await this.#status.listen(
      { named: settings.http, usual: '127.0.0.1:7480', key: 'http (or --http)' },
      log,
    );
    this.#looking = setInterval(() => void this.#lookAtCertificate(), lookEveryMs).unref();
    this.#ready = true;
    log('info', 'ready', { grpc: this.address, http, events: this.state.eventLog.last() });
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#ready = false;
    clearInterval(this.#looking);
    this.#sessions.drain();
    await this.#server.stop(Math.min(deadlineMs, 3_000));
    this.#status.stop();
    await this.state.refusals.stop();
    await this.state.refusedCallers.stop();
    await this.state.store.close();
  }

  async #lookAtCertificate(): Promise<void> {
    if (this.#certificate.isGood()) return;
    const { log } = this.#options;
    try {
      this.#server.show(await this.#certificate.issue());
      log('warn', 'certificate-renewed', { reason: 'the one that was shown is not good by the clock' });
      // Made by the same clock.
      await this.#writeAdminContext();
    } catch (error) {
      log('error', 'certificate-renewal-failed', { reason: errorWord(error) });
    }
  }

  #writeAdminContext(): Promise<void> {
    const { directory, nowMs = Date.now } = this.#options;
    return writeAdminContext(join(directory, 'admin.json'), this.state, this.address, nowMs());
  }
}

export interface State {
  store: Store;
  authority: Authority;
  peers: Peers;
  tokens: Tokens;
  registry: Registry;
  eventLog: EventLog;
  persons: Persons;
  overtaken: Overtaken;
  configs: Configs;
  codes: Codes;
  audit: AuditChain;
  room: Room;
  refusals: Refusals;
  refusedCallers: Refusals;
  told: ToldEntries;
  telemetry: TelemetryStore;
  quarantine: QuarantineIndex;
  /** Called with each gateway that reported on a config; a push waits for it. */
  configReported?: (gateway: string) => void;
}

/** As which it may be reached. */
function hostsOf(settings: Settings): string[] {
  const hosts = new Set([
    controlPlaneName,
    'localhost',
    '127.0.0.1',
    '::1',
    hostname(),
    addressOf(settings.grpc).host,
    addressOf(settings.advertise ?? settings.grpc).host,
    ...settings.names,
  ]);
  for (const none of ['', '0.0.0.0', '::']) hosts.delete(none);
  return [...hosts];
}
