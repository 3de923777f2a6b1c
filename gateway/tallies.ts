/** What is counted of every record since the start, by source; told by the gateway's report of itself. */
import { Clocks, clockAlarm } from './clocks.ts';
import { Criticals } from './criticals.ts';
import { Shares } from './shares.ts';
import { Unmapped } from './unmapped.ts';
import type { JobResult } from './worker-job.ts';

export interface TallyHooks {
  /** How far the clocks of a source's senders may be from ours, ms. */
  clockSkewMs(source: string): number;
  onAlarm(code: string, fields: Record<string, number | string>): void;
}

export class Tallies {
  readonly shares = new Shares();
  readonly unmapped = new Unmapped();
  readonly criticals = new Criticals();
  readonly clocks: Clocks;

  constructor({ clockSkewMs, onAlarm }: TallyHooks) {
    this.clocks = new Clocks({
      limitMs: clockSkewMs,
      onWarning: (clock) => onAlarm(...clockAlarm(clock)),
    });
  }

  count(source: string, result: JobResult): void {
    this.shares.count(source, result);
    this.unmapped.count(source, result);
    this.criticals.count(source, result);
    this.clocks.count(source, result);
  }
}
