/**
 * A config made ready to run: what a source's zone is, which codes are mapped, what class an
 * event has, where it is routed. Compiled once per config in each thread that needs it; the
 * control plane compiles the same to validate a config by the code that will run it.
 */
import { budgetMs, durationMs } from '../proto/config/duration.ts';
import { classes } from '../proto/config/event-words.ts';
import type { Config } from '../proto/config/schema.ts';
import type { ClinicalEvent } from '../proto/gen/hilum/v1/event.ts';
import type { JournalRecord } from '../proto/gen/hilum/v1/journal.ts';
import type { Class } from './capture/intake.ts';
import { guessClass } from './capture/mqtt/urgency.ts';
import { compileDevices } from './normalize/association.ts';
import { compileCritical } from './normalize/critical.ts';
import { compilePayloads } from './normalize/device/template.ts';
import { vitalOf } from './normalize/device/vitals.ts';
import { compileMappings } from './normalize/hl7v2/remap.ts';
import { split } from './normalize/hl7v2/split.ts';
import type { EnrichmentLimits } from './normalize/memory/memory.ts';
import { compileOnce, type OnceRules } from './normalize/memory/once-rules.ts';
import { mappingVersion, normalize } from './normalize/normalize.ts';
import type { NormalizeContext, Normalized } from './normalize/outcome.ts';
import { compileCodeTables, compileUnitTables } from './normalize/tables.ts';
import { compileClassifier, rank } from './prioritize/classify.ts';
import { RecordClass } from './prioritize/record-class.ts';
import { compileRoutes, type Routed } from './route/rules.ts';

const none: string[] = [];
const attachmentBytesMax = 256 * 1024;

export interface Meaning {
  version: number;
  /** The name of the mapping: the built-in one's version and this config's. */
  mapping: string;
  config: Config;
  contextFor(record: JournalRecord): NormalizeContext;
  classify(event: ClinicalEvent, record: JournalRecord): { class: Class; rule: string };
  routes(event: ClinicalEvent): readonly Routed[];
  budgetMs(lane: Class): number;
  /** Undefined: events are not completed from what ADT said earlier. */
  enrichment: EnrichmentLimits | undefined;
  /** Undefined: what the record says is not compared with what others say. @param events all of the record */
  onceFor(record: JournalRecord, events: readonly ClinicalEvent[]): OnceRules | undefined;
}

/** The config must have been checked; one that was not throws. */
export function meaningOf(config: Config, version: number): Meaning {
  const classifier = compileClassifier(config);
  const routes = compileRoutes(config);
  // Asked with strings out of records: as keys of an object those would have to be made constants first.
  const sources = new Map(Object.entries(config.sources));
  const authorities = new Map(Object.entries(config.identity.authorities));
  const codes = compileCodeTables(config);
  const units = compileUnitTables(config);
  const payloads = compilePayloads(config);
  const devices = compileDevices(config);
  const critical = compileCritical(config);
  const mappings = compileMappings(config);
  const once = compileOnce(config);
  const isRouted = Object.keys(config.routes).length > 0;
  const budgets = Object.fromEntries(classes.map((lane) => [lane, budgetMs(config, lane)])) as Readonly<
    Record<Class, number>
  >;
  return {
    version,
    mapping: mappingName(version),
    config,
    contextFor(record) {
      const { source, protocol, topic, capturedAtUs, deliveredParts } = record;
      const own = sources.get(source);
      const wholes = deliveredParts.filter(({ template }) => template === '');
      return {
        source,
        protocol,
        zone: own?.zone ?? config.site.zone,
        zoneOfSource: own?.zone !== undefined,
        charset: own?.charset,
        topic,
        capturedAtUs,
        delivered: wholes.map(({ number }) => number),
        deliveredItems: deliveredParts.filter(({ template }) => template !== ''),
        attachmentBytesMax,
        limits: config.limits,
        codes,
        units,
        authorities,
        payloads: payloads.get(source) ?? [],
        devices,
        critical,
        mappings: mappings(source),
      };
    },
    classify: (event, record) => classifier(event, { will: record.will }),
    routes: (event) => routes(event),
    budgetMs: (lane) => budgets[lane],
    enrichment: enrichmentLimits(config),
    onceFor(record, events) {
      const rules = once?.(record.source);
      if (rules === undefined) return undefined;
      const classOf = (event: ClinicalEvent) => classifier(event, { will: record.will }).class;
      const recordClass = new RecordClass(events, classOf);
      return {
        ...rules,
        classOf,
        // A route may look at the class, and what is held back from a destination must have gone there.
        destinationsOf(event) {
          if (!isRouted) return none;
          const { class: before, budgetMs: budgetBefore } = event;
          event.class = recordClass.with(event);
          event.budgetMs = budgets[event.class as Class];
          const routed = routes(event);
          event.class = before;
          event.budgetMs = budgetBefore;
          return routed.map(({ destination }) => destination);
        },
      };
    },
  };
}

