/**
 * Which source a message belongs to, and what the config accepts from it. A listener without
 * a source in the config is a source of its own name, so a gateway works with no config at all.
 */
import { durationMs } from '../proto/config/duration.ts';
import type { Config, SourceConfig } from '../proto/config/schema.ts';
import type { MllpSource } from './capture/mllp/options.ts';
import { filterMatches } from './capture/mqtt/topic.ts';
import { reclassifies } from './meaning.ts';
import { type AcceptField, acceptFields, NotAcceptedTally } from './not-accepted.ts';

const repeatWindowMs = 15 * 60_000;
const clockSkewMs = 60_000;

export class Sources {
  readonly notAccepted = new NotAcceptedTally();
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
    this.notAccepted.keep(Object.keys(config.sources));
  }

  /** The source of an MLLP listener. */
  mllp(listener: string): MllpSource {
    let source = this.#mllp.get(listener);
    if (source === undefined) {
      const [name, config] = this.#of(listener)[0] ?? [listener, undefined];
      const accepted = acceptedBy(config);
      source = {
        name,
        repeatWindowMs: durationMs(config?.repeatWindow ?? '') ?? repeatWindowMs,
        refuses: (header) => {
          const field = accepted.find(({ at, values }) => !values.includes(header.component(at, 1)))?.field;
          if (field === undefined) return '';
          this.notAccepted.note(name, field);
          // For MSA-3: says which field, never its content.
          return `${field} is not accepted from this source`;
        },
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
      else if (config.topics.some((filter) => filterMatches(filter.split('/'), topic.split('/'))))
        return name;
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

interface Accepted {
  field: AcceptField;
  /** Its number in MSH. */
  at: number;
  values: readonly string[];
}

/** The fields of which the config does not accept everything; mostly none. */
function acceptedBy(config: SourceConfig | undefined): Accepted[] {
  const accept: Partial<Record<string, string[]>> = config?.accept ?? {};
  return Object.entries(acceptFields).flatMap(([field, key]) => {
    const values = accept[key];
    return values === undefined ? [] : [{ field: field as AcceptField, at: Number(field.slice(4)), values }];
  });
}
