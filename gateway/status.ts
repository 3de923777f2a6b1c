/**
 * What this gateway says of itself on loopback: /status (JSON), /healthz, /metrics
 * (Prometheus text). Counters and states only; nothing of a message.
 */
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StatusSource {
  status(): unknown;
  ready(): boolean;
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

export class StatusServer {
  readonly #server: Server;

  constructor(source: StatusSource) {
    this.#server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, (request, response) => {
      const path = (request.url ?? '').split('?')[0];
      const answer = (code: number, type: string, body: string) => {
        response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' });
        response.end(body);
      };
      if (request.method !== 'GET') answer(405, 'text/plain', 'GET only\n');
      else if (path === '/status') answer(200, 'application/json', `${JSON.stringify(source.status())}\n`);
      else if (path === '/healthz') answer(source.ready() ? 200 : 503, 'text/plain', source.ready() ? 'ready\n' : 'not ready\n');
      else if (path === '/metrics') answer(200, 'text/plain; version=0.0.4', exposition(source.metrics()));
      else answer(404, 'text/plain', 'There is /status, /healthz and /metrics\n');
    });
    this.#server.keepAliveTimeout = 5_000;
  }

  start(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve(this.#server.address() as AddressInfo));
    });
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Prometheus text exposition format 0.0.4. */
export function exposition(metrics: Iterable<Metric>): string {
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
      const pairs = Object.entries(labels).map(([label, word]) => `${label}="${word.replace(/["\\\n]/g, '_')}"`);
      text += `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
    }
  }
  return text;
}
