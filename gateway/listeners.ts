/** Makes the listeners that the settings name, each with its TLS and its limits. */
import { X509Certificate } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { writeAddress } from '../proto/address.ts';
import { durationMs } from '../proto/config/duration.ts';
import { parseSize } from '../proto/config/size.ts';
import type { Intake } from './capture/intake.ts';
import { controlIds } from './capture/mllp/answers.ts';
import { MllpListener } from './capture/mllp/listener.ts';
import { createMqttSource, type MqttSource } from './capture/mqtt/broker.ts';
import type { MqttSourceOptions, MqttTls } from './capture/mqtt/options.ts';
import { guessClass } from './capture/mqtt/urgency.ts';
import type { Refused } from './capture/refusals.ts';
import { guessHl7v2 } from './capture/urgency.ts';
import {
  checkListenerFiles,
  isOver,
  issuers,
  listenerFailed,
  place,
  plainOf,
  tlsUnusable,
} from './listener-checks.ts';
import { isVital } from './meaning.ts';
import { elapsedMs, nowUs, nowUs64 } from './process/clock.ts';
import { errorWord, type Log } from './process/log.ts';
import { serverTls } from './process/tls.ts';
import type { ListenerSettings, MllpListenerSettings, MqttListenerSettings } from './settings.ts';
import type { Sources } from './sources.ts';
import { readPem } from './tls-files.ts';

export interface Listener {
  name: string;
  type: 'mllp' | 'mqtt';
  tls: 'required' | 'optional' | 'none';
  /** Without TLS and off loopback: in use by somebody's decision, audited and shown. */
  plain: { reason: string; owner: string } | undefined;
  address: string;
  state: 'starting' | 'listening' | 'failed' | 'stopped';
  start(): Promise<void>;
  stop(deadlineMs: number): Promise<void>;
  /**
   * Reads certificates and keys again; connections made from now on get them. Gives what is presented
   * now, undefined without TLS. Throws where they cannot be used, and the old ones stay.
   */
  reload(settings: ListenerSettings): Certificate | undefined;
  counters(): Record<string, number>;
  /** Whom it did not take, and whom it closed for what it may not do, by reason. */
  refused(): Refused[];
}

/** What an operator knows a certificate by. */
export interface Certificate {
  serial: string;
  /** As the certificate says it. */
  notAfter: string;
}

export interface ListenerContext {
  directory: string;
  settingsFile: string;
  intake: Intake;
  sources: Sources;
  log: Log;
}

/** One for the process. */
const nextAnswerId = controlIds(nowUs());

export function makeListener(name: string, settings: ListenerSettings, context: ListenerContext): Listener {
  checkListenerFiles(name, settings, context);
  return settings.type === 'mllp' ? mllp(name, settings, context) : mqtt(name, settings, context);
}

/** Says what each listener presents from now on; one that cannot be renewed does not keep the others back. */
export function reloadListener(listener: Listener, settings: ListenerSettings, log: Log): void {
  try {
    const certificate = listener.reload(settings);
    if (certificate === undefined) log('info', 'listener-without-certificate', { listener: listener.name });
    else {
      const level = isOver(certificate.notAfter) ? 'warn' : 'info';
      log(level, 'listener-certificate-reloaded', { listener: listener.name, ...certificate });
    }
  } catch (error) {
    log('error', 'listener-reload-failed', { listener: listener.name, reason: errorWord(error) });
  }
}

function mllp(name: string, settings: MllpListenerSettings, context: ListenerContext): Listener {
  const { host, port } = place(settings);
  const source = new MllpListener(
    {
      name,
      host,
      port,
      tls: tlsOptions(name, settings, context),
      allow: allowed(settings),
      onRefused: settings.onRefused,
      limits: {
        frameBytesMax: parseSize(settings.frameBytesMax) ?? 0,
        connectionsMax: settings.connectionsMax,
        connectionsPerAddressMax: settings.connectionsPerAddressMax,
        unansweredMax: 256,
        frameTimeoutMs: durationMs(settings.frameTimeout) ?? 60_000,
        idleTimeoutMs: durationMs(settings.idleTimeout) ?? 86_400_000,
        handshakeTimeoutMs: 10_000,
      },
    },
    context.intake,
    {
      source: () => context.sources.mllp(name),
      urgency: guessHl7v2,
      nextControlId: nextAnswerId,
      nowUs,
      elapsedMs,
      log: context.log,
    },
  );
  return wrap(name, settings, {
    start: () => source.start(),
    stop: (deadlineMs) => source.stop(deadlineMs),
    counters: () => ({ ...source.counters() }),
    refused: () => source.refused(),
    reload: (fresh) => {
      const tls = fresh.type === 'mllp' ? tlsOptions(name, fresh, context) : undefined;
      if (tls === undefined) return undefined;
      return renewed(name, tls.cert as Buffer, () => source.renew(tls));
    },
  });
}

