/** Every file of the corpus gives what the committed table says (see corpus-outcomes.ts). */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { corpusFiles, corpusPresent, outcomeOf, tablePath } from './corpus-outcomes.ts';

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
