/**
 * The MQTT source: an embedded MQTT 3.1 / 3.1.1 broker that captures. The only door to aedes.
 *
 *     socket ─► listener ─► guard ─► aedes ─► authorizePublish ─► intake.append ──settled──► answer
 *                caps,       sizes,   parser,    ACL, order                                  PUBACK / PUBREC / –
 *                TLS         version  states
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
import type { Socket } from 'node:net';
import { Aedes } from 'aedes';
import type { Class, Intake, Receipt, RecordDraft } from '../intake.ts';
import { IntakeRefused } from '../intake.ts';
import { Access, isCleanText, isTopicFilter, isTopicName } from './acl.ts';
import type { Refusal } from './admission.ts';
import { Admission, mayUseClientId } from './admission.ts';
import { Answers } from './answers.ts';
import type { Guard, GuardFault } from './guard.ts';
import { attachGuard } from './guard.ts';
import { Listener } from './listener.ts';
import type { MqttHooks, MqttLimits, MqttSourceOptions, MqttStats, MqttTls } from './options.ts';
import { emptyStats, limitDefaults } from './options.ts';
import { Ownership } from './ownership.ts';
import { isPasswordHash } from './passwords.ts';
import { Persistence, SESSION_MARK } from './persistence.ts';
import { PerMinute } from './rate.ts';
import type { Session } from './sessions.ts';
import { digestOf, qos1Repeat, qos2Consults, qos2Key, Sessions } from './sessions.ts';

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
}

export function createMqttSource(options: MqttSourceOptions, intake: Intake, hooks: MqttHooks): MqttSource {
  return new Broker(options, intake, hooks);
}

type AedesClient = Parameters<Aedes['authenticate']>[0];
type PublishPacket = Parameters<Aedes['authorizePublish']>[1];
type ConnectPacket = Parameters<Aedes['preConnect']>[1];
type Done = (error?: Error | null) => void;

/** One connection. */
interface Link {
  client: AedesClient;
  socket: Socket;
  guard: Guard;
  address: string;
  answers: Answers;
  principal: string;
  clientId: string;
  connect: ConnectPacket | undefined;
  access: Access | undefined;
  session: Session | undefined;
  resumed: boolean;
  /** Granted ones; never kept beyond the connection. */
  subscriptions: number;
  /** Why it was closed, where it was not the client's own doing. */
  reason: string | undefined;
  /** For the sweep: chunks seen at its last look while inside a packet. */
  stalledAt: number;
}

class Broker implements MqttSource {
  readonly #options: MqttSourceOptions;
  readonly #limits: MqttLimits;
  readonly #intake: Intake;
  readonly #hooks: MqttHooks;
  readonly #admission: Admission;
  readonly #sessions: Sessions;
  readonly #owners: Ownership<Link>;
  readonly #wills: PerMinute;
  readonly #logs = new PerMinute(60);
  readonly #stats = emptyStats();
  /** By aedes client: the way from a hook to its connection. */
  readonly #byClient = new WeakMap<object, Link>();
  readonly #links = new Set<Link>();
  readonly #held = new Set<Link>();
  readonly #subscribers = new Set<Link>();
  #listener: Listener | undefined;
  #aedes: Aedes | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #started: Promise<{ port: number; address: string }> | undefined;
  #stopped: Promise<void> | undefined;
  #stopping = false;
  #relieving = false;
  /** Commits and releases in hand; stop() waits for zero. */
  #inHand = 0;
  #idle: (() => void) | undefined;

