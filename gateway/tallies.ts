/** What is counted of every record since the start, by source; told by the gateway's report of itself. */
import type { AuditEntry } from '../proto/gen/hilum/v1/session.ts';
import { Circuits } from './circuits.ts';
import { Clocks, clockAlarm } from './clocks.ts';
import { Criticals } from './criticals.ts';
import { FailedRules } from './failed-rules.ts';
import { OnceTallies } from './once-tallies.ts';
import { elapsedMs, nowUs } from './process/clock.ts';
import { Shares } from './shares.ts';
import { Unmapped } from './unmapped.ts';
import type { JobResult } from './worker-job.ts';

export interface TallyHooks {
  /** How far the clocks of a source's senders may be from ours, ms. */
  clockSkewMs(source: string): number;
  onAlarm(code: string, fields: Record<string, number | string>): void;
  log(level: 'info', code: string, fields: Record<string, number | string>): void;
  audit(entry: Partial<AuditEntry>): void;
}

export class Tallies {
  readonly shares = new Shares();
  readonly unmapped = new Unmapped();
  readonly criticals = new Criticals();
  readonly once = new OnceTallies();
  readonly failedRules: FailedRules;
  readonly clocks: Clocks;
  readonly circuits: Circuits;

  constructor({ clockSkewMs, onAlarm, log, audit }: TallyHooks) {
    this.circuits = new Circuits({
      nowUs,
      elapsedMs,
      onChange(source, state, failures) {
        const fields = { source, failures };
        if (state === 'closed') log('info', 'mapping-circuit-closed', fields);
        else onAlarm(state === 'opened' ? 'mapping-circuit-open' : 'mapping-failing', fields);
        audit({ action: `mapping-circuit-${state}`, subject: source, detail: `${failures} failed in a row` });
      },
    });
    this.failedRules = new FailedRules((source, rule) => onAlarm('config-rule-failed', { source, rule }));
    this.clocks = new Clocks({
      limitMs: clockSkewMs,
      onWarning: (clock) => onAlarm(...clockAlarm(clock)),
    });
  }

  count(source: string, result: JobResult): void {
    this.shares.count(source, result);
    this.unmapped.count(source, result);
    this.criticals.count(source, result);
    this.once.count(source, result);
    this.failedRules.count(source, result);
    this.clocks.count(source, result);
  }
}
