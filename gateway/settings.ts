/**
 * Settings: what this process boots with: sockets, files, keys, users. Meaning is config.
 * Found at --settings, else DIR/settings.yaml, else these defaults, which listen on loopback only.
 */
import { existsSync } from 'node:fs';
import { isIP, isIPv6 } from 'node:net';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { type Address, readAddress } from '../proto/address.ts';
import { readDocument } from '../proto/config/document.ts';
import { durationMs, isTimer } from '../proto/config/duration.ts';
import { formatProblems } from '../proto/config/problem.ts';
import { parseSize } from '../proto/config/size.ts';
import { topicFilter } from '../proto/config/words.ts';
import { wireLimits } from '../proto/limits.ts';
import { isPasswordHash } from './capture/mqtt/passwords.ts';
import { readSettingsText } from './process/config-text.ts';
import { exitCode, HilumError } from './process/errors.ts';
import { mayLookInto } from './process/storage.ts';

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, {
  error: 'a name has letters, digits, "-", "_" or "."',
});
const listen = z
  .string()
  .refine((value) => readAddress(value) !== undefined, { error: 'write host:port, as in "127.0.0.1:2575"' });
const duration = z
  .string()
  .refine((value) => durationMs(value) !== undefined, { error: 'write a duration, as in "30s" or "15m"' });
/** For what a timer waits for. */
const timer = duration.refine((value) => durationMs(value) === undefined || isTimer(value), {
  error: 'at most 24d: no timer waits longer',
});
const size = z
  .string()
  .refine((value) => parseSize(value) !== undefined, { error: 'write a size, as in "512MiB" or "20GiB"' });
/** Of what is answered: a longer one could never be sent on to the control plane. */
const messageSize = size.refine((value) => (parseSize(value) ?? 0) <= wireLimits.recordBytesMax, {
  error: `at most ${wireLimits.recordBytesMax / 1024 ** 2}MiB: the line to the control plane carries no longer message`,
});

const range = z.string().refine(isRange, { error: 'write an address or a range, as in "10.1.9.0/24"' });

const tls = z
  .strictObject({
    mode: z
      .enum(['required', 'optional', 'none'])
      .describe('Is a client certificate required, optional, or is there no TLS?'),
    certFile: z.string().optional(),
    keyFile: z.string().optional(),
    caFile: z.string().optional().describe('Issuers of client certificates.'),
    range: z
      .array(range)
      .optional()
      .describe('mode none, off loopback: addresses that may connect, as CIDR.'),
    reason: z.string().optional().describe('mode none, off loopback: why.'),
    owner: z.string().optional().describe('mode none, off loopback: who answers for it.'),
  })
  .prefault({ mode: 'none' });

const mllpListener = z.strictObject({
  type: z.literal('mllp'),
  listen,
  tls,
  frameBytesMax: messageSize.default('16MiB'),
  connectionsMax: z.number().int().min(1).max(20_000).default(1024),
  connectionsPerAddressMax: z.number().int().min(1).max(20_000).default(256),
  frameTimeout: timer.default('60s'),
  idleTimeout: timer.default('24h'),
  onRefused: z
    .enum(['close', 'reject'])
    .default('close')
    .describe(
      'When the journal takes nothing: close without an answer, or answer AR/CR (and close where the message asks for no answer).',
    ),
});

const mqttUser = z.strictObject({
  password: z
    .string()
    .refine(isPasswordHash, {
      error:
        'is no password hash: write what "hilum-gateway hash-password" prints, never the password itself',
    })
    .optional()
    .describe(
      'scrypt hash, from: hilum-gateway hash-password; left out where only a client certificate gives this user.',
    )
    .meta({ secret: true }),
  publish: z.array(topicFilter).default([]),
  subscribe: z.array(topicFilter).default([]),
});

const mqttListener = z.strictObject({
  type: z.literal('mqtt'),
  listen,
  tls,
  // Who writes a password in the place of a user, or of all of them, wrote it as well.
  users: z
    .record(z.string(), mqttUser.meta({ secret: true }))
    .meta({ secret: true })
    .default({}),
  anonymous: z.strictObject({ publish: z.array(topicFilter).default([]) }).optional(),
  packetBytesMax: messageSize.default('1MiB'),
  connectionsMax: z.number().int().min(1).max(20_000).default(2000),
  connectionsPerAddressMax: z.number().int().min(1).max(20_000).default(500),
});

const destination = z.strictObject({
  tls: z
    .strictObject({
      caFile: z
        .string()
        .optional()
        .describe('Who issues its certificate; default: the public issuers that this program knows.'),
      certFile: z.string().optional().describe('The certificate that it is shown, where it asks for one.'),
      keyFile: z.string().optional(),
      serverName: z
        .string()
        .regex(/^[A-Za-z0-9_.:-]{1,253}$/, { error: 'write a name, as in "ehr.example.org"' })
        .optional()
        .describe('The name in its certificate; default: the host of its address in the config.'),
    })
    .prefault({}),
});

