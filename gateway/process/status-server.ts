/**
 * What a daemon says of itself on loopback: /status (JSON), /healthz (can it do its work?), /livez (does it
 * run at all? what a supervisor may restart for), /metrics (Prometheus text). Counters and states only;
 * nothing of a message. It asks for no login, so on loopback it answers under addresses and localhost alone: a page in a
 * browser of this host could else read it by a name of its own that leads here by now (DNS rebinding).
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { addressOf, writeAddress } from '../../proto/address.ts';
import { codeOf, HilumError } from './errors.ts';
import { listenFailed } from './listen-failed.ts';
import { errorWord, type Log } from './log.ts';

export interface StatusSource {
  status(): unknown;
  /** Why it cannot do its work now, in a word; '' when it can. */
  notReady(): string;
  /** name{labels} → value */
  metrics(): Iterable<Metric>;
}

export interface Metric {
  name: string;
  help: string;
  type: 'counter' | 'gauge';
  labels?: Record<string, string>;
  value: number;
}

/** Of probes and of those who look: they must not take the descriptors that senders need. */
const connectionsMax = 64;

export class StatusServer {
  readonly #server: Server;
  #log: Log | undefined;

  constructor(source: StatusSource) {
    const options = {
      requestTimeout: 5_000,
      headersTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 5_000,
    };
    this.#server = createServer(options, (request, response) => {
      const path = (request.url ?? '').split('?')[0];
      const answer = (code: number, type: string, body: string) => {
        response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' });
        response.end(body);
      };
      try {
        if (!isAddressed(request)) answer(421, 'text/plain', 'Ask by address, or as localhost\n');
        else if (request.method !== 'GET') answer(405, 'text/plain', 'GET only\n');
        else if (path === '/status') answer(200, 'application/json', `${JSON.stringify(source.status())}\n`);
        else if (path === '/livez') answer(200, 'text/plain', 'live\n');
        else if (path === '/healthz') {
          const why = source.notReady();
          answer(why === '' ? 200 : 503, 'text/plain', why === '' ? 'ready\n' : `not ready: ${why}\n`);
        } else if (path === '/metrics')
          answer(200, 'text/plain; version=0.0.4', exposition(source.metrics()));
        else answer(404, 'text/plain', 'There is /status, /healthz, /livez and /metrics\n');
      } catch (error) {
        // A page that cannot be made must not end what captures.
        this.#log?.('error', 'status-failed', { reason: errorWord(error) });
        answer(500, 'text/plain', 'This cannot be told: see the log (status-failed).\n');
      }
    });
    // Also of one who does not read what he asked for.
    this.#server.timeout = 10_000;
    this.#server.maxConnections = connectionsMax;
  }

  /**
   * Listens on what the settings name, else on the usual address; where another daemon has that one,
   * on a free port, because a status page must not keep a daemon from its work. Returns the address.
   */
  async listen(
    { named, usual, key }: { named: string | undefined; usual: string; key: string },
    log: Log,
  ): Promise<string> {
    this.#log = log;
    const wanted = named ?? usual;
    const { host, port } = addressOf(wanted);
    const found = await this.#bind(host, port).catch((cause: unknown) => {
      if (named !== undefined || codeOf(cause) !== 'EADDRINUSE') {
        const { code, hint, exit } = listenFailed(wanted, `${key} in the settings`, cause);
        throw new HilumError('status-listen', `The status page cannot use ${wanted} (${code}).`, {
          hint,
          exit,
          cause,
        });
      }
      log('warn', 'status-address-taken', { address: wanted });
      return this.#bind(host, 0);
    });
    return writeAddress({ host: found.address, port: found.port });
  }

  #bind(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Who reaches another address than loopback needs no browser in between, and may know it by any name. */
function isAddressed({ headers: { host }, socket }: IncomingMessage): boolean {
  if (host === undefined || !/^(::ffff:)?127\.|^::1$/.test(socket.localAddress ?? '')) return true;
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return isIP(name) !== 0 || /^localhost\.?$/i.test(name);
}

/** Prometheus text exposition format 0.0.4. */
function exposition(metrics: Iterable<Metric>): string {
  const families = new Map<string, Metric[]>();
  for (const metric of metrics) {
    const family = families.get(metric.name) ?? [];
    family.push(metric);
    families.set(metric.name, family);
  }
  let text = '';
  for (const [name, family] of families) {
    const [first] = family;
    text += `# HELP ${name} ${first?.help ?? ''}\n# TYPE ${name} ${first?.type ?? 'gauge'}\n`;
    for (const { labels = {}, value } of family) {
      const pairs = Object.entries(labels).map(
        ([label, word]) => `${label}="${word.replace(/["\\\n]/g, '_')}"`,
      );
      text += `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
    }
  }
  return text;
}
