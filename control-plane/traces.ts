/**
 * The way of one message, in whatever state it is: its events, what of its record was refused, where it went at its
 * site and where it waits there.
 */
import { exitCode, HilumError } from '../gateway/process/errors.ts';
import {
  type Hop,
  type Trace,
  Trace as TraceCodec,
  type TraceResponse,
  type WasQuarantined,
} from '../proto/gen/hilum/v1/admin.ts';
import type { QuarantineEntry } from '../proto/gen/hilum/v1/quarantine.ts';
import type { DeliveryEntry } from '../proto/gen/hilum/v1/session.ts';
import { followedMerge, toClinicalEvent } from './eventlog/clinical.ts';
import type { StoredEvent } from './eventlog/eventlog.ts';
import { eventId, recordId } from './eventlog/keys.ts';
import type { State } from './plane.ts';
import type { Gone } from './store/gone.ts';

/** Events, and records in quarantine, of one message control ID. */
const tracesMax = 20;
/** No sender's message control ID is nearly so long. */
const idCharactersMax = 65_536;

export class Traces {
  readonly #state: State;

  constructor(state: State) {
    this.#state = state;
  }

  /** By the id of an event or of a quarantined record, else all that goes by this message control ID. */
  async find(id: string, gone: Gone): Promise<TraceResponse> {
    // Nobody asks for all messages without a control ID, and no row has an empty key.
    if (id === '') {
      throw new HilumError('usage', 'A trace wants an event id or a message control ID (MSH-10).', {
        exit: exitCode.usage,
      });
    }
    if (id.length > idCharactersMax) {
      const text = `An id of ${id.length} characters is not looked for; at most ${idCharactersMax}.`;
      throw new HilumError('usage', text, { exit: exitCode.usage });
    }
    const { eventLog, quarantine } = this.#state;
    const byId = await eventLog.byId(id);
    if (byId !== undefined) return { traces: [await this.#trace(byId)], leftOut: 0 };
    const entry = await quarantine.get(id);
    if (entry !== undefined) return { traces: [this.#stopped(entry, entry.messageControlId)], leftOut: 0 };
    const { events, leftOut } = await eventLog.byControlId(id, tracesMax, gone);
    const traces = await Promise.all(events.map((event) => this.#trace(event)));
    // What an event's own trace tells is not told beside it.
    const told = new Set(
      traces.flatMap(({ wasQuarantined, alsoQuarantined }) =>
        [...wasQuarantined, ...(alsoQuarantined === undefined ? [] : [alsoQuarantined])].map((was) => was.id),
      ),
    );
    const stopped = await quarantine.list(
      (one) =>
        (one.messageControlId === id || one.refusedControlIds.includes(id)) &&
        !told.has(one.id) &&
        // Replayed, it has its events, and which of them are told is said by what is left out.
        (one.state === 'open' || leftOut === 0),
      tracesMax,
    );
    return {
      traces: [...traces, ...stopped.entries.map((one) => this.#stopped(one, id))],
      leftOut: leftOut + stopped.leftOut,
    };
  }

  /** The way of a record that was not understood ends in quarantine. */
  #stopped(entry: QuarantineEntry, messageControlId: string): Trace {
    const row = this.#state.registry.get(entry.gateway);
    const offsetUs = row?.clockOffsetUs ?? 0n;
    return TraceCodec.fromPartial({
      id: entry.id,
      gateway: entry.gateway,
      source: entry.source,
      messageControlId,
      recordHash: entry.recordHash,
      hops: [
        { hop: 'captured', atUs: entry.capturedAtUs === 0n ? 0n : entry.capturedAtUs - offsetUs },
        { hop: 'quarantined', atUs: entry.atUs - offsetUs },
        { hop: entry.state, atUs: entry.replayedAtUs === 0n ? 0n : entry.replayedAtUs - offsetUs },
      ].filter(({ atUs }) => atUs !== 0n),
      uncertaintyUs: row?.clockUncertaintyUs ?? 0n,
      clockOffsetUs: offsetUs,
      code: entry.code,
      reason: entry.reason,
    });
  }

  /** Times are the clock that took them; the gateway's are put on ours by the session's measured offset. */
  async #trace(event: StoredEvent): Promise<Trace> {
    const { envelope, gateway, epoch, lane, sequence } = event;
    const row = this.#state.registry.get(gateway);
    const offsetUs = row?.clockOffsetUs ?? 0n;
    const ackedAtUs = await this.#state.telemetry.ackedAtUs(gateway, epoch, lane, sequence);
    let latest = 0n;
    // The gateway's hops follow each other, whatever a step of its clock made of their times.
    const there = (atUs: bigint) => {
      if (atUs !== 0n && atUs - offsetUs > latest) latest = atUs - offsetUs;
      return atUs && latest;
    };
    const hops = [
      { hop: 'captured', atUs: there(envelope.capturedAtUs) },
      { hop: 'journaled', atUs: there(envelope.journaledAtUs) },
      { hop: 'normalized', atUs: there(envelope.normalizedAtUs) },
      { hop: 'queued', atUs: there(event.queuedAtUs) },
      { hop: 'sent', atUs: there(event.sentAtUs) },
      { hop: 'stored', atUs: event.storedAtUs },
      { hop: 'acked', atUs: there(ackedAtUs) },
    ].filter(({ atUs }) => atUs !== 0n);
    const deliveries = await this.#deliveriesOf(event);
    const waiting = envelope.routes.filter(
      ({ destination }) => !deliveries.some((one) => one.destination === destination),
    );
    const recordHash = Buffer.from(envelope.recordSha256).toString('hex');
    const names = [gateway, ...this.#state.registry.earlierNames(gateway)];
    const was = await this.#state.quarantine.before(names, recordHash, envelope.recordSequence);
    const beside = await this.#besideOf(event, recordHash);
    const { provenance, identityLinks, once, superseded } = await toClinicalEvent(event, this.#state);
    return {
      id: eventId(gateway, epoch, lane, sequence),
      gateway,
      source: envelope.source,
      messageControlId: envelope.messageControlId,
      recordHash,
      class: lane,
      kind: envelope.kind,
      mappingVersion: provenance?.mappingVersion ?? '',
      hops: [
        ...hops.map(plainHop),
        ...deliveries.map((one) => localHop(one, offsetUs)),
        ...waiting.map((one) => ({
          ...plainHop({ hop: 'waiting', atUs: envelope.normalizedAtUs - offsetUs }),
          ...one,
        })),
      ],
      uncertaintyUs: row?.clockUncertaintyUs ?? 0n,
      clockOffsetUs: offsetUs,
      repeats: await this.#state.telemetry.repeatsOf(gateway, envelope.recordEpoch, envelope.recordSequence),
      conflict: provenance?.conflict ?? '',
      duplicateOf: provenance?.duplicateOf ?? '',
      code: '',
      reason: '',
      followed: identityLinks.map((link) => followedMerge(link, offsetUs)),
      once,
      wasQuarantined: was.map((one) => keptFrom(one, offsetUs)),
      alsoQuarantined: beside && keptFrom(beside, offsetUs),
      superseded,
      inPlaceOf: provenance?.replay?.supersedes ?? [],
    };
  }

  /** Settled under whatever name the gateway had then, the first one first. */
  async #deliveriesOf({ gateway, envelope }: StoredEvent): Promise<DeliveryEntry[]> {
    const { registry, telemetry } = this.#state;
    const { recordEpoch, recordSequence } = envelope;
    const found = await Promise.all(
      registry.namesOf(gateway).map((name) => telemetry.deliveriesOf(name, recordEpoch, recordSequence)),
    );
    return found.flat();
  }

  /** What of the event's record was refused. */
  async #besideOf(
    { gateway, envelope }: StoredEvent,
    recordHash: string,
  ): Promise<QuarantineEntry | undefined> {
    const { registry, quarantine } = this.#state;
    for (const name of registry.namesOf(gateway)) {
      const entry = await quarantine.get(recordId(name, envelope.recordEpoch, envelope.recordSequence));
      if (entry?.recordHash === recordHash) return entry;
    }
    return undefined;
  }
}

function keptFrom(
  { id, code, reason, atUs, replayedAtUs }: QuarantineEntry,
  offsetUs: bigint,
): WasQuarantined {
  const until = replayedAtUs === 0n ? 0n : replayedAtUs - offsetUs;
  return { id, code, reason, atUs: atUs - offsetUs, replayedAtUs: until };
}

function plainHop({ hop, atUs }: { hop: string; atUs: bigint }): Hop {
  return { hop, atUs, destination: '', route: '', answer: '', attempts: 0 };
}

/** What became of the record at a destination of its site: a way of its own, beside the one to here. */
function localHop(
  { outcome, atUs, destination, route, answer, attempts }: DeliveryEntry,
  offsetUs: bigint,
): Hop {
  return { hop: outcome, atUs: atUs - offsetUs, destination, route, answer, attempts };
}