  constructor(options: MqttSourceOptions, intake: Intake, hooks: MqttHooks) {
    this.#options = options;
    this.#limits = { ...limitDefaults, ...options.limits };
    this.#intake = intake;
    this.#hooks = hooks;
    this.#admission = new Admission(options);
    this.#sessions = new Sessions(this.#limits.sessionsMax, this.#limits.unreleasedMax);
    this.#owners = new Ownership(this.#limits.takeoversPerMinuteMax, this.#limits.takeoverCoolDownMs);
    this.#wills = new PerMinute(this.#limits.willsPerMinuteMax);
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
    return structuredClone(this.#stats);
  }

  async #start(): Promise<{ port: number; address: string }> {
    checkOptions(this.#options, this.#limits);
    const aedes = new Aedes(this.#aedesOptions());
    // Hot path: with nobody subscribed a committed message goes nowhere. Also spares aedes's own $SYS messages.
    const distribute = aedes.publish.bind(aedes) as (packet: unknown, client: unknown, done?: Done) => void;
    aedes.publish = ((packet: unknown, client: unknown, done?: Done) => {
      if (this.#subscribers.size > 0) distribute(packet, client, done);
      else (typeof client === 'function' ? (client as Done) : done)?.();
    }) as Aedes['publish'];
    aedes.on('connectionError', (client, error) => this.#aedesError(client, error));
    aedes.on('clientError', (client, error) => this.#aedesError(client, error));
    aedes.on('clientReady', (client) => {
      const link = this.#byClient.get(client);
      // A turn later: what came in CONNECT's own chunk is handled first.
      if (link) setImmediate(() => this.#stopping || this.#held.has(link) || link.guard.release());
    });
    (aedes as NodeJS.EventEmitter).on('error', () => this.#log('mqtt.broker-error', {}));
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
      (socket) => this.#connection(aedes, socket),
      (reason, address) => this.#refused(reason, address),
    );
    try {
      const bound = await this.#listener.start();
      this.#sweep = setInterval(() => this.#closeStalled(), this.#limits.stalledPacketMs);
      this.#sweep.unref();
      this.#log('mqtt.listening', { address: bound.address, port: bound.port });
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
        isStored: (client, packetId) => this.#session(client)?.unreleased.get(packetId)?.stored === true,
        stored: (client, packetId) => this.#markStored(client, packetId),
        release: (client, packetId) => this.#release(client, packetId),
        isResumed: (clientId) => this.#owners.holder(clientId)?.resumed === true,
      }),
      connectTimeout: limits.connectTimeoutMs,
      drainTimeout: limits.drainTimeoutMs,
      maxTopicLevels: limits.topicLevelsMax,
      maxInflightInbound: 0, // aedes looks after the commit; the bound here is looked at before it
      maxClientsIdLength: limits.clientIdCharsMax, // 3.1 says 23; devices in the field do not
      queueLimit: 1_024, // packets sent without waiting for CONNACK are allowed (section 3.1.4)
      preConnect: (client, packet, done) => this.#preConnect(client, packet, done),
      authenticate: (client, username, password, done) => {
        this.#authenticate(client, username, password).then(
          (refusal) => (refusal ? done(connackError(refusal), false) : done(null, true)),
          () => done(connackError({ returnCode: 3, reason: 'busy' }), false),
        );
      },
      authorizePublish: (client, packet, done) => this.#publish(client, packet, done),
      authorizeSubscribe: (client, subscription, done) =>
        done(null, this.#subscribe(client, subscription.topic) ? subscription : null),
      authorizeForward: (client, packet) =>
        this.#byClient.get(client)?.access?.mayReceive(packet.topic) ? packet : null,
    };
  }

  // ── connections ──────────────────────────────────────────────────────────────────────────────────

  #connection(aedes: Aedes, socket: Socket): void {
    const link: Link = {
      client: undefined as unknown as AedesClient, // set below, before any byte can come
      socket,
      guard: attachGuard(socket, this.#limits, (fault) => this.#guardFault(link, fault)),
      address: socket.remoteAddress ?? '',
      answers: new Answers(),
      principal: '',
      clientId: '',
      connect: undefined,
      access: undefined,
      session: undefined,
      resumed: false,
      subscriptions: 0,
      reason: undefined,
      stalledAt: -1,
    };
    this.#links.add(link);
    this.#stats.connections++;
    this.#stats.connectionsTotal++;
    socket.once('close', () => this.#closed(link));
    link.client = aedes.handle(socket);
    this.#byClient.set(link.client, link);
  }

  #guardFault(link: Link, fault: GuardFault): void {
    link.reason ??= fault;
    if (fault !== 'version') {
      link.socket.destroy();
      return;
    }
    link.socket.write(CONNACK_VERSION); // [MQTT-3.1.2-2]: answer 1, then disconnect
    link.socket.destroySoon();
  }

  #closed(link: Link): void {
    this.#links.delete(link);
    this.#held.delete(link);
    this.#subscribers.delete(link);
    this.#stats.connections--;
    const session = link.session;
    if (link.reason && !this.#stopping) {
      if (session) {
        bump(this.#stats.closed, link.reason);
        this.#log('mqtt.closed', { reason: link.reason, address: link.address });
      } else {
        this.#refused(link.reason, link.address);
      }
    }
    if (!session) return;
    this.#owners.release(link.clientId, link);
    if (link.subscriptions > 0) this.#sessions.forget(session);
    // [MQTT-3.1.2-6]: a clean session ends here, and nothing can come under its keys again.
    if (session.nonce && !this.#stopping) this.#releaseAll(session);
  }

  #aedesError(client: AedesClient, error: Error): void {
    const link = this.#byClient.get(client);
    if (!link || link.reason) return;
    const code = (error as NodeJS.ErrnoException | undefined)?.code;
    const timeout = AEDES_TIMEOUTS[error?.message ?? ''];
    link.reason = timeout ?? (code === undefined ? 'protocol' : 'network');
  }

  /** A packet that began and does not go on holds memory and a place; keep-alive may be hours away. */
  #closeStalled(): void {
    for (const link of this.#links) {
      const { midPacket, chunks, held } = link.guard;
      if (!midPacket || held || chunks !== link.stalledAt) {
        link.stalledAt = midPacket && !held ? chunks : -1;
        continue;
      }
      link.reason ??= 'stalled';
      link.socket.destroy();
    }
  }

  // ── CONNECT ──────────────────────────────────────────────────────────────────────────────────────

  #preConnect(
    client: AedesClient,
    packet: ConnectPacket,
    done: (error: Error | null, ok: boolean) => void,
  ): void {
    const link = this.#byClient.get(client);
    if (!link) {
      done(new Error('no connection'), false);
      return;
    }
    if (!isCleanText(packet.clientId) || !isCleanText(packet.username ?? '')) {
      link.reason ??= 'malformed'; // [MQTT-1.5.3-1] [MQTT-1.5.3-2]
      done(new Error('malformed CONNECT'), false);
      return;
    }
    if (connectBytes(packet) !== packet.length) {
      link.reason ??= 'malformed'; // fields behind the last one that the flags promise [MQTT-3.1.2-18] [MQTT-3.1.2-20]
      done(new Error('malformed CONNECT'), false);
      return;
    }
    if (packet.will && !isTopicName(packet.will.topic, this.#limits.topicLevelsMax)) {
      link.reason ??= 'malformed';
      done(new Error('malformed will'), false);
      return;
    }
    link.connect = packet;
    // aedes handles a packet of a later read chunk at once, before authentication has answered (lib/client.js
    // enqueue: `_parsingBatch === 1`). Nothing more is read until CONNACK went out.
    link.guard.hold();
    const cap = this.#limits.keepaliveSecondsMax;
    if ((packet.keepalive ?? 0) > cap) packet.keepalive = cap;
    done(null, true);
  }

  /** A refusal, or undefined after everything was taken that the connection needs. */
  async #authenticate(
    client: AedesClient,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<Refusal | undefined> {
    const link = this.#byClient.get(client);
    const connect = link?.connect;
    if (!link || !connect || this.#stopping) return { returnCode: 3, reason: 'stopping' };
    const refuse = (refusal: Refusal): Refusal => {
      link.reason ??= refusal.reason;
      return refusal;
    };
    const generated = connect.clientId === '';
    // [MQTT-3.1.3-8]; 3.1 knows no empty client id at all.
    const needsId = connect.clean === false || connect.protocolVersion === 3;
    if ((generated && needsId) || connect.clientId.length > this.#limits.clientIdCharsMax) {
      return refuse({ returnCode: 2, reason: 'client-id' }); // [MQTT-3.1.3-9]
    }
    const identity = await this.#admission.identify(link.socket, username, password);
    if ('returnCode' in identity) return refuse(identity);
    // From here on without a pause: two CONNECTs must not both find a client id free.
    if (link.socket.destroyed) return refuse({ returnCode: 3, reason: 'stopping' });
    if (this.#stopping) return refuse({ returnCode: 3, reason: 'stopping' });
    if (!generated && !mayUseClientId(identity, client.id))
      return refuse({ returnCode: 2, reason: 'client-id' });
    const access = new Access(identity.publish, identity.subscribe, identity.name, client.id);
    if (connect.will && !access.mayPublish(connect.will.topic))
      return refuse({ returnCode: 5, reason: 'will' });
    link.principal = identity.principal;
    const claim = this.#owners.claim(client.id, link, this.#nowMs());
    if ('refused' in claim) {
      return claim.refused === 'owner'
        ? refuse({ returnCode: 2, reason: 'takeover' })
        : refuse({ returnCode: 3, reason: 'cool-down' });
    }
    if (claim.took) {
      this.#stats.takeovers++;
      claim.took.reason ??= 'taken-over';
      claim.took.client.close(); // [MQTT-3.1.4-2]
    }
    link.clientId = client.id;
    link.access = access;
    const opened = this.#sessions.open(
      generated ? '' : client.id,
      identity.principal,
      connect.clean !== false,
    );
    link.session = opened.session;
    link.resumed = opened.resumed;
    if (opened.ended) this.#releaseAll(opened.ended);
    this.#log('mqtt.connected', { user: identity.name, address: link.address });
    return undefined;
  }

  // ── PUBLISH ──────────────────────────────────────────────────────────────────────────────────────

  #publish(client: AedesClient | null, packet: PublishPacket, done: Done): void {
    const link = client && this.#byClient.get(client);
    if (!link?.session || !link.access) {
      done(new Error('no connection'));
      return;
    }
    if (packet.retain) {
      packet.retain = false; // nothing is retained; the message itself is as good as any
      this.#stats.retainStripped++;
    }
    if (link.connect?.will !== undefined && (packet as unknown) === link.connect.will) {
      this.#takeWill(link, packet, done);
      return;
    }
    const refusal = this.#publishRefusal(link, packet);
    if (refusal) {
      link.reason ??= refusal;
      done(new Error('publish refused')); // no PUBACK: [MQTT-3.3.5-2] leaves closing the connection
      return;
    }
    const payload = packet.payload as Buffer;
    // The place in the line is taken here, before anything that could wait [MQTT-4.6.0-2].
    const answer = link.answers.take(payload.length, (error) => {
      if (error) link.reason ??= 'commit';
      done(error ?? null);
    });
    this.#stats.received[packet.qos]++;
    this.#stats.inFlight++;
    this.#stats.inFlightBytes += payload.length;
    this.#holdIfFull(link);
    const settle = (error?: Error) => {
      this.#stats.inFlight--;
      this.#stats.inFlightBytes -= payload.length;
      link.answers.settle(answer, error);
      if (this.#held.size > 0) this.#relieve();
      this.#handedBack();
    };
    this.#inHand++;
    let appended: Promise<Receipt>;
    try {
      appended = this.#intake.append(this.#draft(link, packet, payload));
    } catch (error) {
      appended = Promise.reject(error);
    }
    appended.then(
      (receipt) => {
        if (receipt.outcome === 'repeat') {
          this.#stats.repeats++;
          if (packet.qos === 2) this.#markStored(link.client, packet.messageId as number);
        } else {
          this.#stats.journaled++;
        }
        settle();
      },
      (error: unknown) => {
        if (packet.qos === 2) link.session?.unreleased.delete(packet.messageId as number);
        settle(this.#appendRefused(error));
      },
    );
  }

  #publishRefusal(link: Link, packet: PublishPacket): string | undefined {
    if (!isTopicName(packet.topic, this.#limits.topicLevelsMax)) return 'topic';
    if (packet.qos > 0 && !((packet.messageId ?? 0) >= 1)) return 'malformed'; // [MQTT-2.3.1-1]
    if (!link.access?.mayPublish(packet.topic)) return 'acl';
    if (packet.qos === 2 && !this.#roomForQos2(link, packet.messageId as number)) return 'unreleased-limit';
    return undefined;
  }

  /** Bounded: what an earlier connection left open gives way first. */
  #roomForQos2(link: Link, packetId: number): boolean {
    const session = link.session as Session;
    if (session.unreleased.size < this.#limits.unreleasedMax || session.unreleased.has(packetId)) return true;
    for (const [id, open] of session.unreleased) {
      if (open.link === link) continue;
      session.unreleased.delete(id);
      return true;
    }
    return false;
  }

  #draft(link: Link, packet: PublishPacket, payload: Buffer): RecordDraft {
    const draft: RecordDraft = {
      source: this.#options.sourceFor(packet.topic),
      protocol: 'mqtt',
      raw: payload,
      capturedAtUs: this.#hooks.nowUs(),
      classGuess: this.#options.classFor(packet.topic, payload),
      messageControlId: '',
      topic: packet.topic,
      client: link.clientId,
      qos: packet.qos,
    };
    if (packet.qos === 0) return draft;
    const session = link.session as Session;
    const packetId = packet.messageId as number;
    if (packet.qos === 1) {
      const repeat = qos1Repeat(this.#options.name, session, packetId, packet.dup);
      if (repeat) draft.repeat = repeat;
      return draft;
    }
    const digest = digestOf(packet.topic, payload);
    const consult = qos2Consults(session, link, packetId, packet.dup, digest);
    const open = session.unreleased.get(packetId);
    // Where it may be a repeat, the first copy's bytes stay the measure.
    session.unreleased.set(packetId, open && consult ? { ...open, link } : { digest, link, stored: false });
    const key = qos2Key(this.#options.name, session, packetId);
    draft.repeat = { key, consult, window: 'released', otherBytes: 'replace' };
    return draft;
  }

  #appendRefused(error: unknown): Error {
    this.#stats.appendsRefused++;
    const code = error instanceof IntakeRefused ? error.code : 'fault';
    this.#log('mqtt.commit-refused', { code });
    return error instanceof Error ? error : new Error('commit refused');
  }

  // ── wills ────────────────────────────────────────────────────────────────────────────────────────

  /** Section 3.1.2.5. A will says that a device went away; it is captured as such and never as `stat`. */
  #takeWill(link: Link, packet: PublishPacket, done: Done): void {
    // Our own stop is not the device's silence, and a flapping device must not flood.
    if (this.#stopping || !this.#wills.allow(link.clientId, this.#nowMs())) {
      this.#stats.willsDropped++;
      done(new Error('will dropped'));
      return;
    }
    this.#stats.wills++;
    this.#inHand++;
    const payload = Buffer.from(packet.payload ?? '');
    let appended: Promise<Receipt>;
    try {
      const guess = this.#options.classFor(packet.topic, payload);
      const classGuess: Class = guess === 'stat' ? 'urgent' : guess;
      appended = this.#intake.append({
        source: this.#options.sourceFor(packet.topic),
        protocol: 'mqtt',
        raw: payload,
        capturedAtUs: this.#hooks.nowUs(),
        classGuess,
        messageControlId: '',
        topic: packet.topic,
        client: link.clientId,
        qos: packet.qos,
        will: true,
      });
    } catch (error) {
      appended = Promise.reject(error);
    }
    appended.then(
      () => {
        this.#stats.journaled++;
        done(null);
        this.#handedBack();
      },
      (error: unknown) => {
        done(this.#appendRefused(error));
        this.#handedBack();
      },
    );
  }

  // ── QoS 2 ────────────────────────────────────────────────────────────────────────────────────────

  #session(client: object): Session | undefined {
    return this.#byClient.get(client)?.session;
  }

  #markStored(client: object, packetId: number): void {
    const open = this.#session(client)?.unreleased.get(packetId);
    if (open) open.stored = true;
  }

  /** PUBREL: the id may mean another message from now on, but not before that is durable [MQTT-4.3.3-2]. */
  async #release(client: object, packetId: number): Promise<void> {
    const link = this.#byClient.get(client);
    const session = link?.session;
    if (!link || !session) return;
    // A clean session's unknown id was never taken; a kept one's may be from before a restart.
    if (session.nonce && !session.unreleased.has(packetId)) return;
    this.#inHand++;
    try {
      await this.#intake.release(qos2Key(this.#options.name, session, packetId));
      session.unreleased.delete(packetId);
      this.#stats.released++;
    } catch (error) {
      // aedes would send PUBCOMP all the same: the connection must be gone before it hears of this.
      link.reason ??= 'commit';
      this.#log('mqtt.release-refused', {});
      link.socket.destroy();
      throw error;
    } finally {
      this.#handedBack();
    }
  }

  /** A session that ended: its keys only take up room in the journal's index, so a failure is no matter. */
  #releaseAll(session: Session): void {
    for (const packetId of session.unreleased.keys()) {
      this.#intake.release(qos2Key(this.#options.name, session, packetId)).catch(() => {});
    }
    session.unreleased.clear();
  }

  // ── SUBSCRIBE ────────────────────────────────────────────────────────────────────────────────────

  #subscribe(client: AedesClient, filter: string): boolean {
    const link = this.#byClient.get(client);
    if (!link || filter === SESSION_MARK) return false;
    const granted =
      isTopicFilter(filter, this.#limits.topicLevelsMax) &&
      link.subscriptions < this.#limits.subscriptionsMax &&
      link.access?.maySubscribe(filter) === true;
    if (!granted) {
      this.#stats.subscribesDenied++;
      return false;
    }
    link.subscriptions++;
    this.#subscribers.add(link);
    return true;
  }

  // ── back-pressure ────────────────────────────────────────────────────────────────────────────────

  #holdIfFull(link: Link): void {
    if (this.#held.has(link)) return;
    const { inFlightMax, inFlightBytesMax, inFlightBytesTotalMax } = this.#limits;
    const full = link.answers.length >= inFlightMax || link.answers.bytes >= inFlightBytesMax;
    if (!full && this.#stats.inFlightBytes < inFlightBytesTotalMax) return;
    link.guard.hold();
    this.#held.add(link);
    this.#stats.holds++;
  }

  /** Once per turn, however many commits settled in it. */
  #relieve(): void {
    if (this.#relieving) return;
    this.#relieving = true;
    setImmediate(() => {
      this.#relieving = false;
      if (this.#stopping) return;
      const { inFlightMax, inFlightBytesMax, inFlightBytesTotalMax } = this.#limits;
      for (const link of this.#held) {
        if (this.#stats.inFlightBytes > inFlightBytesTotalMax / 2 && link.answers.length > 0) continue;
        if (link.answers.length > inFlightMax / 2 || link.answers.bytes > inFlightBytesMax / 2) continue;
        this.#held.delete(link);
        link.guard.release();
      }
    });
  }

  // ── stop ─────────────────────────────────────────────────────────────────────────────────────────

  async #stop(deadlineMs: number): Promise<void> {
    if (!this.#started) return;
    await this.#started.catch(() => {}); // a failed start has cleaned up after itself
    const listener = this.#listener;
    const aedes = this.#aedes;
    if (!listener || !aedes) return;
    listener.stopAccepting();
    clearInterval(this.#sweep);
    for (const link of this.#links) link.guard.hold();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([this.#drained(), deadline]);
    await Promise.race([Promise.all([...this.#links].map((link) => flushed(link.socket))), deadline]);
    clearTimeout(timer);
    await new Promise<void>((resolve) => aedes.close(resolve));
    listener.destroyAll();
    this.#log('mqtt.stopped', {});
  }

  async #drained(): Promise<void> {
    do {
      if (this.#inHand > 0) {
        await new Promise<void>((resolve) => {
          this.#idle = resolve;
        });
      }
      // A QoS 2 answer goes through the persistence's promises before it is written: let those turns pass.
      await new Promise<void>((resolve) => setImmediate(resolve));
    } while (this.#inHand > 0);
  }

  #handedBack(): void {
    this.#inHand--;
    if (this.#inHand === 0) this.#idle?.();
  }

  // ── small things ─────────────────────────────────────────────────────────────────────────────────

  #nowMs(): number {
    return Number(this.#hooks.nowUs() / 1000n);
  }

  #refused(reason: string, address: string): void {
    bump(this.#stats.refused, reason);
    this.#log('mqtt.refused', { reason, address });
  }

  /** An attacker's retries are counted, not all of them logged. */
  #log(code: string, fields: Record<string, string | number>): void {
    if (this.#logs.allow(`${code} ${fields.reason ?? ''}`, this.#nowMs())) {
      this.#hooks.log(code, { listener: this.#options.name, ...fields });
    }
  }
}

/** CONNACK, no session, return code 1: unacceptable protocol version. */
const CONNACK_VERSION = Buffer.from([0x20, 0x02, 0x00, 0x01]);

/** aedes tells its timeouts apart by text only. */
const AEDES_TIMEOUTS: Record<string, string> = {
  'connect did not arrive in time': 'connect-timeout',
  'keep alive timeout': 'keepalive',
  'drain timeout': 'not-reading',
};

function connackError(refusal: Refusal): Error & { returnCode: 2 | 3 | 4 | 5 } {
  return Object.assign(new Error(refusal.reason), { returnCode: refusal.returnCode });
}

/** Remaining length of a CONNECT with just these fields. */
function connectBytes(packet: ConnectPacket): number {
  const text = (value: string | Uint8Array): number => 2 + Buffer.byteLength(value as string);
  let bytes = text(packet.protocolId ?? 'MQTT') + 4 + text(packet.clientId);
  if (packet.will) bytes += text(packet.will.topic) + text(packet.will.payload);
  if (packet.username !== undefined) bytes += text(packet.username);
  if (packet.password !== undefined) bytes += text(packet.password);
  return bytes;
}

/** Resolves when everything written has left the process, or the peer is gone. */
function flushed(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.end(() => resolve());
  });
}

function bump(counts: Record<string, number>, reason: string): void {
  counts[reason] = (counts[reason] ?? 0) + 1;
}

function checkOptions(options: MqttSourceOptions, limits: MqttLimits): void {
  const lists = [
    ...options.users.flatMap((user) => [...user.publish, ...(user.subscribe ?? [])]),
    ...(options.anonymous?.publish ?? []),
    ...(options.certificates?.publish ?? []),
    ...(options.certificates?.subscribe ?? []),
  ];
  const bad = lists.find((filter) => !isTopicFilter(filter, limits.topicLevelsMax));
  if (bad !== undefined) throw new Error(`MQTT listener ${options.name}: not a topic filter: ${bad}`);
  const user = options.users.find((one) => one.password !== '' && !isPasswordHash(one.password));
  if (user) throw new Error(`MQTT listener ${options.name}: user ${user.name}: not a scrypt password hash`);
}
