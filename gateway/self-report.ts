/**
 * What the gateway says of itself: to the person at the site (status), to the control plane (telemetry, absolute
 * values), to Prometheus (metrics). It only reads; the parts that it reads own their facts.
 */
import {
  type CustodyCount,
  MappingCircuit,
  SourceClock,
  type Telemetry,
} from '../proto/gen/hilum/v1/session.ts';
import type { ConfigStore } from './config-store.ts';
import type { Standing } from './destinations.ts';
import type { Journal } from './journal/journal.ts';
import type { Latency } from './latency.ts';
import type { Listener } from './listeners.ts';
import { gatewayMetrics } from './metrics.ts';
import type { NotAcceptedTally } from './not-accepted.ts';
import { elapsedMs, nowUs, nowUs64 } from './process/clock.ts';
import { clockText } from './process/clock-text.ts';
import type { Metric } from './process/status-server.ts';
import type { RunningStatus } from './running-status.ts';
import type { SettingsFacts } from './settings-digest.ts';
import type { Tallies } from './tallies.ts';
import { version } from './version.ts';

/** Custody by hour goes up for the last three days; the totals are for ever. */
const hoursReported = 72;
/** About so much in a report; a histogram has up to 7 kB and changes with every event. */
const hourBytes = 40;
const histogramRestMs = 10_000;

/** What is told of the uplink. */
interface UplinkFacts {
  state: string;
  reason: string;
  lastAckAtUs: number;
  connects: number;
  offsetUs: number;
}

export interface Parts {
  journal: Journal;
  journalBytesMax: number;
  config: ConfigStore;
  listeners: readonly Listener[];
  destinations: { standing(name: string): Standing };
  latency: Latency;
  tallies: Tallies;
  notAccepted: NotAcceptedTally;
  /** By code: when it was raised last. */
  alarms: ReadonlyMap<string, number>;
  now(): {
    identity: { gateway: string; site: string } | undefined;
    uplink: UplinkFacts | undefined;
    uplinkAddress: string;
    /** Of the proxy on the way to it; empty where there is none. */
    uplinkProxy: string;
    settings: SettingsFacts;
    /** Why it is not ready; empty where it is. */
    notReady: string;
  };
}

export class SelfReport {
  readonly #parts: Parts;
  readonly #startedAtUs = nowUs();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  status(): RunningStatus {
    const { journal, journalBytesMax, config, listeners, destinations, latency, tallies, notAccepted } =
      this.#parts;
    const { identity, uplink, uplinkAddress, uplinkProxy, settings, notReady } = this.#parts.now();
    const room = journal.room();
    const oldestS = journal.oldestPendingS();
    return {
      pid: process.pid,
      ready: notReady === '',
      notReady,
      gateway: identity?.gateway ?? '',
      site: identity?.site ?? '',
      version,
      enrolled: identity !== undefined,
      settings,
      uplink: {
        state: uplink?.state ?? 'not-enrolled',
        reason: uplink?.reason ?? '',
        address: uplinkAddress,
        proxy: uplinkProxy,
        lastAckAtUs: String(uplink?.lastAckAtUs ?? 0),
        connects: uplink?.connects ?? 0,
        clockOffsetUs: String(Math.round(uplink?.offsetUs ?? 0)),
      },
      listeners: listeners.map(({ name, type, address, state, tls, plain, counters, refused }) => ({
        name,
        type,
        address,
        state,
        tls,
        ...(plain === undefined ? {} : { plain }),
        counters: counters(),
        refused: refused().map(({ causes, ...one }) => ({
          ...one,
          atUs: String(one.atUs),
          causes: causes.map((cause) => ({ ...cause, atUs: String(cause.atUs) })),
        })),
      })),
      config: config.facts(),
      journal: {
        state: room.state,
        bytes: String(room.liveBytes),
        bytesMax: String(journalBytesMax),
        fileBytes: String(room.fileBytes),
        freeBytes: String(room.freeBytes),
        reserveHeldBytes: String(room.heldBytes),
        reusableBytes: String(Math.round(room.reusableBytes)),
        oldestPendingAtUs: String(oldestS === undefined ? 0 : oldestS * 1_000_000),
        lanes: journal.lanes().map(({ lane, first, last }) => ({ lane, queued: last - first + 1 })),
        refusals: journal.stats().refusals,
        memory: journal.memory.stats(),
        recoveredMs: Math.round(journal.recovered.ms),
      },
      custody: journal
        .custodyTotals()
        .map(({ source, counts, urgentQuarantined }) =>
          longs({ ...terms(source, counts), urgentQuarantined, missing: missing(counts) }),
        ),
      destinations: journal.local.counts().map(({ destination, counts }) => {
        const { waitingSinceUs, ...standing } = destinations.standing(destination);
        return { destination, ...longs(counts), ...standing, waitingSinceUs: String(waitingSinceUs) };
      }),
      notAccepted: notAccepted.all().map((one) => ({ ...one, atUs: String(one.atUs) })),
      shares: tallies.shares.all().map(longs),
      unmapped: tallies.unmapped.counts(),
      critical: tallies.criticals.all(),
      once: tallies.once.all(),
      failedRules: tallies.failedRules.all(),
      circuits: tallies.circuits
        .report()
        .map((one) => MappingCircuit.toJSON(one) as RunningStatus['circuits'][number]),
      clocks: tallies.clocks.report().map((clock) => ({
        ...(SourceClock.toJSON(clock) as RunningStatus['clocks'][number]),
        text: clockText(clock),
      })),
      latency: latency.summary(),
      alarms: [...this.#parts.alarms].map(([code, atUs]) => ({ code, atUs: String(atUs) })),
    };
  }

