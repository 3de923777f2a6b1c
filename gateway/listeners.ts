/** Makes the listeners that the settings name, each with its TLS and its limits. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import { createSecureContext, type TlsOptions } from 'node:tls';
import { type Address, readAddress, writeAddress } from '../proto/address.ts';
import { durationMs } from '../proto/config/duration.ts';
import { parseSize } from '../proto/config/size.ts';
import type { Intake } from './capture/intake.ts';
import { controlIds } from './capture/mllp/answers.ts';
import { createMllpListener } from './capture/mllp/listener.ts';
import type { MllpListener } from './capture/mllp/options.ts';
import { createMqttSource, type MqttSource } from './capture/mqtt/broker.ts';
import type { MqttSourceOptions, MqttTls } from './capture/mqtt/options.ts';
import { guessClass } from './capture/mqtt/urgency.ts';
import type { Refused } from './capture/refusals.ts';
import { guessHl7v2 } from './capture/urgency.ts';
import { isVital } from './meaning.ts';
import { elapsedMs, nowUs, nowUs64 } from './process/clock.ts';
import { codeOf, exitCode, HilumError } from './process/errors.ts';
import { errorWord, type Log } from './process/log.ts';
import { serverTls } from './process/tls.ts';
import {
  isLoopback,
  type ListenerSettings,
  type MllpListenerSettings,
  type MqttListenerSettings,
} from './settings.ts';
import type { Sources } from './sources.ts';
import { type FilePlace, readPem } from './tls-files.ts';

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

/** Throws with exit 78 where a listener with TLS could not present its certificate. */
export function checkListenerFiles(name: string, settings: ListenerSettings, place: FilePlace): void {
  const { mode, certFile, keyFile, caFile } = settings.tls;
  if (mode === 'none') return;
  const cert = readPem(certFile, place, 'listener', name, 'certFile');
  const key = readPem(keyFile, place, 'listener', name, 'keyFile');
  const ca = caFile === undefined ? undefined : issuers(caFile, place, name);
  try {
    createSecureContext({ cert, key, ca, ...serverTls });
  } catch (cause) {
    throw tlsUnusable(name, cause, weakness(cause) ?? wrongFile({ cert, key }));
  }
}

function weakness(cause: unknown): string | undefined {
  return /KEY_TOO_SMALL|MD_TOO_WEAK/.test(codeOf(cause))
    ? 'it has a key below RSA 2048, or is signed with SHA-1'
    : undefined;
}

/** Which of the two it is; undefined where each is good for itself. */
function wrongFile({ cert, key }: { cert: Buffer; key: Buffer }): string | undefined {
  const opens = (read: () => unknown) => {
    try {
      read();
      return true;
    } catch {
      return false;
    }
  };
  // X509Certificate takes DER as well, and TLS does not.
  if (!hasCertificate(cert) || !opens(() => new X509Certificate(cert)))
    return 'certFile holds no certificate';
  return opens(() => createPrivateKey(key)) ? undefined : 'keyFile holds no key that can be read';
}

/**
 * What is wrong with the time of this listener's certificate: `ended at …`, `begins at …`; undefined where it is good, or
 * there is none. Throws where it cannot be read.
 */
export function outOfDate(name: string, settings: ListenerSettings, place: FilePlace): string | undefined {
  const { mode, certFile } = settings.tls;
  if (mode === 'none') return undefined;
  const { validFrom, validTo } = new X509Certificate(readPem(certFile, place, 'listener', name, 'certFile'));
  if (isOver(validTo)) return `ended at ${validTo}`;
  return isOver(validFrom) ? undefined : `begins at ${validFrom}`;
}

function isOver(notAfter: string): boolean {
  return Date.parse(notAfter) < nowUs() / 1000;
}

/** TLS takes a file without any without a word, and then trusts nobody. */
function issuers(file: string, place: FilePlace, name: string): Buffer {
  const pem = readPem(file, place, 'listener', name, 'caFile');
  if (hasCertificate(pem)) return pem;
  throw new HilumError('tls-unusable', `The caFile of the listener "${name}" has no certificate.`, {
    hint: 'Write into it the certificates (PEM) of those who issue the client certificates.',
    exit: exitCode.badConfig,
  });
}

function hasCertificate(pem: Buffer): boolean {
  return /-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(pem.toString('latin1'));
}

function tlsUnusable(name: string, cause: unknown, wrong?: string): HilumError {
  const text = `The certificate and key of the listener "${name}" cannot be used${wrong === undefined ? '' : `: ${wrong}`}.`;
  return new HilumError('tls-unusable', text, {
    hint:
      wrong === undefined
        ? 'Check that certificate and key belong together.'
        : 'Each is a PEM file; a key has no passphrase.',
    exit: exitCode.badConfig,
    cause,
  });
}

export function listenerFailed(name: string, listen: string, cause: unknown): HilumError {
  const code = codeOf(cause);
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: 'Something else listens there ("ss -ltnp" tells what); stop it, or change',
    EADDRNOTAVAIL: `No interface of this host has ${readAddress(listen)?.host ?? listen} ("ip address" shows those that there are): correct`,
  };
  return new HilumError('listener-failed', `The listener "${name}" cannot use ${listen} (${code}).`, {
    hint: `${hints[code] ?? (code === 'EACCES' ? 'Ports below 1024 are for root alone, and the gateway is not root: take one from 1024 on in' : 'Check')} listeners.${name}.listen in the settings.`,
    // An address may still be on its way after a boot, and another program may let go of its port.
    exit: code in hints ? exitCode.tryAgain : exitCode.badConfig,
    cause,
  });
}

function mllp(name: string, settings: MllpListenerSettings, context: ListenerContext): Listener {
  const { host, port } = place(settings);
  const source: MllpListener = createMllpListener(
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
    start: source.start,
    stop: source.stop,
    counters: () => ({ ...source.counters() }),
    refused: source.refused,
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

/** Who allowed a listener off loopback to be without TLS, and why; undefined where it is not such a one. */
export function plainOf(settings: ListenerSettings): { reason: string; owner: string } | undefined {
  const { mode, reason = '', owner = '' } = settings.tls;
  return mode === 'none' && !isLoopback(place(settings).host) ? { reason, owner } : undefined;
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

function place(settings: ListenerSettings): Address {
  return readAddress(settings.listen) ?? { host: '127.0.0.1', port: 0 };
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