const settingsSchema = z.strictObject({
  listeners: z.record(name, z.discriminatedUnion('type', [mllpListener, mqttListener])).prefault({
    mllp: { type: 'mllp', listen: '127.0.0.1:2575' },
    mqtt: { type: 'mqtt', listen: '127.0.0.1:1883', anonymous: { publish: ['devices/#'] } },
  }),
  destinations: z
    .record(name, destination)
    .default({})
    .describe('For local destinations whose `tls` is true in the config, by their names there.'),
  status: z
    .strictObject({
      listen: listen.optional().describe('Default 127.0.0.1:9480, or a free port where that is taken.'),
    })
    .prefault({}),
  journal: z
    .strictObject({
      bytesMax: size.default('20GiB').describe('What the journal may hold; beyond it intake is refused.'),
      reserve: size
        .optional()
        .describe('What intake leaves free on the volume; default 10 %, at most 512 MiB.'),
      repeatEntriesMax: z.number().int().min(1000).max(20_000_000).default(2_000_000),
      repeatAge: duration.default('7d'),
      memoryEntriesMax: z
        .number()
        .int()
        .min(1000)
        .max(50_000_000)
        .default(5_000_000)
        .describe('Orders, patients and visits that are remembered; the oldest go first.'),
      memoryBytesMax: size.default('2GiB').describe('At most a quarter of bytesMax is taken.'),
    })
    .prefault({}),
  keyFile: z.string().optional().describe('The journal key; default DIR/key.'),
  uplink: z
    .strictObject({
      address: z
        .string()
        .refine((value) => readAddress(value) !== undefined, {
          error: 'write host:port, as in "hilum.example.org:7443"',
        })
        .optional()
        .describe('host:port of the control plane; default: from the enrollment.'),
      proxy: z
        .string()
        .refine(isProxy, { error: 'write http://host:port, as in "http://proxy.example.org:3128"' })
        .optional()
        .describe('http://[user:password@]host:port of an HTTP CONNECT proxy.'),
    })
    .prefault({}),
  drainTimeout: timer.default('10s'),
});

export type Settings = z.output<typeof settingsSchema>;

/** The bounds of the journal, as numbers. */
export function journalBounds({ journal }: Settings) {
  return {
    budgetBytes: parseSize(journal.bytesMax) ?? 0,
    reserveBytes: journal.reserve === undefined ? undefined : parseSize(journal.reserve),
    repeatEntriesMax: journal.repeatEntriesMax,
    repeatAgeMs: durationMs(journal.repeatAge) ?? 0,
    memoryEntriesMax: journal.memoryEntriesMax,
    memoryBytesMax: parseSize(journal.memoryBytesMax) ?? 0,
  };
}
export type ListenerSettings = Settings['listeners'][string];
export type MllpListenerSettings = Extract<ListenerSettings, { type: 'mllp' }>;
export type MqttListenerSettings = Extract<ListenerSettings, { type: 'mqtt' }>;

export interface LoadedSettings {
  settings: Settings;
  /** The file they came from, or '' for the defaults. */
  file: string;
}

/** Throws `HilumError` with exit 78 that names file, line, field and what to write instead. */
export function loadSettings(directory: string, named: string | undefined): LoadedSettings {
  mayLookInto(directory);
  const implied = join(directory, 'settings.yaml');
  const file = named ?? (existsSync(implied) ? implied : '');
  if (file === '') return { settings: parseSettings('{}', 'the defaults'), file };
  return { settings: parseSettings(readSettingsText(file), file), file };
}

export function parseSettings(text: string, file: string): Settings {
  const read = readDocument(text, settingsSchema, file);
  if (read.problems !== undefined) {
    throw new HilumError('settings-bad', formatProblems(read.problems, file), {
      hint: 'Correct the lines above; "hilum-gateway check" tells whether all is well.',
      exit: exitCode.badConfig,
    });
  }
  const found = [tlsProblems, userProblems, destinationProblems, portProblems, sizeProblems].flatMap((of) =>
    of(read.value),
  );
  for (const { path, message, hint } of found) {
    const { line, column } = read.written.positions.ofValue(path);
    throw new HilumError(
      'settings-bad',
      formatProblems([{ path: path.join('.'), line, column, message, hint }], file),
      { hint: 'Correct the line above.', exit: exitCode.badConfig },
    );
  }
  return read.value;
}

/** What a config's sources may name. */
export function listenerTypes({ listeners }: Settings): Record<string, 'mllp' | 'mqtt'> {
  return Object.fromEntries(Object.entries(listeners).map(([listener, { type }]) => [listener, type]));
}

interface Found {
  path: string[];
  message: string;
  hint: string;
}

