/** What a config may say, and a person should be told before it is pushed. */
import { placeWarnings } from './check-mappings.ts';
import { onceWarnings } from './check-once.ts';
import { deviceWarnings } from './device-warnings.ts';
import { loincWarnings } from './loinc.ts';
import { loweringWarnings } from './lowering.ts';
import { neverWarnings } from './never-warnings.ts';
import type { Config } from './schema.ts';
import { sourceWarnings } from './source-warnings.ts';
import { unitWarnings } from './unit-warnings.ts';
import { valueWarnings } from './value-warnings.ts';

/** Sentences; empty where there is nothing to tell. The config has been checked. */
export function warningsOf(config: Config): string[] {
  return [
    ...sourceWarnings(config),
    ...loweringWarnings(config),
    ...onceWarnings(config),
    ...placeWarnings(config),
    ...deviceWarnings(config),
    ...loincWarnings(config),
    ...unitWarnings(config),
    ...valueWarnings(config),
    ...neverWarnings(config),
  ];
}
