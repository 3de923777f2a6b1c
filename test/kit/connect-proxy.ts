/**
 * A double of a hospital's outbound HTTP proxy: CONNECT allowed, refused (403), behind a password (407), closed
 * without an answer, or intercepted with a certificate authority of its own, as TLS-inspecting proxies do.
 * Invariant: it notes every target it was asked for, and never speaks to one it refused.
 */
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { createTestCa, type TestCa } from './tls.ts';

export type ConnectMode = 'allow' | 'refuse' | 'close' | 'intercept' | 'silent';

export class ConnectProxy {
  mode: ConnectMode;
  /** `user:password` that a client must present (Basic), if any. */
  credentials: string | undefined;
  /** Every `host:port` asked for, in order. */
  readonly asked: string[] = [];
  /** The authority that signs what `intercept` presents: trusted by nobody unless the test adds it. */
  readonly ca: TestCa;
  /** Plaintext bytes seen by `intercept`. */
  interceptedBytes = 0;
  readonly #server: http.Server;
  readonly #sockets = new Set<Duplex>();

  private constructor(mode: ConnectMode, ca: TestCa) {
    this.mode = mode;
    this.ca = ca;
    this.#server = http.createServer((_request, response) => response.writeHead(405).end());
    this.#server.on('connection', (socket) => this.#track(socket));
    this.#server.on('connect', (request: http.IncomingMessage, client: Duplex, head: Buffer) => {
      this.#connect(request, client, head).catch(() => client.destroy());
    });
  }

  static async start(mode: ConnectMode = 'allow', credentials?: string): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(mode, await createTestCa('Inspecting proxy'));
    proxy.credentials = credentials;
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #connect(request: http.IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const asked = request.url ?? '';
    this.asked.push(asked);
    const { host, port } = targetOf(asked);
    client.on('error', () => {});
    if (this.mode === 'silent') return;
    if (this.mode === 'close') {
      client.end();
      return;
    }
    if (!this.#isAuthorized(request)) {
      client.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="kit"\r\n\r\n',
      );
      return;
    }
    if (this.mode === 'refuse') {
      client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const plain = this.mode === 'allow';
    const upstream = plain ? net.connect(port, host) : tls.connect({ host, port, rejectUnauthorized: false });
    this.#track(upstream);
    try {
      await once(upstream, plain ? 'connect' : 'secureConnect');
    } catch {
      client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    if (head.length > 0) client.unshift(head);
    const near = plain ? client : await this.#unwrap(client, host);
    near.on('error', () => upstream.destroy());
    upstream.on('error', () => near.destroy());
    near.on('close', () => upstream.destroy());
    // What upstream said last may still be on its way: end, do not destroy.
    upstream.on('close', () => near.end());
    near.pipe(upstream).pipe(near);
  }

  #isAuthorized(request: http.IncomingMessage): boolean {
    if (this.credentials === undefined) return true;
    const wanted = `Basic ${Buffer.from(this.credentials).toString('base64')}`;
    return request.headers['proxy-authorization'] === wanted;
  }

  async #unwrap(client: Duplex, host: string): Promise<tls.TLSSocket> {
    const names = net.isIP(host) ? { ips: [host] } : { dns: [host] };
    const { certPem, keyPem } = await this.ca.issue({ commonName: host, ...names });
    const inner = new tls.TLSSocket(client as net.Socket, {
      isServer: true,
      cert: certPem,
      key: keyPem,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    this.#track(inner);
    inner.on('data', (chunk: Buffer) => {
      this.interceptedBytes += chunk.length;
    });
    return inner;
  }

  #track(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

function targetOf(asked: string): { host: string; port: number } {
  const colon = asked.lastIndexOf(':');
  return { host: asked.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(asked.slice(colon + 1)) };
}