/** Capture's guess may differ from the class: records are then normalized strictly in order. */
export function reclassifies(config: Config): boolean {
  return (
    config.classes.rules.length > 0 ||
    !config.classes.defaults ||
    // An end that was overtaken by the next start of its alarm would make that start a repeat.
    Object.keys(config.once.alarms).length > 0 ||
    Object.keys(config.critical).length > 0 ||
    Object.keys(config.mappings).length > 0 ||
    // What a template reads as alarm or flag, capture's look at the bytes cannot know.
    Object.values(config.payloads).some(
      ({ alarm, observations }) =>
        alarm !== undefined || observations.some(({ interpretation }) => interpretation !== undefined),
    ) ||
    Object.values(config.sources).some((source) => source.class !== undefined || !source.reviewed)
  );
}

/** Is it a name of the built-in vitals? */
export function isVital(name: string): boolean {
  return vitalOf(name) !== undefined;
}

/**
 * Whether what could not be understood looks urgent, which its guess does not always say: of device JSON that is the
 * class of the events, and an alarm that nobody understood has none. No order hangs from this, so doubt goes up.
 */
export function looksUrgent({ classGuess, protocol, topic, raw }: JournalRecord): boolean {
  const seen = protocol === 'mqtt' ? guessClass(topic, raw, { isHint: true, isVital }) : '';
  return [classGuess, seen].some((word) => word === 'stat' || word === 'urgent');
}

export interface Understood extends Normalized {
  /** The highest class of its events, which all of them get; bulk where there is none. */
  lane: Class;
}

/**
 * One record to its events, as a gateway with this config makes them: all but what the place in the
 * outbox says, and what only the memory over records knows. @param epoch of the journal, for what repeats an
 * earlier record
 */
export function understand(record: JournalRecord, meaning: Meaning, epoch = 0n): Understood {
  return judge(read(record, meaning, epoch), record, meaning);
}

/** The messages of a file, each to be a record of its own; undefined where something else stands before the first. */
export function messagesOf(file: Uint8Array): readonly Uint8Array[] | undefined {
  const { messages, preamble } = split(file);
  return preamble ? undefined : messages;
}

/** What the record says by itself. */
export function read(record: JournalRecord, meaning: Meaning, epoch: bigint): Normalized {
  const made = normalize(record, meaning.contextFor(record));
  const { events } = made;
  for (let position = 0; position < events.length; position += 1) {
    const event = events[position] as ClinicalEvent;
    complete(event, record, meaning.mapping, epoch);
    const { provenance } = event;
    if (provenance === undefined) continue;
    provenance.index = position + 1;
    provenance.count = events.length;
  }
  return made;
}

/** Its class, by all that is known of its events; said on `made` and its events. */
export function judge(made: Normalized, record: JournalRecord, meaning: Meaning): Understood {
  const { events } = made;
  let lane: Class = 'bulk';
  for (const event of events) {
    const { class: own, rule } = meaning.classify(event, record);
    if (rank(own) > rank(lane)) lane = own;
    event.provenance?.rules.push(rule);
  }
  const ms = meaning.budgetMs(lane);
  for (const event of events) {
    // All events of a record share its highest class: in one lane its events stay together and in their order.
    event.class = lane;
    event.budgetMs = ms;
  }
  return Object.assign(made, { lane });
}

/** The name of a mapping: the built-in one's version and the config that it ran under. */
export function mappingName(configVersion: number): string {
  return configVersion === 0 ? mappingVersion : `${mappingVersion}+config@${configVersion}`;
}

/** What only the record says of an event; id, gateway, site and position follow from the envelope when it is read. */
function complete(event: ClinicalEvent, record: JournalRecord, mapping: string, epoch: bigint): void {
  const provenance = event.provenance;
  if (provenance === undefined) return;
  provenance.source = record.source;
  provenance.protocol = record.protocol;
  provenance.mappingVersion = mapping;
  provenance.topic = record.topic;
  provenance.resend = record.resend;
  if (provenance.messageControlId === '') provenance.messageControlId = record.messageControlId;
  if (record.resend) provenance.duplicateOf = `${epoch.toString(16)}.${record.resendOf}`;
  if (record.conflict) provenance.conflict = `${epoch.toString(16)}.${record.conflictWith}`;
  event.times ??= {
    observed: undefined,
    issued: undefined,
    message: undefined,
    observedEnd: undefined,
    capturedAtUs: 0n,
  };
  event.times.capturedAtUs = record.capturedAtUs;
}

function enrichmentLimits({ enrichment }: Config): EnrichmentLimits | undefined {
  if (!enrichment.enabled) return undefined;
  const seconds = (text: string) => (durationMs(text) ?? 0) / 1000;
  const { patient, encounter, previous } = enrichment.maxAge;
  return {
    patientS: seconds(patient),
    encounterS: seconds(encounter),
    previousS: enrichment.previous ? seconds(previous) : 0,
    census: enrichment.census,
  };
}
