/** A config that takes seconds to check: who waits for an answer of the daemon gets it meanwhile. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkApart } from '../../gateway/process/config-check.ts';
import { RunningConfig } from '../../gateway/running-config.ts';
import { checkConfig } from '../../proto/config/check.ts';
import { ConfigOffer } from '../../proto/gen/hilum/v1/session.ts';
import { projectRoot } from '../kit/paths.ts';
import { folderOf } from '../kit/site.ts';

/** @param last the code that the last entry stands for */
function large(codes: number, last: string): string {
  const entries = Array.from(
    { length: codes },
    (_, n) => `      C${n}: { code: "${n}-1", display: "Test ${n}" }`,
  );
  const head =
    'sources: { lab: { listener: lab } }\ncodes:\n  lab:\n    from: 99LAB\n    to: http://loinc.org\n    map:';
  return [head, ...entries, `      LAST: ${last}`, ''].join('\n');
}

function offer(version: number, yaml: string): ConfigOffer {
  const hash = createHash('sha256').update(yaml).digest();
  return ConfigOffer.fromPartial({ version: BigInt(version), yaml, hash });
}

t.test('config - a large one is checked while the daemon answers', async (t) => {
  const logged: string[] = [];
  const running = new RunningConfig({
    directory: folderOf(t),
    listeners: { lab: 'mllp' },
    mappingVersion: 'test',
    log: (_level, code) => {
      logged.push(code);
    },
  });
  let turns = 0;
  const counting = setInterval(() => {
    turns += 1;
  }, 1);
  t.teardown(() => clearInterval(counting));
  const [first, second, third] = [
    running.take(offer(1, large(4_000, '"9-1"')), 'centre'),
    running.take(offer(2, large(4_000, '[wrong]')), 'centre'),
    running.take(offer(3, 'enrichment: { previous: false }\n'), 'centre'),
  ];
  t.equal(running.store.running().version, 0, 'what ran runs on');
  await first;
  t.ok(turns > 10, `others had ${turns} turns`);
  t.match(running.store.report().running, { version: 1n, outcome: 'applied' });
  await second;
  t.match(running.store.report(), {
    running: { version: 1n },
    attempted: { version: 2n, outcome: 'refused', problems: [{ path: 'codes.lab.map.LAST', line: 4007 }] },
  });
  await third;
  t.match(running.store.report().running, { version: 3n }, 'in the order in which they were offered');
  t.same(logged, ['config-applied', 'config-refused', 'config-applied']);
});

t.test('config - a thread finds in a whole example what is found here', async (t) => {
  const text = readFileSync(join(projectRoot, 'deploy/config/site.yaml'), 'utf8');
  t.ok(text.length > 4_096, 'a thread has it');
  t.same(await checkApart(text), checkConfig(text, { fileName: 'another name' }));
  t.ok((await checkApart(text)).config);
});
