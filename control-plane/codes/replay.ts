/**
 * Events that carry a code without a meaning, mapped again once their gateway runs a config that maps it.
 *
 * A gateway keeps no bytes of what was delivered; the log does, with the first event of each record. So the
 * record is mapped here, by the gateway's own code under the config that the gateway says it runs, in a thread
 * with limits. What comes of it is appended as new events under an epoch of this run's own; each names
 * the event that it stands in place of (`provenance.replay.supersedes`). Nothing that is stored changes.
 *
 *   log ──► carries the code, unmapped, not replaced ──► its record's bytes ──► understand ──► new event ──► log
 *
 * A run that is broken off has replaced some; the next one goes on with the others, because what is replaced is
 * read from the log. Records are counted when they come, so custody does not change. Local destinations got
 * the original bytes and get nothing again.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { nowUs64 } from '../../gateway/process/clock.ts';
import { HilumError } from '../../gateway/process/errors.ts';
import type {
  ConfigVersion,
  ReplayCodesRequest,
  ReplayCodesResponse,
} from '../../proto/gen/hilum/v1/admin.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { Envelope, type UnmappedCode } from '../../proto/gen/hilum/v1/session.ts';
import { needReason } from '../audit/reason.ts';
import { asStored } from '../eventlog/clinical.ts';
import type { EventLog, StoredEvent } from '../eventlog/eventlog.ts';
import { eventId } from '../eventlog/keys.ts';
import { rawOf } from '../eventlog/raw.ts';
import type { State } from '../plane.ts';
import { carries, mentions } from './carries.ts';
import { Catalogue } from './catalogue.ts';
import type { Remapped } from './remap-job.ts';
import { Remapper } from './remapper.ts';

const pageEvents = 500;

type Parts = Pick<State, 'eventLog' | 'registry' | 'configs' | 'codes' | 'audit' | 'room'>;
type Meant = Pick<ConfigVersion, 'version' | 'yaml'>;

/** One touched record: its events that carry the code, from first to last. */
type Touched = [StoredEvent, ...StoredEvent[]];

export class CodeReplay {
  readonly #parts: Parts;
  /** One after the other: two at once would replace the same event twice. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  run(request: ReplayCodesRequest, actor: string): Promise<ReplayCodesResponse> {
    const turn = this.#turn.then(() => this.#run(request, actor));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #run(request: ReplayCodesRequest, actor: string): Promise<ReplayCodesResponse> {
    const { site, source, field, code, reason } = request;
    needReason('A replay', reason);
    const entry = this.#parts.codes.entry(request);
    if (entry === undefined) {
      throw new HilumError('not-found', `No gateway of ${site} has reported the code "${code}".`, {
        hint: 'hilumctl codes list shows what came.',
      });
    }
    const { audit, eventLog } = this.#parts;
    const run = new Run(this.#parts, site, entry);
    // What comes while this runs comes mapped.
    const through = eventLog.last();
    try {
      await run.find(through);
      await run.replay(through);
    } finally {
      await run.stop();
      await audit.add({
        action: 'codes-replayed',
        actor,
        site,
        subject: `${field} code of ${source}`,
        reason,
        detail: `${run.response.found} found, ${run.response.replayed} replayed under epoch ${run.epoch.toString(16)}`,
      });
    }
    return run.response;
  }
}

class Run {
  readonly response: ReplayCodesResponse = { found: 0, replayed: 0, notReplayed: [], replacedBefore: 0 };
  /** Positions of what this run appends. */
  readonly epoch = randomBytes(8).readBigUInt64BE(0);
  readonly #parts: Parts;
  readonly #site: string;
  readonly #entry: UnmappedCode;
  readonly #remapper = new Remapper();
  readonly #replaced = new Set<string>();
  readonly #made = new Map<string, { gateway: string; lane: string; envelopes: Uint8Array[] }>();
  readonly #meant = new Map<string, { config: Meant; why: string }>();

  constructor(parts: Parts, site: string, entry: UnmappedCode) {
    this.#parts = parts;
    this.#site = site;
    this.#entry = entry;
  }

  stop(): Promise<void> {
    return this.#remapper.stop();
  }