function mqtt(name: string, settings: MqttListenerSettings, context: ListenerContext): Listener {
  const { host, port } = place(settings);
  const options: MqttSourceOptions = {
    name,
    host,
    port,
    users: Object.entries(settings.users).map(([user, { password, publish, subscribe }]) => ({
      name: user,
      password,
      publish,
      subscribe,
    })),
    allow: allowed(settings),
    limits: {
      packetBytesMax: parseSize(settings.packetBytesMax) ?? 1024 * 1024,
      connectionsMax: settings.connectionsMax,
      connectionsPerAddressMax: settings.connectionsPerAddressMax,
    },
    sourceFor: (topic) => context.sources.mqtt(name, topic),
    classFor: (topic, payload) =>
      guessClass(topic, payload, {
        isHint: context.sources.reclassified,
        isVital,
      }),
  };
  if (settings.anonymous !== undefined) options.anonymous = { publish: settings.anonymous.publish };
  const tls = mqttTls(name, settings, context);
  if (tls !== undefined) options.tls = tls;
  const source: MqttSource = createMqttSource(options, context.intake, {
    log: (code, fields, level) => context.log(level ?? 'info', code, { listener: name, ...fields }),
    nowUs: nowUs64,
    elapsedMs,
  });
  return wrap(name, settings, {
    start: () => source.start(),
    stop: (deadlineMs) => source.stop(deadlineMs),
    counters: () => mqttCounters(source),
    refused: () => source.refused(),
    reload: (fresh) => {
      const tls = fresh.type === 'mqtt' ? mqttTls(name, fresh, context) : undefined;
      if (tls === undefined) return undefined;
      return renewed(name, tls.certPem, () => source.renew(tls));
    },
  });
}

function mqttTls(
  name: string,
  settings: MqttListenerSettings,
  context: ListenerContext,
): MqttTls | undefined {
  const { mode, certFile, keyFile, caFile } = settings.tls;
  if (mode === 'none') return undefined;
  return {
    mode,
    certPem: readPem(certFile, context, 'listener', name, 'certFile').toString(),
    keyPem: readPem(keyFile, context, 'listener', name, 'keyFile').toString(),
    ...(caFile === undefined ? {} : { caPem: issuers(caFile, context, name).toString() }),
  };
}

/** A key that is not the certificate's, or no PEM at all, must not take the listener down with it. */
function renewed(name: string, certificate: string | Buffer, renew: () => void): Certificate {
  try {
    const { serialNumber, validTo } = new X509Certificate(certificate);
    renew();
    return { serial: serialNumber, notAfter: validTo };
  } catch (cause) {
    throw tlsUnusable(name, cause);
  }
}

function mqttCounters(source: MqttSource): Record<string, number> {
  const { received, refused, closed, ...counts } = source.stats();
  const sum = (by: Record<string, number>) => Object.values(by).reduce((total, count) => total + count, 0);
  return {
    ...counts,
    messages: received[0] + received[1] + received[2],
    refused: sum(refused),
    closed: sum(closed),
  };
}

interface Source extends Pick<Listener, 'stop' | 'counters' | 'refused' | 'reload'> {
  start(): Promise<{ address: string; port: number }>;
}

function wrap(name: string, settings: ListenerSettings, source: Source): Listener {
  const listener: Listener = {
    name,
    type: settings.type,
    tls: settings.tls.mode,
    plain: plainOf(settings),
    address: settings.listen,
    state: 'starting',
    async start() {
      try {
        const { address, port } = await source.start();
        listener.address = writeAddress({ host: address, port });
        listener.state = 'listening';
      } catch (cause) {
        listener.state = 'failed';
        throw listenerFailed(name, settings.listen, cause);
      }
    },
    async stop(deadlineMs) {
      await source.stop(deadlineMs);
      listener.state = 'stopped';
    },
    reload: source.reload,
    counters: source.counters,
    refused: source.refused,
  };
  return listener;
}

function allowed(settings: ListenerSettings): (address: string) => boolean {
  const { range } = settings.tls;
  if (range === undefined || range.length === 0) return () => true;
  const list = new BlockList();
  for (const one of range) {
    const [address = '', bits] = one.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function tlsOptions(
  name: string,
  settings: MllpListenerSettings,
  context: ListenerContext,
): TlsOptions | undefined {
  const { mode, certFile, keyFile, caFile } = settings.tls;
  if (mode === 'none') return undefined;
  const options: TlsOptions = {
    cert: readPem(certFile, context, 'listener', name, 'certFile'),
    key: readPem(keyFile, context, 'listener', name, 'keyFile'),
    ...serverTls,
  };
  if (caFile === undefined) return options;
  // Optional: a sender without a certificate is taken, one with a wrong certificate is not.
  return {
    ...options,
    ca: issuers(caFile, context, name),
    requestCert: true,
    rejectUnauthorized: mode === 'required',
  };
}
