/**
 * The MQTT source: an embedded MQTT 3.1 / 3.1.1 broker that captures. The only door to aedes.
 *
 *     socket ─► listener ─► guard ─► aedes ─► authorizePublish ─► intake.append ──settled──► answer
 *                caps,       sizes,   parser,    ACL, order                                  PUBACK / PUBREC / –
 *                TLS         version  states
 *
 * This file gives aedes's hooks to the parts: connections.ts (from socket to close), connect.ts (who is let in),
 * publish.ts, qos2.ts and wills.ts (what is journaled), subscriptions.ts, backpressure.ts, counters.ts.
 *
 * Why the commit stands inside `authorizePublish`: aedes writes PUBACK before it publishes (lib/handlers/
 * publish.js, case 1), and this hook is the only place that it waits for before PUBACK and PUBREC. An error
 * from the hook closes the connection with nothing acknowledged, and the sender keeps its message.
 *
 * Invariants
 * 1. PUBACK and PUBREC leave after the record is durable, in the order of arrival per connection; PUBCOMP
 *    leaves after the packet id was durably released.
 * 2. Nothing is refused quietly: what is not journaled closes the connection.
 * 3. What waits for a commit is bounded per connection and in all; above it sockets are not read.
 * 4. No message is handed on inside the broker unless someone subscribes; nothing is kept for those who left.
 *
 * A crash loses what was not answered, which the sender still has. What survives is the journal's.
 */
import { Aedes } from 'aedes';
import { errorWord } from '../../process/log.ts';
import type { Intake } from '../intake.ts';
import type { Refused } from '../refusals.ts';
import type { Refusal } from './admission.ts';
import { Backpressure } from './backpressure.ts';
import { Commits } from './commits.ts';
import { Connecting } from './connect.ts';
import { Connections } from './connections.ts';
import { Counters } from './counters.ts';
import type { Client, Done, PublishPacket } from './link.ts';
import { Listener } from './listener.ts';
import type { MqttHooks, MqttLimits, MqttSourceOptions, MqttStats, MqttTls } from './options.ts';
import { checkOptions, limitDefaults } from './options.ts';
import type { MqttPart } from './part.ts';
import { Persistence } from './persistence.ts';
import { Publishing } from './publish.ts';
import { Qos2 } from './qos2.ts';
import { Subscriptions } from './subscriptions.ts';
import { Wills } from './wills.ts';

export interface MqttSource {
  /** Resolves when listening; rejects where it cannot. Once only. */
  start(): Promise<{ port: number; address: string }>;
  /**
   * Stops reading, waits for the commits in hand and their answers, then closes. Safe unstarted and twice.
   * After `deadlineMs` connections are cut: unanswered messages come again.
   */
  stop(deadlineMs: number): Promise<void>;
  /** New certificates for new connections; throws where they cannot be used, and the old ones stay. */
  renew(tls: MqttTls): void;
  stats(): MqttStats;
  /** Who was not let in, and who was closed for what it may not do, by reason. */
  refused(): Refused[];
}

export function createMqttSource(options: MqttSourceOptions, intake: Intake, hooks: MqttHooks): MqttSource {
  return new Broker(options, intake, hooks);
}

class Broker implements MqttSource {
  readonly #options: MqttSourceOptions;
  readonly #limits: MqttLimits;
  readonly #counters: Counters;
  readonly #commits: Commits;
  readonly #connections: Connections;
  readonly #qos2: Qos2;
  readonly #backpressure: Backpressure;
  readonly #connecting: Connecting;
  readonly #publishing: Publishing;
  readonly #wills: Wills;
  readonly #subscriptions: Subscriptions;
  #listener: Listener | undefined;
  #aedes: Aedes | undefined;
  #started: Promise<{ port: number; address: string }> | undefined;
  #stopped: Promise<void> | undefined;
  #stopping = false;