/** Two that would listen at one place. */
function portProblems({ listeners, status }: Settings): Found[] {
  const places = Object.entries(listeners).map(([listener, { listen: place }]) => ({
    path: ['listeners', listener, 'listen'],
    place,
  }));
  if (status.listen !== undefined) places.push({ path: ['status', 'listen'], place: status.listen });
  return places.flatMap(({ path, place }, at) => {
    const other = places.slice(0, at).find((before) => meet(readAddress(before.place), readAddress(place)));
    if (other === undefined) return [];
    const owner = other.path.join('.');
    const message =
      other.place === place
        ? `${place} is that of ${owner} too`
        : `${place} and ${other.place} (${owner}) meet`;
    return [{ path, message, hint: 'give each a port of its own' }];
  });
}

/** Would a connection to one of them reach the other? All addresses of a host are among them. */
export function meet(one: Address | undefined, other: Address | undefined): boolean {
  if (one === undefined || other === undefined || one.port === 0 || one.port !== other.port) return false;
  return one.host === other.host || takes(one.host, other.host) || takes(other.host, one.host);
}

/** `::` takes what is sent to either family. */
function takes(any: string, host: string): boolean {
  return any === '::' || (any === '0.0.0.0' && !isIPv6(host));
}

/** Sizes with which nothing would ever be taken in. */
function sizeProblems({ journal, listeners }: Settings): Found[] {
  const sizes = [
    { path: ['journal', 'bytesMax'], text: journal.bytesMax, least: '1MiB', hint: 'for example: 20GiB' },
    ...Object.entries(listeners).map(([name, listener]) => ({
      path: ['listeners', name, listener.type === 'mllp' ? 'frameBytesMax' : 'packetBytesMax'],
      text: listener.type === 'mllp' ? listener.frameBytesMax : listener.packetBytesMax,
      least: '1KiB',
      hint: 'leave it out to take the default',
    })),
  ];
  return sizes
    .filter(({ text, least }) => (parseSize(text) ?? 0) < (parseSize(least) ?? 0))
    .map(({ path, text, least, hint }) => ({
      path,
      message: `${text} is too little: at least ${least}`,
      hint,
    }));
}

/** Off loopback a listener without TLS wants a range, a reason and an owner: somebody has to answer for what goes in the clear. */
function tlsProblems({ listeners }: Settings): Found[] {
  return Object.entries(listeners).flatMap(([listener, { listen: place, tls: own }]) => {
    const { mode, certFile, keyFile, caFile, range: from, reason, owner } = own;
    const wrong = (message: string, hint: string) => [
      { path: ['listeners', listener, 'tls'], message, hint },
    ];
    if (mode !== 'none') {
      if (certFile === undefined || keyFile === undefined)
        return wrong('TLS needs certFile and keyFile', 'add both, relative to this file');
      if (mode === 'required' && caFile === undefined)
        return wrong(
          'required client certificates need caFile',
          'add the issuers of those certificates, or take mode: optional',
        );
      return [];
    }
    if (isLoopback(readAddress(place)?.host ?? '')) return [];
    const absent = Object.entries({ range: from, reason, owner })
      .filter(([, value]) => value === undefined || value.length === 0)
      .map(([key]) => key);
    return absent.length === 0
      ? []
      : wrong(`without TLS off loopback it needs ${absent.join(', ')}`, 'use TLS, or say who allowed it');
  });
}

/** Whom nothing could let in. */
function userProblems({ listeners }: Settings): Found[] {
  return Object.entries(listeners).flatMap(([listener, settings]) => {
    if (settings.type !== 'mqtt') return [];
    const { mode, caFile } = settings.tls;
    if (mode !== 'none' && caFile !== undefined) return [];
    return Object.entries(settings.users)
      .filter(([, { password }]) => password === undefined)
      .map(([user]) => ({
        path: ['listeners', listener, 'users', user],
        message: 'it has no password, and this listener asks for no client certificates',
        hint: 'write its password, from "hilum-gateway hash-password", or give tls the caFile of the certificates',
      }));
  });
}

/** A client certificate is of two files. */
function destinationProblems({ destinations }: Settings): Found[] {
  return Object.entries(destinations)
    .filter(([, { tls: own }]) => (own.certFile === undefined) !== (own.keyFile === undefined))
    .map(([name]) => ({
      path: ['destinations', name, 'tls'],
      message: 'a client certificate needs certFile and keyFile',
      hint: 'add both, relative to this file, or neither where the receiver asks for none',
    }));
}

function isProxy(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' || url.hostname === '' || /\s/.test(text)) return false;
  try {
    // A "%" of a password is written as %25.
    decodeURIComponent(url.username + url.password);
    return true;
  } catch {
    return false;
  }
}

/** `10.1.9.7`, `10.1.9.0/24`, `2001:db8::/32`. */
function isRange(text: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && (bits === undefined || Number(bits) <= (family === 4 ? 32 : 128));
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** A path in the settings is relative to the settings file. */
export function resolvePath(path: string, settingsFile: string, directory: string): string {
  if (isAbsolute(path)) return path;
  return join(settingsFile === '' ? directory : dirname(settingsFile), path);
}
