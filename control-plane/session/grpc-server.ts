/**
 * The control plane's one door to grpc-js as a server: one TLS port for enrollment, uplinks,
 * the admin API, reflection and health. Client certificates are asked for but not required by
 * TLS, because Enroll has none; everything else is refused here without a verified one.
 */
import type { SecureContextOptions } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { HilumError } from '../../gateway/process/errors.ts';
import { listenFailed } from '../../gateway/process/listen-failed.ts';
import { serverTls } from '../../gateway/process/tls.ts';
import { writeAddress } from '../../proto/address.ts';
import { wireLimits } from '../../proto/limits.ts';
import type { Peer, Verdict } from '../identity/peers.ts';
import type { ServerIdentity } from '../identity/server-certificate.ts';
import { boundConnections } from './connections.ts';
import { StandardServices } from './standard-services.ts';
import { refusedCall, UnknownCallers } from './unknown-caller.ts';

export interface ServerOptions {
  identity: ServerIdentity;
  caPem: string;
  verify(raw: Uint8Array | undefined): Verdict;
  /** Somebody was not let in. @param caller address and port @param whose the name in a certificate of ours, with its role; '' without one */
  refused(caller: string, reason: string, whose: string): void;
}

const idleMs = 20_000;
/** Node waits two minutes. */
const handshakeMs = 10_000;

const callsPerConnectionMax = 100;

const enrollPath = '/hilum.v1.Enrollment/Enroll';

export type AnyCall = {
  getAuthContext(): { sslPeerCertificate?: { raw: Buffer } } | undefined;
  getPeer(): string;
};

export class GrpcServer {
  readonly server: grpc.Server;
  readonly #options: ServerOptions;
  readonly #standard: StandardServices;
  readonly #identity: Provider;
  readonly #unknown = new UnknownCallers();

