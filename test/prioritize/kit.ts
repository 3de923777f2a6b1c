import { type Classify, compileClassifier } from '../../gateway/prioritize/classify.ts';
import { compileRoutes, type Match } from '../../gateway/route/rules.ts';
import { checkConfig } from '../../proto/config/check.ts';
import type { Config } from '../../proto/config/schema.ts';

export type { Hints } from '../../gateway/prioritize/classify.ts';

export function configOf(text: string): Config {
  const result = checkConfig(text);
  if (result.problems !== undefined) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

export function classify(text: string): Classify {
  return compileClassifier(configOf(text));
}

export function routes(text: string): Match {
  return compileRoutes(configOf(text));
}
