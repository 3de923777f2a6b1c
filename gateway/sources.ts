/**
 * Which source a message belongs to, and what the config accepts from it. A listener without
 * a source in the config is a source of its own name, so a gateway works with no config at all.
 */
import { durationMs } from '../proto/config/duration.ts';
import type { Config, SourceConfig } from '../proto/config/schema.ts';
import type { Header } from './capture/mllp/header.ts';
import type { MllpSource } from './capture/mllp/options.ts';
import { reclassifies } from './meaning.ts';

const repeatWindowMs = 15 * 60_000;
const clockSkewMs = 60_000;

export class Sources {
  #config: Config;
  #mllp = new Map<string, MllpSource>();
  /** The config may give records other classes than the built-in rules: what capture guesses is no verdict. */
  reclassified: boolean;

  constructor(config: Config) {
    this.#config = config;
    this.reclassified = reclassifies(config);
  }

  use(config: Config): void {
    this.#config = config;
    this.#mllp = new Map();
    this.reclassified = reclassifies(config);
  }

  /** The source of an MLLP listener. */
  mllp(listener: string): MllpSource {
    let source = this.#mllp.get(listener);
    if (source === undefined) {
      const [name, config] = this.#of(listener)[0] ?? [listener, undefined];
      source = {
        name,
        repeatWindowMs: durationMs(config?.repeatWindow ?? '') ?? repeatWindowMs,
        refuses: (header) => objection(config, header),
      };
      this.#mllp.set(listener, source);
    }
    return source;
  }

  /** The source of an MQTT topic: the first whose filters match, then the listener's own. */
  mqtt(listener: string, topic: string): string {
    let whole = listener;
    for (const [name, config] of this.#of(listener)) {
      if (config.topics === undefined) whole = name;
      else if (config.topics.some((filter) => matchesTopic(filter, topic))) return name;
    }
    return whole;
  }

  /** How far its senders' clocks may be from ours. */
  clockSkewMs(source: string): number {
    return durationMs(this.#config.sources[source]?.clockSkew ?? '') ?? clockSkewMs;
  }

  #of(listener: string): [string, SourceConfig][] {
    return Object.entries(this.#config.sources).filter(([, source]) => source.listener === listener);
  }
}

/** For MSA-3: says which field, never its content. */
function objection(config: SourceConfig | undefined, header: Header): string {
  const { processingIds, versions } = config?.accept ?? {};
  if (processingIds !== undefined && !processingIds.includes(header.component(11, 1))) {
    return 'MSH-11 is not accepted from this source';
  }
  if (versions !== undefined && !versions.includes(header.component(12, 1))) {
    return 'MSH-12 is not accepted from this source';
  }
  return '';
}

/** [MQTT-4.7] `+` is one level, `#` the rest. */
export function matchesTopic(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (let at = 0; at < wanted.length; at += 1) {
    if (wanted[at] === '#') return true;
    if (at >= levels.length || (wanted[at] !== '+' && wanted[at] !== levels[at])) return false;
  }
  return wanted.length === levels.length;
}