  constructor(options: MqttSourceOptions, intake: Intake, hooks: MqttHooks) {
    this.#options = options;
    this.#limits = { ...limitDefaults, ...options.limits };
    this.#counters = new Counters(options.name, hooks);
    this.#commits = new Commits(intake, this.#counters);
    const part: MqttPart = {
      options,
      limits: this.#limits,
      counters: this.#counters,
      commits: this.#commits,
      nowUs: () => hooks.nowUs(),
      elapsedMs: () => hooks.elapsedMs(),
      stopping: () => this.#stopping,
    };
    this.#qos2 = new Qos2(part);
    this.#backpressure = new Backpressure(part);
    this.#connecting = new Connecting(part, this.#qos2);
    this.#publishing = new Publishing(part, this.#qos2, this.#backpressure);
    this.#wills = new Wills(part);
    this.#subscriptions = new Subscriptions(part);
    this.#connections = new Connections(part, (link) => {
      this.#backpressure.forget(link);
      this.#subscriptions.forget(link);
      this.#connecting.leave(link);
    });
  }

  start(): Promise<{ port: number; address: string }> {
    if (this.#started || this.#stopping) return Promise.reject(new Error('an MQTT source starts once'));
    this.#started = this.#start();
    return this.#started;
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  renew(tls: MqttTls): void {
    this.#listener?.renew(tls);
  }

  stats(): MqttStats {
    return { ...structuredClone(this.#counters.stats), connections: this.#listener?.connections ?? 0 };
  }

  refused(): Refused[] {
    return this.#counters.refusals.all();
  }

  async #start(): Promise<{ port: number; address: string }> {
    checkOptions(this.#options, this.#limits);
    const aedes = new Aedes(this.#aedesOptions());
    // Hot path: with nobody subscribed a committed message goes nowhere. Also spares aedes's own $SYS messages.
    const distribute = aedes.publish.bind(aedes) as (packet: unknown, client: unknown, done?: Done) => void;
    aedes.publish = ((packet: unknown, client: unknown, done?: Done) => {
      if (this.#subscriptions.any) distribute(packet, client, done);
      else (typeof client === 'function' ? (client as Done) : done)?.();
    }) as Aedes['publish'];
    aedes.on('connectionError', (client, error) => this.#aedesError(client, error));
    aedes.on('clientError', (client, error) => this.#aedesError(client, error));
    aedes.on('clientReady', (client) => {
      const link = this.#connections.of(client);
      // A turn later: what came in CONNECT's own chunk is handled first.
      if (link) setImmediate(() => this.#stopping || this.#backpressure.holds(link) || link.guard.release());
    });
    aedes.on('unsubscribe', (filters, client) => {
      const link = this.#connections.of(client);
      if (!link) return;
      this.#subscriptions.giveBack(link, filters);
      if (link.subscriptions.size === 0) this.#connecting.unsubscribed(link);
    });
    (aedes as NodeJS.EventEmitter).on('error', () => this.#counters.log('mqtt-broker-error', {}));
    this.#aedes = aedes;
    await aedes.listen();
    this.#listener = new Listener(
      {
        host: this.#options.host,
        port: this.#options.port,
        allow: this.#options.allow,
        tls: this.#options.tls,
        connectionsMax: this.#limits.connectionsMax,
        connectionsPerAddressMax: this.#limits.connectionsPerAddressMax,
        handshakeTimeoutMs: this.#limits.connectTimeoutMs,
      },
      // Its types leave out what it has subscribed to.
      (socket) => this.#connections.open(socket, (one) => aedes.handle(one) as unknown as Client),
      (reason, address, cause = '') => this.#counters.refused(reason, { address, cause }),
      (error) => this.#counters.log('mqtt-accept-failed', { reason: errorWord(error) }),
    );
    try {
      const bound = await this.#listener.start();
      this.#connections.startSweep();
      return bound;
    } catch (cause) {
      await new Promise<void>((resolve) => aedes.close(resolve));
      const where = `${this.#options.host}:${this.#options.port}`;
      throw new Error(`MQTT listener ${this.#options.name} cannot listen on ${where}`, { cause });
    }
  }

  #aedesOptions(): ConstructorParameters<typeof Aedes>[0] {
    const limits = this.#limits;
    return {
      persistence: new Persistence({
        isStored: (client, packetId) => this.#qos2.isStored(this.#connections.of(client), packetId),
        stored: (client, packetId) => this.#qos2.stored(this.#connections.of(client), packetId),
        release: (client, packetId) => this.#qos2.release(this.#connections.of(client), packetId),
        isResumed: (clientId) => this.#connecting.isResumed(clientId),
      }),
      connectTimeout: limits.connectTimeoutMs,
      drainTimeout: limits.drainTimeoutMs,
      maxTopicLevels: aedesTopicLevelsMax, // the bound of ours is looked at where it can be told (publish.ts)
      maxInflightInbound: 0, // aedes looks after the commit; the bound here is looked at before it
      maxClientsIdLength: limits.clientIdCharsMax, // 3.1 says 23; devices in the field do not
      queueLimit: 1_024, // packets sent without waiting for CONNACK are allowed (section 3.1.4)
      preConnect: (client, packet, done) => {
        const link = this.#connections.of(client);
        if (link && this.#connecting.take(link, packet)) done(null, true);
        else done(new Error('malformed CONNECT'), false);
      },
      authenticate: (client, username, password, done) => {
        this.#connecting.admit(this.#connections.of(client), username, password).then(
          (refusal) => (refusal ? done(connackError(refusal), false) : done(null, true)),
          () => done(connackError({ returnCode: 3, reason: 'busy' }), false),
        );
      },
      authorizePublish: (client, packet, done) => this.#publish(client, packet, done),
      authorizeSubscribe: (client, subscription, done) => {
        const link = this.#connections.of(client);
        const { topic, qos } = subscription;
        if (!link || !this.#subscriptions.grant(link, topic, qos)) {
          done(null, null);
          return;
        }
        this.#connecting.subscribed(link).then(
          // aedes delivers with the QoS of whichever matching filter comes first, and above it where that has wildcards.
          // To it each has the highest (what SUBACK says is taken before); a delivery gets its own below.
          () => done(null, { ...subscription, qos: 2 }),
          () => {
            link.reason ??= 'commit';
            link.socket.destroy();
          },
        );
      },
      authorizeForward: (client, packet) => {
        const link = this.#connections.of(client);
        if (!link?.access?.mayReceive(packet.topic)) return null;
        const qos = this.#subscriptions.qosFor(link, packet.topic);
        if (qos === undefined) return null;
        if (packet.qos > qos) packet.qos = qos;
        return packet;
      },
    };
  }

  #aedesError(client: object, error: Error): void {
    const link = this.#connections.of(client);
    if (!link || link.reason) return;
    const code = (error as NodeJS.ErrnoException | undefined)?.code;
    const timeout = AEDES_TIMEOUTS[error?.message ?? ''];
    link.reason = timeout ?? (code === undefined ? 'protocol' : 'network');
  }

  #publish(client: object | null, packet: PublishPacket, done: Done): void {
    const link = client && this.#connections.of(client);
    if (!link?.session || !link.access) {
      done(new Error('no connection'));
      return;
    }
    if (packet.retain) {
      packet.retain = false; // nothing is retained; the message itself is as good as any
      this.#counters.stats.retainStripped++;
    }
    const isWill = link.connect?.will !== undefined && (packet as unknown) === link.connect.will;
    if (isWill) this.#wills.take(link, packet, done);
    else this.#publishing.take(link, packet, done);
  }

  async #stop(deadlineMs: number): Promise<void> {
    if (!this.#started) return;
    await this.#started.catch(() => {}); // a failed start has cleaned up after itself
    const listener = this.#listener;
    const aedes = this.#aedes;
    if (!listener || !aedes) return;
    listener.stopAccepting();
    this.#connections.holdAll();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([this.#commits.drained(), deadline]);
    await Promise.race([this.#connections.endAll(), deadline]);
    clearTimeout(timer);
    await new Promise<void>((resolve) => aedes.close(resolve));
    listener.destroyAll();
    this.#counters.log('mqtt-stopped', {});
  }
}

/** More than this its matcher does not take. */
const aedesTopicLevelsMax = 100;

/** aedes tells its timeouts apart by text only. */
const AEDES_TIMEOUTS: Record<string, string> = {
  'connect did not arrive in time': 'connect-timeout',
  'keep alive timeout': 'keepalive',
  'drain timeout': 'not-reading',
};

function connackError(refusal: Refusal): Error & { returnCode: 2 | 3 | 4 | 5 } {
  return Object.assign(new Error(refusal.reason), { returnCode: refusal.returnCode });
}
