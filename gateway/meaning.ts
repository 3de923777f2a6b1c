/**
 * A config made ready to run: what a source's zone is, which codes are mapped, what class an
 * event has, where it is routed. Compiled once per config in each thread that needs it; the
 * control plane compiles the same to validate a config by the code that will run it.
 */

import { budgetMs, checkConfig } from '../proto/config/check.ts';
import { durationMs } from '../proto/config/duration.ts';
import type { Config } from '../proto/config/schema.ts';
import type { ClinicalEvent } from '../proto/gen/hilum/v1/event.ts';
import type { JournalRecord } from '../proto/gen/hilum/v1/journal.ts';
import type { Class } from './capture/intake.ts';
import { compileDevices } from './normalize/association.ts';
import { compilePayloads } from './normalize/device/template.ts';
import type { EnrichmentLimits } from './normalize/memory/memory.ts';
import type { NormalizeContext } from './normalize/outcome.ts';
import { compileCodeTables, compileUnitTables } from './normalize/tables.ts';
import { compileClassifier } from './prioritize/classify.ts';
import { compileRoutes, type Routed } from './route/rules.ts';

const attachmentBytesMax = 256 * 1024;

export interface Meaning {
  version: number;
  config: Config;
  contextFor(record: JournalRecord): NormalizeContext;
  classify(event: ClinicalEvent, record: JournalRecord): { class: Class; rule: string };
  routes(event: ClinicalEvent): readonly Routed[];
  budgetMs(lane: Class): number;
  /** Undefined: events are not completed from what ADT said earlier. */
  enrichment: EnrichmentLimits | undefined;
  /** Capture's guess may differ from the class: records are then normalized strictly in order. */
  reclassifies: boolean;
}

/** The config must have been checked; an invalid one throws. An empty text is the built-in meaning. */
export function compileMeaning(yaml: string, version: number): Meaning {
  const checked = checkConfig(yaml.trim() === '' ? '{}' : yaml);
  if (checked.problems !== undefined) throw new Error(`config ${version} was not checked before it was run`);
  const { config } = checked;
  const classifier = compileClassifier(config);
  const routes = compileRoutes(config);
  const authorities = new Map(Object.entries(config.identity.authorities));
  const codes = compileCodeTables(config);
  const units = compileUnitTables(config);
  const payloads = compilePayloads(config);
  const devices = compileDevices(config);
  return {
    version,
    config,
    contextFor: (record) => ({
      source: record.source,
      protocol: record.protocol,
      zone: config.sources[record.source]?.zone ?? config.site.zone,
      zoneOfSource: config.sources[record.source]?.zone !== undefined,
      topic: record.topic,
      capturedAtUs: record.capturedAtUs,
      attachmentBytesMax,
      limits: config.limits,
      codes,
      units,
      authorities,
      payloads: payloads.get(record.source) ?? [],
      devices,
    }),
    classify: (event, record) => classifier(event, { will: record.will }),
    routes: (event) => routes(event),
    budgetMs: (lane) => budgetMs(config, lane),
    enrichment: enrichmentLimits(config),
    reclassifies:
      config.classes.rules.length > 0 ||
      !config.classes.defaults ||
      // What a template reads as alarm or flag, capture's look at the bytes cannot know.
      Object.values(config.payloads).some(
        ({ alarm, observations }) =>
          alarm !== undefined || observations.some(({ interpretation }) => interpretation !== undefined),
      ) ||
      Object.values(config.sources).some((source) => source.class !== undefined || !source.reviewed),
  };
}

function enrichmentLimits({ enrichment }: Config): EnrichmentLimits | undefined {
  if (!enrichment.enabled) return undefined;
  const seconds = (text: string) => (durationMs(text) ?? 0) / 1000;
  const { patient, encounter } = enrichment.maxAge;
  return { patientS: seconds(patient), encounterS: seconds(encounter), census: enrichment.census };
}
