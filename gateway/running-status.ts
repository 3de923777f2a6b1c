/**
 * What `/status` says, and so `hilum-gateway status -o json`. Counts that may outgrow 53 bits, and times, are text:
 * whoever scripts against it reads JSON with doubles.
 */
import type { RefusalReason } from './capture/refusals.ts';
import type { CriticalTally } from './criticals.ts';
import type { FailedRule } from './failed-rules.ts';
import type { OnceTally } from './once-tallies.ts';
import type { SettingsFacts } from './settings-digest.ts';

export interface RunningStatus {
  pid: number;
  ready: boolean;
  /** Why not; '' when ready. */
  notReady: string;
  gateway: string;
  site: string;
  version: string;
  enrolled: boolean;
  /** What it runs with. */
  settings: SettingsFacts;
  uplink: {
    state: string;
    reason: string;
    address: string;
    /** '' where there is none on the way. */
    proxy: string;
    lastAckAtUs: string;
    connects: number;
    clockOffsetUs: string;
  };
  listeners: {
    name: string;
    type: string;
    address: string;
    state: string;
    tls: string;
    plain?: { reason: string; owner: string };
    counters: Record<string, number>;
    refused: RefusedByListener[];
  }[];
  config: { desired: { version: string }; attempted: ConfigFact; running: ConfigFact };
  journal: {
    state: string;
    bytes: string;
    bytesMax: string;
    fileBytes: string;
    freeBytes: string;
    reserveHeldBytes: string;
    /** Free inside the journal's file. */
    reusableBytes: string;
    oldestPendingAtUs: string;
    lanes: { lane: string; queued: number }[];
    refusals: number;
    memory: Record<string, number>;
    recoveredMs: number;
  };
  custody: {
    source: string;
    accepted: string;
    pending: string;
    delivered: string;
    quarantined: string;
    expired: string;
    duplicates: string;
    /** Of the quarantined ones: those that look urgent. */
    urgentQuarantined: string;
    missing: string;
  }[];
  destinations: {
    destination: string;
    accepted: string;
    pending: string;
    delivered: string;
    dead: string;
    state: string;
    /** Why it waits, and since when; '' and 0 where it does not. */
    reason: string;
    waitingSinceUs: string;
    answeredAfterMs: number;
    timeoutMs: number;
  }[];
  notAccepted: { source: string; field: string; count: number; atUs: string }[];
  shares: { source: string; records: string; stat: string; results: string; unflaggedResults: string }[];
  unmapped: { source: string; field: string; codes: number; count: number }[];
  critical: CriticalTally[];
  once: OnceTally[];
  failedRules: FailedRule[];
  circuits: { source: string; state: string; failures: string; untried?: string }[];
  clocks: { source: string; verdict: string; text: string }[];
  latency: { class: string; hop: string; count: number; p50Us: number; p99Us: number; maxUs: number }[];
  alarms: { code: string; atUs: string }[];
}

/** Of the last one: `address`, `user` and `detail`; what is not known is ''. */
export interface RefusedByListener extends RefusedFor {
  reason: RefusalReason;
  /** By `detail`. */
  causes: RefusedFor[];
}

interface RefusedFor {
  count: number;
  atUs: string;
  address: string;
  user: string;
  detail: string;
}

interface ConfigFact {
  version: string;
  outcome: string;
  /** Of a config that was pushed. */
  hash?: string;
  problems?: { path: string; line: number; column: number; message: string; hint: string }[];
}
