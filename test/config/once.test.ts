/** `once` in a config: each wrong one is refused with its path and reason; what is right is off, short, or explicit. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkConfig } from '../../proto/config/check.ts';
import { warningsOf } from '../../proto/config/warnings.ts';
import { projectRoot } from '../kit/paths.ts';
import { folderOf, runProgram } from '../kit/site.ts';

const sources = `sources:
  lab: { listener: a }
  copy: { listener: b }
  third: { listener: c }
`;

const once = (text: string) => `${sources}once: ${text}\n`;
const results = (text: string) => once(`{ results: { twice: { ${text} } } }`);
const alarms = (text: string) => once(`{ alarms: { ${text} } }`);

/** [what, text, path, message, hint] */
const wrong: [string, string, string, string, string][] = [
  [
    'an unknown feed',
    results('feeds: [lab, copi], authoritative: lab'),
    'once.results.twice.feeds[1]',
    'there is no source "copi"',
    'did you mean "copy"?',
  ],
  [
    'one feed alone',
    results('feeds: [lab], authoritative: lab'),
    'once.results.twice.feeds',
    'must be at least 2 entries',
    '',
  ],
  [
    'a feed twice',
    results('feeds: [lab, copy, lab], authoritative: lab'),
    'once.results.twice.feeds[2]',
    '"lab" stands here twice',
    'remove it',
  ],
  [
    'a feed of two groups',
    once(
      '{ results: { a: { feeds: [lab, copy], authoritative: lab }, b: { feeds: [copy, third], authoritative: third } } }',
    ),
    'once.results.b.feeds[0]',
    '"copy" is a feed of "a" too',
    'put all feeds of the same results into one group',
  ],
  [
    'nobody authoritative',
    results('feeds: [lab, copy]'),
    'once.results.twice.authoritative',
    'missing',
    'add "authoritative: …"',
  ],
  [
    'an authority that is no feed',
    results('feeds: [lab, copy], authoritative: third'),
    'once.results.twice.authoritative',
    'there is no feed "third"',
    'there are: lab, copy',
  ],
  [
    'an authority after one for all',
    results(
      'feeds: [lab, copy], authoritative: [{ feed: lab }, { feed: copy, when: "event.status == \\"final\\"" }]',
    ),
    'once.results.twice.authoritative[1].feed',
    '"lab" is authoritative for all before it',
    'give that one a `when`, or put it last',
  ],
  [
    'a predicate over what is not there',
    results('feeds: [lab, copy], authoritative: [{ feed: lab, when: event.once.role == "repeat" }]'),
    'once.results.twice.authoritative[0].when',
    'there is no field "once" on event',
    '',
  ],
  ['no window', alarms('quiet: {}'), 'once.alarms.quiet.window', 'missing', 'for example: 30s'],
  [
    'a window over an hour',
    alarms('quiet: { window: 61m }'),
    'once.alarms.quiet.window',
    'a window is at most 1h',
    'an alarm that still stands must be heard again',
  ],
  [
    'no window at all',
    alarms('quiet: { window: 0s }'),
    'once.alarms.quiet.window',
    '"0s" is not a duration',
    '',
  ],
  [
    'an unknown source of alarms',
    alarms('quiet: { sources: [ward], window: 30s }'),
    'once.alarms.quiet.sources[0]',
    'there is no source "ward"',
    '',
  ],
  [
    'an unknown priority',
    alarms('quiet: { priorities: [hi], window: 30s }'),
    'once.alarms.quiet.priorities[0]',
    '"hi" is not allowed',
    '',
  ],
  [
    'two windows for the same alarms',
    alarms('a: { window: 30s }, b: { sources: [lab], priorities: [low], window: 1m }'),
    'once.alarms.b',
    '"a" has a window for the same alarms',
    'tell them apart by sources, codes or priorities',
  ],
  ['an unknown key', once('{ result: {} }'), 'once.result', 'unknown key', 'did you mean "results"?'],
];

for (const [what, text, path, message, hint] of wrong) {
  t.test(`once config - ${what} is refused with its path`, async (t) => {
    const { problems = [] } = checkConfig(text);
    t.equal(problems.length, 1, JSON.stringify(problems));
    t.match(problems[0], { path, message });
    if (hint !== '') t.equal(problems[0]?.hint, hint);
  });
}

t.test(
  'once config - off by default; windows that tell their alarms apart, feeds with their authority',
  async (t) => {
    t.same(checkConfig('{}').config?.once, { results: {}, alarms: {} });
    const { config, problems } = checkConfig(`${sources}once:
  results:
    twice:
      feeds: [lab, copy, third]
      authoritative: [{ feed: copy, when: 'event.order.diagnosticSection == "MB"' }, { feed: lab }]
  alarms:
    a: { sources: [lab], window: 30s }
    b: { sources: [copy, third], codes: ["1"], window: 1h }
    c: { sources: [copy, third], codes: ["2"], window: 1h }
    d: { sources: [lab], priorities: [high], window: 5s }
`);
    t.same(problems, undefined);
    t.same(config?.once.alarms.a?.priorities, ['medium', 'low', 'none']);
    t.same(
      config?.once.results.twice?.authoritative.map(({ feed, when }) => [feed, when === 'true']),
      [
        ['copy', false],
        ['lab', true],
      ],
    );
  },
);

t.test('once config - the one in the sample config is right as it stands there', async (t) => {
  const sample = readFileSync(join(projectRoot, 'deploy/config/site.yaml'), 'utf8');
  const [block = ''] = /^# once:\n(?:# .*\n)+/m.exec(sample) ?? [];
  const known = ['lab', 'lis-copy', 'micro', 'pumps'].map((name) => `  ${name}: { listener: ${name} }\n`);
  const { config, problems } = checkConfig(`sources:\n${known.join('')}${block.replace(/^# /gm, '')}`);
  t.same(problems, undefined);
  t.match(config?.once, { results: { 'lab-twice': {} }, alarms: { quiet: { window: '30s' } } });
});

t.test('once config - a window on high priority is told, and no other', async (t) => {
  const file = join(folderOf(t), 'site.yaml');
  const of = (yaml: string) => warningsOf(checkConfig(yaml).config ?? (t.fail('bad config') as never));
  t.same(of(alarms('quiet: { window: 30s }')), []);
  const loud = alarms('loud: { priorities: [high, medium], window: 30s }');
  t.match(of(loud), [/^once\.alarms\.loud also means alarms of high priority: .* within 30s reaches nobody/]);
  writeFileSync(file, loud);
  const checked = await runProgram('ctl', ['config', 'check', file]);
  t.match(checked, { code: 0, stderr: /high priority/ });
  t.same(of(readFileSync(join(projectRoot, 'deploy/config/site.yaml'), 'utf8')), []);
});
