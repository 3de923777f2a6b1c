/** What every part of the broker works with. */
import type { Commits } from './commits.ts';
import type { Counters } from './counters.ts';
import type { MqttLimits, MqttSourceOptions } from './options.ts';

export interface MqttPart {
  readonly options: MqttSourceOptions;
  readonly limits: MqttLimits;
  readonly counters: Counters;
  readonly commits: Commits;
  nowUs(): bigint;
  elapsedMs(): number;
  /** Nothing new is taken from here on. */
  stopping(): boolean;
}
