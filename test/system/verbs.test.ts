/** The surface that people script against: help with examples, forms of output, exit codes, and errors that name the place. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { folderOf, runProgram, Site } from '../kit/site.ts';
import { createTestCa } from '../kit/tls.ts';

type Program = Parameters<typeof runProgram>[0];

interface Verb {
  readonly program: Program;
  readonly path: readonly string[];
  readonly help: string;
  readonly verbs: readonly string[];
}

/** Every verb of a program, found in its own help. */
async function verbsOf(program: Program, path: readonly string[] = []): Promise<Verb[]> {
  const { code, stdout } = await runProgram(program, [...path, '--help']);
  if (code !== 0) throw new Error(`${path.join(' ')} --help: exit ${code}`);
  const listed = /^Commands:\n((?: {2}.*\n)+)/m.exec(stdout)?.[1] ?? '';
  const verbs = [...listed.matchAll(/^ {2}([a-z-]+)/gm)].flatMap(([, verb = '']) =>
    verb === 'help' ? [] : [verb],
  );
  const found: Verb[] = [{ program, path, help: stdout, verbs }];
  for (const verb of verbs) found.push(...(await verbsOf(program, [...path, verb])));
  return found;
}

/** What does not read, and so has no form of output to choose. */
const writesOnly = /^(run|enroll|revoke|check|hash-password|completion)$/;

t.test('help - every verb has examples, and every read has four forms', async (t) => {
  const all = (await Promise.all((['gateway', 'plane', 'ctl'] as const).map((one) => verbsOf(one)))).flat();
  t.ok(all.length > 30, `${all.length} verbs`);
  for (const { path, help, verbs } of all) {
    const name = path.join(' ');
    t.match(help, /^Examples?:\n {2}\S.*hilum/m, `${name} has an example`);
    if (verbs.length > 0 || writesOnly.test(name)) continue;
    t.match(help.replace(/\s+/g, ' '), /"table", "json", "jsonl", "yaml"/, `${name} has the four forms`);
  }
});

t.test('output - the four forms of a read say the same', async (t) => {
  const site = new Site(t);
  await site.startGateway();
  const read = async (verb: string, form: string) => {
    const { stdout } = await runProgram('gateway', [verb, '--data', site.gatewayData, '-o', form]);
    return stdout;
  };
  const [json, jsonl, yaml] = await Promise.all(
    ['json', 'jsonl', 'yaml'].map((form) => read('status', form)),
  );
  const facts = ({ listeners, enrolled }: { listeners: unknown; enrolled: unknown }) => ({
    listeners,
    enrolled,
  });
  const wanted = facts(JSON.parse(json ?? ''));
  t.same(facts(JSON.parse(jsonl ?? '')), wanted);
  t.same(facts(parse(yaml ?? '')), wanted);
  t.equal(jsonl?.trim().split('\n').length, 1, 'an object is one line');
  const findings = JSON.parse(await read('doctor', 'json')) as unknown[];
  t.equal(
    (await read('doctor', 'jsonl')).trim().split('\n').length,
    findings.length,
    'a list has a line for each',
  );
});

const settingsTypo = 'listeners:\n  lab: { type: mllp, listn: "127.0.0.1:2575" }\n';
const configTypos = `sources:
  lab: { listener: mlp }
routes:
  a: { when: "event.knd == 1", to: ehr }
`;

t.test(
  'errors - each names what is wrong, where, and what to do; the exit code says whose turn it is',
  async (t) => {
    const folder = folderOf(t);
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return name;
    };
    const data = (name: string, settings: string) => {
      mkdirSync(join(folder, name));
      if (settings !== '') writeFileSync(join(folder, name, 'settings.yaml'), settings);
      return name;
    };
    data('none', '');
    data('typo', settingsTypo);
    data('plane', 'grcp: "127.0.0.1:0"\n');
    file('bad.yaml', configTypos);
    file('odd.yaml', 'sorces: {}\n');
    const ca = await createTestCa();
    const { certPem, keyPem } = await ca.issue({ commonName: 'admin' });
    const unreachable = { address: '127.0.0.1:1', caPem: ca.certPem, certPem, keyPem };
    file('nobody.json', JSON.stringify(unreachable));
    file('torn.json', JSON.stringify({ ...unreachable, keyPem: keyPem.slice(0, 60) }));
    const cases: [Program, string, number, RegExp][] = [
      ['gateway', 'run --data typo', 78, /^typo\/settings\.yaml:2:22 .*"listen"\?/],
      ['gateway', 'check --data typo', 78, /^typo\/settings\.yaml:2:22 /],
      [
        'gateway',
        'check --data none bad.yaml',
        78,
        /bad\.yaml:2:20 .*"mllp"\?[\s\S]*bad\.yaml:4:21 .*"kind"\?/,
      ],
      ['gateway', 'check --data none gone.yaml', 2, /gone\.yaml cannot be read/],
      ['gateway', 'status --data none', 69, /No gateway runs on none[\s\S]*hilum-gateway run/],
      ['gateway', 'status --data none -o xml', 2, /table, json, jsonl, yaml/],
      ['gateway', 'statsu --data none', 2, /status/],
      ['gateway', 'enroll --data none --token x', 2, /not an enrollment token[\s\S]*token create/],
      ['gateway', 'journal verify --data none', 78, /Check --data/],
      ['plane', 'run --data plane', 78, /^plane\/settings\.yaml:1:1 .*"grpc"\?/],
      ['plane', 'verify --data none', 78, /Check --data/],
      ['ctl', 'config check odd.yaml', 78, /^odd\.yaml:1:1 .*"sources"\?/],
      ['ctl', 'config check gone.yaml', 2, /gone\.yaml cannot be read/],
      ['ctl', 'gatways', 2, /Did you mean gateways/],
      ['ctl', 'gateways --context gone.json', 78, /--context or HILUM_CONTEXT/],
      ['ctl', 'gateways --context nobody.json', 69, /127\.0\.0\.1:1 cannot be reached/],
      ['ctl', 'gateways --context torn.json', 78, /torn\.json holds no usable certificate[\s\S]*admin\.json/],
      ['ctl', 'events --limit many', 2, /whole number/],
      ['ctl', 'config rollback --site a --reason b --to last', 2, /whole number/],
      ['ctl', 'token create --site a --ttl soon', 2, /15m/],
      ['ctl', 'config push bad.yaml --site a', 2, /--reason/],
      ['ctl', 'config dry-run bad.yaml --site a', 2, /unknown command/],
    ];
    for (const [program, line, code, text] of cases) {
      const { code: got, stderr, stdout } = await runProgram(program, line.split(' '), { cwd: folder });
      t.equal(got, code, `${program} ${line}`);
      t.match(stderr, text, `${program} ${line}`);
      t.notMatch(`${stderr}${stdout}`, /\n {4}at /, 'no stack');
    }
  },
);