  metrics(): Generator<Metric> {
    const { journal, latency, listeners, tallies, notAccepted, now } = this.#parts;
    return gatewayMetrics({
      custody: journal.custodyTotals().map(({ source, counts }) => terms(source, counts)),
      destinations: journal.local.counts(),
      lanes: journal.lanes(),
      room: journal.room(),
      refusals: journal.stats().refusals,
      connected: now().uplink?.state === 'connected',
      latency: latency.summary(),
      listeners,
      clocks: tallies.clocks.all(),
      circuits: tallies.circuits.report(),
      criticals: tallies.criticals.all(),
      once: tallies.once.all(),
      failedRules: tallies.failedRules.all(),
      notAccepted: notAccepted.all(),
    });
  }

  telemetry(): Telemetry {
    const { journal, journalBytesMax, tallies, alarms } = this.#parts;
    const { shares, unmapped, clocks, criticals, once } = tallies;
    const room = journal.room();
    const oldestS = journal.oldestPendingS();
    return {
      atUs: nowUs64(),
      custody: [
        ...journal.custodyTotals().map(({ source, counts, deliveredUnder, deliveredElsewhere }) => ({
          ...wide({ ...counts, source, deliveredElsewhere }),
          deliveredUnder: deliveredUnder.map(({ epoch, records }) => ({ epoch, records: BigInt(records) })),
        })),
        ...journal.local.counts().map(({ destination, counts }) =>
          wide({
            destination,
            accepted: counts.accepted,
            pending: counts.pending,
            delivered: counts.delivered,
            quarantined: counts.dead,
          }),
        ),
      ],
      latency: [],
      startedAtUs: BigInt(this.#startedAtUs),
      status: {
        journalBytes: BigInt(room.liveBytes),
        journalBytesMax: BigInt(journalBytesMax),
        oldestPendingAtUs: BigInt((oldestS ?? 0) * 1_000_000),
        refused: BigInt(journal.stats().refusals),
        alarms: [...alarms.keys()],
        shares: shares.all().map((share) => ({
          source: share.source,
          records: BigInt(share.records),
          stat: BigInt(share.stat),
          results: BigInt(share.results),
          unflaggedResults: BigInt(share.unflaggedResults),
        })),
      },
      clockOffsetUs: 0n,
      clockUncertaintyUs: 0n,
      ...unmapped.report(elapsedMs() * 1000),
      clocks: clocks.report(),
      circuits: tallies.circuits.report(),
      criticals: criticals.report(),
      once: once.report(),
      partial: false,
    };
  }

  /** Histograms, and custody by hour. */
  *details(): Generator<{ name: string; stamp: string; restMs: number; put(report: Telemetry): number }> {
    const { journal, latency } = this.#parts;
    for (const { name, count, encode } of latency.all()) {
      const put = (report: Telemetry) => {
        const made = encode();
        report.latency.push(made);
        return made.histogram.length;
      };
      yield { name: `latency|${name}`, stamp: String(count), restMs: histogramRestMs, put };
    }
    const from = nowUs() / 3.6e9 - hoursReported;
    for (const { source, hour, counts } of journal.custodyHours()) {
      if (hour <= from) continue;
      const put = (report: Telemetry) => {
        report.custody.push(wide({ ...counts, source, hour }));
        return hourBytes;
      };
      yield { name: `hour|${hour}|${source}`, stamp: Object.values(counts).join(), restMs: 0, put };
    }
  }
}

function wide(count: Record<string, number | string>): CustodyCount {
  return {
    source: String(count.source ?? ''),
    accepted: BigInt(count.accepted ?? 0),
    pending: BigInt(count.pending ?? 0),
    delivered: BigInt(count.delivered ?? 0),
    quarantined: BigInt(count.quarantined ?? 0),
    expired: BigInt(count.expired ?? 0),
    duplicates: BigInt(count.duplicates ?? 0),
    hour: BigInt(count.hour ?? 0),
    destination: String(count.destination ?? ''),
    deliveredUnder: [],
    deliveredElsewhere: BigInt(count.deliveredElsewhere ?? 0),
  };
}

/** Counts are 64-bit integers outside, so text. */
function longs<Row extends object>(row: Row): { [Name in keyof Row]: string } {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)])) as never;
}

type Counts = {
  accepted: number;
  pending: number;
  delivered: number;
  quarantined: number;
  expired: number;
  duplicates: number;
};

function terms(
  source: string,
  { accepted, pending, delivered, quarantined, expired, duplicates }: Counts,
): Counts & { source: string } {
  return { source, accepted, pending, delivered, quarantined, expired, duplicates };
}

function missing({ accepted, pending, delivered, quarantined, expired }: Counts): number {
  return accepted - pending - delivered - quarantined - expired;
}