  constructor(options: ServerOptions) {
    this.#options = options;
    // What it would say there, it also gives to its caller, who says it once and with what to do.
    if (process.env.GRPC_VERBOSITY === undefined) grpc.setLogVerbosity(grpc.logVerbosity.NONE);
    this.server = new grpc.Server({
      'grpc.max_receive_message_length': wireLimits.messageBytesMax,
      'grpc.max_send_message_length': wireLimits.messageBytesMax,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 10_000,
      // A connection without a call: anybody may open one, and another is quickly made.
      'grpc.max_connection_idle_ms': idleMs,
      // A gateway has one session, a person a few calls. Without a limit one connection of anybody fills the memory.
      'grpc.max_concurrent_streams': callsPerConnectionMax,
      'grpc-node.flow_control_window': 4 * 1024 * 1024,
      interceptors: [({ path }, call) => this.#guard(path, call)],
    });
    this.#standard = new StandardServices(this.server);
    this.#identity = new Provider({ identity: this.#shown(options.identity) });
  }

  /** Shown from the next handshake on; connections that are open keep what they were begun with. */
  show(identity: ServerIdentity): void {
    this.#identity.renew(this.#shown(identity));
  }

  /** The chain carries the CA, so that an enrolling gateway can compare it with its pin. */
  #shown({ certificatePem, keyPem }: ServerIdentity): object {
    return {
      certificate: Buffer.from(certificatePem + this.#options.caPem),
      privateKey: Buffer.from(keyPem),
    };
  }

  /** Who calls, verified; throws the status that the caller is answered with. */
  peer(call: AnyCall, role: Peer['role']): Peer {
    const verdict = this.#options.verify(call.getAuthContext()?.sslPeerCertificate?.raw);
    if ('objection' in verdict) throw denied(grpc.status.UNAUTHENTICATED, verdict.objection);
    if (verdict.peer.role !== role) {
      const reason = `this call is for the role ${role}`;
      this.#options.refused(call.getPeer(), reason, `${verdict.peer.role} ${verdict.peer.name}`);
      throw denied(grpc.status.PERMISSION_DENIED, reason);
    }
    return verdict.peer;
  }

  /** @param settings the file where the address is, or would be, changed. */
  listen(host: string, port: number, settings: string): Promise<number> {
    const roots = new Provider({ ca: { caCertificate: Buffer.from(this.#options.caPem) } });
    const credentials = grpc.experimental.createCertificateProviderServerCredentials(
      // Its declaration names the two the other way round; the identity comes first.
      this.#identity as never,
      roots as never,
      false,
    );
    Object.assign(credentials._getConstructorOptions() ?? {}, { handshakeTimeout: handshakeMs });
    takeOnly(credentials, serverTls);
    const where = writeAddress({ host, port });
    return new Promise((resolve, reject) => {
      this.server.bindAsync(where, credentials, (error, bound) => {
        if (error === null) {
          boundConnections(this.server);
          resolve(bound);
        } else {
          const { code, hint, exit } = listenFailed(where, `"grpc" in ${settings}, or --grpc`, error);
          const message = `The control plane cannot listen on ${where} (${code}).`;
          reject(new HilumError('grpc-listen', message, { hint, exit, cause: error }));
        }
      });
    });
  }

  /** Not serving any more, then closed: streams that are open get `deadlineMs` to end. */
  async stop(deadlineMs: number): Promise<void> {
    this.#standard.notServing();
    const done = new Promise<void>((resolve) => this.server.tryShutdown(() => resolve()));
    const timer = setTimeout(() => this.server.forceShutdown(), deadlineMs);
    await done;
    clearTimeout(timer);
  }

  /** Runs before any handler, also those of health and reflection. */
  #guard(path: string, call: grpc.ServerInterceptingCallInterface): grpc.ServerInterceptingCall {
    const raw = (call as unknown as AnyCall).getAuthContext()?.sslPeerCertificate?.raw;
    const verdict = this.#options.verify(raw);
    if ('peer' in verdict) return new grpc.ServerInterceptingCall(call);
    if (path === enrollPath) return this.#unknown.admit(call);
    const details = verdict.objection;
    this.#options.refused(call.getPeer(), details, verdict.whose ?? '');
    return refusedCall(call, grpc.status.UNAUTHENTICATED, details);
  }
}

export function denied(code: grpc.status, details: string): grpc.StatusObject & Error {
  return Object.assign(new Error(details), { code, details, metadata: new grpc.Metadata() });
}

/** grpc-js takes suites from the environment of a process alone, and forgets them with each new certificate [grpc-js 1.14]. */
function takeOnly(credentials: grpc.ServerCredentials, only: SecureContextOptions): void {
  const made = credentials as unknown as { calculateSecureContextOptions?(): SecureContextOptions | null };
  const calculate = made.calculateSecureContextOptions?.bind(made);
  if (calculate === undefined) throw new Error('grpc-js does not make its TLS options where it did');
  made.calculateSecureContextOptions = () => {
    const options = calculate();
    return options && { ...options, ...only };
  };
}

type Listener = (update: object | null) => void;

/** A certificate provider [grpc-js, experimental]: of it each listener is told once, and again of a new identity. */
class Provider {
  readonly #ca: object | undefined;
  readonly #listeners = new Set<Listener>();
  #identity: object | undefined;

  constructor({ identity, ca }: { identity?: object; ca?: object }) {
    this.#identity = identity;
    this.#ca = ca;
  }

  renew(identity: object): void {
    this.#identity = identity;
    for (const listener of this.#listeners) listener(identity);
  }

  addCaCertificateListener(listener: Listener): void {
    queueMicrotask(() => listener(this.#ca ?? null));
  }

  removeCaCertificateListener(): void {}

  addIdentityCertificateListener(listener: Listener): void {
    this.#listeners.add(listener);
    queueMicrotask(() => listener(this.#identity ?? null));
  }

  removeIdentityCertificateListener(listener: Listener): void {
    this.#listeners.delete(listener);
  }
}
