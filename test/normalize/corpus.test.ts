/** Every file of the corpus gives what the committed table says (see corpus-outcomes.ts). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { closedWords } from '../../proto/config/event-words.ts';
import { testContext } from './context.ts';
import {
  corpusFiles,
  corpusFolder,
  corpusPresent,
  eventsOf,
  isDocument,
  outcomeOf,
  tablePath,
} from './corpus-outcomes.ts';
import { freezeKept } from './kept.ts';

const skip = corpusPresent() ? false : 'corpus not present (HILUM_CORPUS)';

/** Where quarantine is right: malformed, fuzz, and what asks or answers instead of telling. */
const mayFail = /fuzz-|malformed|WithBadDelimiters|uuencoded_escaped/;
const mayFailCodes = new Set(['query', 'not-understood']);

t.test('corpus - every file gives what the committed table says', { skip }, (t) => {
  const lines = readFileSync(tablePath, 'utf8').trimEnd().split('\n').slice(1);
  const wanted = new Map(lines.map((line) => [line.slice(0, line.indexOf('\t')), line]));
  const files = corpusFiles();
  t.same(
    files.filter((file) => !wanted.has(file)),
    [],
    'every file is in the table',
  );
  t.equal(wanted.size, files.length, 'and nothing else is');
  for (const file of files) t.equal(outcomeOf(file), wanted.get(file), file);
  t.end();
});

t.test('corpus - only malformed, fuzz and query files are quarantined', { skip }, (t) => {
  const lines = readFileSync(tablePath, 'utf8').trimEnd().split('\n').slice(1);
  for (const line of lines) {
    const [file = '', outcome = '', code = ''] = line.split('\t');
    if (outcome === 'events' || outcome === 'not-a-message') continue;
    t.ok(mayFail.test(file) || mayFailCodes.has(code), `${file}: ${code}`);
  }
  t.end();
});

t.test('corpus - nobody changes a list of codings that many events share', { skip }, (t) => {
  const context = testContext();
  let kept = 0;
  for (const file of corpusFiles().filter((file) => !isDocument(file))) {
    const raw = readFileSync(join(corpusFolder, file));
    const told = (): string =>
      JSON.stringify(normalizeHl7v2(raw, context), (_, one: unknown) =>
        typeof one === 'bigint' ? String(one) : one,
      );
    kept += freezeKept(normalizeHl7v2(raw, context).events);
    const once = told();
    t.equal(told(), once, file);
    t.notMatch(once, /mapping-failed/, file);
  }
  t.ok(kept > 1000, `${kept} were met`);
  t.end();
});

t.test('corpus - a predicate may name every word that a field of a few words has', { skip }, (t) => {
  const met = new Map(Object.keys(closedWords).map((field) => [field, new Set<string>()]));
  for (const file of corpusFiles().filter((file) => !isDocument(file))) {
    for (const event of eventsOf(file).events) {
      met.get('ClinicalEvent.kind')?.add(event.kind);
      met.get('ClinicalEvent.status')?.add(event.status);
      for (const { status } of event.observations) met.get('Observation.status')?.add(status);
      if (event.encounter !== undefined) met.get('Encounter.status')?.add(event.encounter.status);
    }
  }
  for (const [field, words] of met)
    t.same(
      [...words].filter((word) => !closedWords[field]?.includes(word)),
      [],
      field,
    );
  t.ok((met.get('ClinicalEvent.status')?.size ?? 0) > 8, 'and many are met');
  t.end();
});
