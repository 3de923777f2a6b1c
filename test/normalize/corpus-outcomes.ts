/**
 * The committed table of what the corpus gives, and its generator:
 *   node --import=tsx test/normalize/corpus-outcomes.ts --write
 * One line a file: file, outcome, code, kinds, number of events, number of observations.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { testContext } from './context.ts';

export const tablePath = join(process.cwd(), 'test/normalize/corpus-outcomes.tsv');
const corpus = process.env.HILUM_CORPUS ?? join(process.cwd(), '../shared/corpus');
export const corpusFolder = join(corpus, 'hl7v2');
const heading = ['file', 'outcome', 'code', 'kinds', 'events', 'observations'].join('\t');

export function corpusPresent(): boolean {
  return existsSync(corpusFolder);
}

export function corpusFiles(): string[] {
  return readdirSync(corpusFolder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(corpusFolder, join(entry.parentPath, entry.name)))
    .sort();
}

export function isDocument(file: string): boolean {
  return /\.md$/i.test(file);
}

export function eventsOf(file: string) {
  return normalizeHl7v2(readFileSync(join(corpusFolder, file)), testContext());
}

export function outcomeOf(file: string): string {
  if (isDocument(file)) return [file, 'not-a-message', '', '', 0, 0].join('\t');
  const { events, reject } = eventsOf(file);
  const kinds = [...new Set(events.map((event) => event.kind))].sort().join(',');
  const observations = events.reduce((sum, event) => sum + event.observations.length, 0);
  const outcome = reject === undefined ? 'events' : events.length > 0 ? 'events+quarantine' : 'quarantine';
  return [file, outcome, reject?.code ?? '', kinds, events.length, observations].join('\t');
}

export function table(): string {
  return `${[heading, ...corpusFiles().map(outcomeOf)].join('\n')}\n`;
}

if (process.argv[1]?.includes('corpus-outcomes') && process.argv.includes('--write')) {
  writeFileSync(tablePath, table());
}
