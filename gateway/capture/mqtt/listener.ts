/**
 * The TCP (and TLS) side: accepts, counts connections in all and per address before any handshake, and hands
 * over sockets that are ready for MQTT.
 */
import net from 'node:net';
import tls from 'node:tls';
import { errorWord } from '../../process/log.ts';
import { serverTls } from '../../process/tls.ts';
import { refusalOf } from '../client-certificate.ts';
import { peerOf } from '../handshake.ts';
import type { MqttTls } from './options.ts';

export interface ListenerOptions {
  allow?: ((address: string) => boolean) | undefined;
  host: string;
  port: number;
  tls: MqttTls | undefined;
  connectionsMax: number;
  connectionsPerAddressMax: number;
  handshakeTimeoutMs: number;
}

export type ListenerRefusal =
  | 'address'
  | 'connections-limit'
  | 'address-limit'
  | 'tls-handshake'
  | 'tls-silent' // it came and said nothing
  | 'tls-certificate';

export class Listener {
  readonly #options: ListenerOptions;
  readonly #onSocket: (socket: net.Socket) => void;
  readonly #onRefused: (reason: ListenerRefusal, address: string, cause?: string) => void;
  readonly #onAcceptFailed: (error: unknown) => void;
  readonly #server: net.Server;
  readonly #raw = new Set<net.Socket>();
  readonly #perAddress = new Map<string, number>();
  #tls: tls.Server | undefined;
  #accepting = false;

  constructor(
    options: ListenerOptions,
    onSocket: (socket: net.Socket) => void,
    onRefused: (reason: ListenerRefusal, address: string, cause?: string) => void,
    onAcceptFailed: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#onSocket = onSocket;
    this.#onRefused = onRefused;
    this.#onAcceptFailed = onAcceptFailed;
    // Each PUBACK is a small write on its own: Nagle would hold it back.
    this.#server = net.createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 },
      (socket) => this.#accept(socket),
    );
  }

  /** Rejects where the address cannot be used or the certificate cannot be read. */
  start(): Promise<{ port: number; address: string }> {
    if (this.#options.tls) this.#tls = this.#tlsServer(this.#options.tls);
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: this.#options.host, port: this.#options.port, backlog: 511 }, () => {
        this.#server.off('error', reject);
        // No file for another connection: whoever wanted it comes again, and the others go on.
        this.#server.on('error', (error) => this.#onAcceptFailed(error));
        this.#accepting = true;
        const { port, address } = this.#server.address() as net.AddressInfo;
        resolve({ port, address });
      });
    });
  }

  /** Those that are open, also while their handshake lasts. */
  get connections(): number {
    return this.#raw.size;
  }

  stopAccepting(): void {
    this.#accepting = false;
    if (this.#server.listening) this.#server.close();
  }

  /** New certificates for new connections; throws where they cannot be used, and the old ones stay. */
  renew(options: MqttTls): void {
    this.#tls?.setSecureContext(secureContext(options));
  }

  destroyAll(): void {
    for (const socket of this.#raw) socket.destroy();
  }

  #accept(socket: net.Socket): void {
    const address = socket.remoteAddress;
    socket.on('error', () => {}); // whoever uses the socket hears of it too; before that nobody does
    if (!this.#accepting || address === undefined) {
      socket.destroy();
      return;
    }
    if (this.#options.allow !== undefined && !this.#options.allow(address)) {
      socket.destroy();
      this.#onRefused('address', address);
      return;
    }
    const fromHere = this.#perAddress.get(address) ?? 0;
    const total = this.#raw.size >= this.#options.connectionsMax;
    if (total || fromHere >= this.#options.connectionsPerAddressMax) {
      socket.destroy();
      this.#onRefused(total ? 'connections-limit' : 'address-limit', address);
      return;
    }
    this.#raw.add(socket);
    this.#perAddress.set(address, fromHere + 1);
    socket.once('close', () => {
      this.#raw.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
    if (this.#tls) this.#tls.emit('connection', socket);
    else this.#onSocket(socket);
  }

  #tlsServer(options: MqttTls): tls.Server {
    // Without issuers of the site's own Node would trust the public ones with the names of users.
    const requestCert = options.mode === 'required' || options.caPem !== undefined;
    const server = tls.createServer({
      ...secureContext(options),
      requestCert,
      rejectUnauthorized: options.mode === 'required',
      handshakeTimeout: this.#options.handshakeTimeoutMs,
    });
    server.on('secureConnection', (socket) => {
      // Where a certificate is optional, a bad one is still worse than none.
      const presented = requestCert && socket.getPeerX509Certificate() !== undefined;
      if (presented && !socket.authorized) {
        this.#onRefused('tls-certificate', socket.remoteAddress ?? '', refusalOf(socket));
        socket.destroy();
        return;
      }
      this.#onSocket(socket);
    });
    server.on('tlsClientError', (error, socket) => {
      const { address, spoke } = peerOf(socket);
      // OpenSSL's word for it, as where a certificate has expired.
      const cause = refusalOf(socket) || errorWord(error);
      this.#onRefused(spoke ? 'tls-handshake' : 'tls-silent', address, cause);
      socket.destroy();
    });
    return server;
  }
}

function secureContext(options: MqttTls): tls.SecureContextOptions {
  return {
    cert: options.certPem,
    key: options.keyPem,
    ...(options.caPem === undefined ? {} : { ca: options.caPem }),
    ...serverTls,
  };
}

/** Names of a verified client certificate: SAN DNS and URI entries, then CN. Empty without such a certificate. */
export function certificateNames(socket: net.Socket): string[] {
  if (!(socket instanceof tls.TLSSocket) || !socket.authorized) return [];
  const certificate = socket.getPeerCertificate();
  const names = (certificate.subjectaltname ?? '')
    .split(', ')
    .flatMap((entry) => /^(?:DNS|URI):([^"]+)$/.exec(entry)?.[1] ?? []);
  const commonName = certificate.subject?.CN;
  if (typeof commonName === 'string' && commonName !== '') names.push(commonName);
  return names;
}