  /** What earlier replays stand in place of. */
  async find(through: bigint): Promise<void> {
    for await (const page of pages(this.#parts.eventLog, through)) {
      for (const stored of page) {
        if (!this.#mayCarry(stored) || this.#isOwn(stored)) continue;
        for (const id of asStored(stored).provenance?.replay?.supersedes ?? []) this.#replaced.add(id);
      }
    }
  }

  async replay(through: bigint): Promise<void> {
    for await (const page of pages(this.#parts.eventLog, through)) {
      const touched = new Map<string, Touched>();
      for (const stored of page) {
        if (!this.#mayCarry(stored) || !carries(asStored(stored), this.#entry)) continue;
        if (this.#replaced.has(idOf(stored))) {
          this.response.replacedBefore += 1;
          continue;
        }
        this.response.found += 1;
        const key = recordOf(stored);
        const group = touched.get(key);
        if (group === undefined) touched.set(key, [stored]);
        else group.push(stored);
      }
      for (const group of touched.values()) await this.#again(group);
      await this.#append();
    }
  }

  async #again(touched: Touched): Promise<void> {
    const [first] = touched;
    const { config, why } = await this.#meantBy(first.gateway);
    if (why !== '') return this.#left(why, touched.length);
    const raw = await rawOf(this.#parts.eventLog, first);
    if (raw.length === 0) return this.#left('no-bytes', touched.length);
    const hash = createHash('sha256').update(raw).digest();
    if (!hash.equals(first.envelope.recordSha256)) return this.#left('other-bytes', touched.length);
    const old = touched.map(asStored);
    const made = await this.#remapper.run({
      yaml: config.yaml,
      version: Number(config.version),
      record: JournalRecord.encode(recordAgain(first, old[0] as ClinicalEvent, raw)).finish(),
      epoch: first.envelope.recordEpoch,
    });
    if (made === undefined || made.reject === 'mapping-failed')
      return this.#left('mapping-failed', touched.length);
    if (made.events.length === 0) return this.#left('not-understood', touched.length);
    // An event is replaced by its own successor; where the record gives another number, nobody can say by which.
    if (made.events.length !== first.envelope.count) return this.#left('other-events', touched.length);
    for (const [at, stored] of touched.entries())
      this.#replace(stored, old[at] as ClinicalEvent, made, config);
  }

  #replace(stored: StoredEvent, old: ClinicalEvent, made: Remapped, config: Meant): void {
    const event = ClinicalEvent.decode(made.events[stored.envelope.index - 1] as Uint8Array);
    const { provenance } = event;
    if (provenance === undefined || carries(event, this.#entry)) {
      this.#left('still-unmapped', 1);
      return;
    }
    keepRemembered(event, old);
    const atUs = nowUs64();
    provenance.duplicateOf = old.provenance?.duplicateOf ?? '';
    provenance.conflict = old.provenance?.conflict ?? '';
    provenance.rules.push(`replay/codes@${config.version}`);
    provenance.replay = {
      supersedes: [old.id],
      mappingVersion: old.provenance?.mappingVersion ?? '',
      cause: 'codes',
      atUs,
    };
    const envelope = Envelope.encode({
      ...stored.envelope,
      normalizedAtUs: atUs,
      kind: event.kind,
      event: ClinicalEvent.encode(event).finish(),
      raw: new Uint8Array(0),
    }).finish();
    const key = `${stored.gateway} ${made.lane}`;
    const waiting = this.#made.get(key);
    if (waiting === undefined)
      this.#made.set(key, { gateway: stored.gateway, lane: made.lane, envelopes: [envelope] });
    else waiting.envelopes.push(envelope);
  }

  /** What a page gave, in one flush for each lane. */
  async #append(): Promise<void> {
    const { eventLog, room } = this.#parts;
    const made = [...this.#made.values()];
    this.#made.clear();
    for (const { gateway, lane, envelopes } of made) {
      const atUs = nowUs64();
      const firstSequence = (await eventLog.cursor(gateway, this.epoch, lane)) + 1n;
      const queuedAtUs = envelopes.map(() => atUs);
      room.need(envelopes.reduce((sum, { length }) => sum + length, 0));
      const batch = { epoch: this.epoch, lane, firstSequence, envelopes, queuedAtUs, sentAtUs: atUs };
      const { outcome } = await eventLog.append(gateway, this.#site, batch, true);
      if (outcome !== 'applied') throw new Error(`replayed events were not appended: ${outcome}`);
      this.response.replayed += envelopes.length;
    }
  }

  /** The config that the gateway runs, and why it will not do. */
  async #meantBy(gateway: string): Promise<{ config: Meant; why: string }> {
    let meant = this.#meant.get(gateway);
    if (meant === undefined) {
      const { registry, configs } = this.#parts;
      const config = configs.given(registry.get(gateway)?.config?.running) ?? { version: 0n, yaml: '' };
      const maps = async (yaml: string) =>
        (await Catalogue.of(new Map([[this.#site, yaml]]))).mapped(this.#site, this.#entry) !== undefined;
      const desired = configs.desired(this.#site);
      const behind =
        desired !== undefined && desired.version !== config.version && (await maps(desired.yaml));
      const why = (await maps(config.yaml)) ? '' : behind ? 'config-not-running' : 'still-unmapped';
      meant = { config, why };
      this.#meant.set(gateway, meant);
    }
    return meant;
  }

  #left(reason: string, events: number): void {
    const { notReplayed } = this.response;
    const found = notReplayed.find((one) => one.reason === reason);
    if (found === undefined) notReplayed.push({ reason, events });
    else found.events += events;
  }

  /** Without decoding the event. */
  #mayCarry({ site, envelope }: StoredEvent): boolean {
    return (
      site === this.#site && envelope.source === this.#entry.source && mentions(envelope.event, this.#entry)
    );
  }

  /** From a gateway's journal, so it replaces nothing. */
  #isOwn({ gateway, epoch }: StoredEvent): boolean {
    return this.#parts.registry.get(gateway)?.epochs.includes(epoch) === true;
  }
}

async function* pages(eventLog: EventLog, through: bigint): AsyncGenerator<StoredEvent[]> {
  for (let after = 0n; after < through; ) {
    const page = (await eventLog.read(after, pageEvents)).filter(({ index }) => index <= through);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.index;
    yield page;
    // Sessions have their turn between two pages.
    await setImmediate();
  }
}

/** As the gateway had it, as far as it matters for its meaning. */
function recordAgain(
  { envelope }: StoredEvent,
  { provenance, times }: ClinicalEvent,
  raw: Uint8Array,
): JournalRecord {
  return JournalRecord.fromPartial({
    source: envelope.source,
    protocol: provenance?.protocol ?? '',
    topic: provenance?.topic ?? '',
    messageControlId: provenance?.messageControlId ?? '',
    raw,
    sha256: envelope.recordSha256,
    capturedAtUs: times?.capturedAtUs ?? envelope.capturedAtUs,
    resend: provenance?.resend ?? false,
    will: provenance?.rules.includes('class:will') ?? false,
  });
}

/** What its gateway knew from other records is none of the mapping's, and stays. */
function keepRemembered(event: ClinicalEvent, old: ClinicalEvent): void {
  event.supersessions = old.supersessions;
  event.superseded = old.superseded;
  event.enriched = old.enriched;
  event.identityLinks = old.identityLinks;
  event.identityConflicts = old.identityConflicts;
  event.context = old.context;
  event.once = old.once;
  const candidates = old.deviceAssociation?.basis === 'derived-location';
  if (candidates && event.deviceAssociation?.basis === 'unassigned')
    event.deviceAssociation = old.deviceAssociation;
  const rules = (old.provenance?.rules ?? []).filter((rule) => rule.startsWith('memory/'));
  event.provenance?.rules.push(...rules);
  for (const [at, observation] of event.observations.entries()) {
    observation.superseded = old.observations[at]?.superseded ?? false;
    observation.previous = old.observations[at]?.previous ?? [];
  }
}

function recordOf({ gateway, envelope }: StoredEvent): string {
  const { recordEpoch, recordSequence, recordSha256 } = envelope;
  return [gateway, recordEpoch, recordSequence, Buffer.from(recordSha256).toString('base64')].join(' ');
}

function idOf({ gateway, epoch, lane, sequence }: StoredEvent): string {
  return eventId(gateway, epoch, lane, sequence);
}
