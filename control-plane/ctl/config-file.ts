/** The checked config of a text, for the verbs that work with what it means. */
import { checkConfig } from '../../proto/config/check.ts';
import type { Config } from '../../proto/config/schema.ts';
import { bad } from './bad-config.ts';

/** A bad one is an error with exit 78. An empty text is the built-in meaning. */
export function parseConfig(text: string, fileName: string): Config {
  const checked = checkConfig(text.trim() === '' ? '{}' : text, { fileName });
  if (checked.problems !== undefined) throw bad(checked.problems, fileName, 'table');
  return checked.config;
}
