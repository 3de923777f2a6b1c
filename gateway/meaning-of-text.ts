/** A config's meaning from its text. Apart from meaning.ts: the normalizer's thread is given the checked config, and loads no YAML. */
import { checkConfig } from '../proto/config/check.ts';
import { type Meaning, meaningOf } from './meaning.ts';

/** The config must have been checked; an invalid one throws. An empty text is the built-in meaning. */
export function compileMeaning(yaml: string, version: number): Meaning {
  const checked = checkConfig(yaml.trim() === '' ? '{}' : yaml);
  if (checked.problems !== undefined) throw new Error(`config ${version} was not checked before it was run`);
  return meaningOf(checked.config, version);
}
