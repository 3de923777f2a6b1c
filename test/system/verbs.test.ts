/** The surface that people script against: help with examples, forms of output, exit codes, and errors that name the place. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import t from 'tap';
import { parse } from 'yaml';
import { bare } from '../kit/bare.ts';
import { projectRoot } from '../kit/paths.ts';
import { folderOf, programPath, runProgram, Site } from '../kit/site.ts';
import { createTestCa } from '../kit/tls.ts';

type Program = Parameters<typeof runProgram>[0];

interface Verb {
  readonly path: string;
  readonly help: string;
  readonly leaf: boolean;
}

/** In place of reading its arguments, the program tells the help of each of its verbs: one process, not fifty. */
const tellHelp = `
const { Command } = await import('commander');
Command.prototype.parseAsync = function () {
  const walk = (command, path) => {
    let help = '';
    command.configureOutput({ writeOut: (text) => { help += text; } }).outputHelp();
    const inner = command.commands.flatMap((verb) => walk(verb, (path + ' ' + verb.name()).trim()));
    return [{ path, help, leaf: inner.length === 0 }, ...inner];
  };
  process.stdout.write(JSON.stringify(walk(this, '')));
  return Promise.resolve();
};
await import(process.argv[1]);
`;

function verbsOf(program: Program): Verb[] {
  return told(program, tellHelp) as Verb[];
}

function told(program: Program, script: string): unknown {
  const args = ['--input-type=module', '-e', script, programPath(program)];
  const { status, stdout, stderr } = spawnSync(...bare(process.execPath, args), {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** What each verb prints for `--help` after it and `help` before it, and what ends it: one process, not a hundred. */
const askHelp = `
const { Command } = await import('commander');
const parse = Command.prototype.parseAsync;
Command.prototype.parseAsync = async function () {
  const walk = (command, path) => [path, ...command.commands.flatMap((verb) => walk(verb, [...path, verb.name()]))];
  const asked = [];
  process.exit = (code) => { throw new Error('exit ' + code); };
  const print = process.stdout.write;
  for (const path of walk(this, [])) {
    for (const words of [[...path, '--help'], [...path, '-h'], ['help', ...path]]) {
      let help = '';
      process.stdout.write = (text) => { help += text; return true; };
      const { message } = await parse.call(this, words, { from: 'user' }).then(() => ({}), (error) => error);
      process.stdout.write = print;
      asked.push({ words: words.join(' '), path: path.join(' '), help, ended: message });
    }
  }
  process.stdout.write(JSON.stringify(asked));
};
await import(process.argv[1]);
`;

/** What does not read, or prints text for a file, and so has no form of output to choose. */
const writesOnly =
  /^(run|enroll|revoke|admin create|admin revoke|check|hash-password|completion|codes entry)$/;

t.test('help - every verb has examples, and every read has four forms', async (t) => {
  const all = (['gateway', 'plane', 'ctl'] as const).flatMap(verbsOf);
  t.ok(all.length > 40, `${all.length} verbs`);
  for (const { path, help, leaf } of all) {
    t.match(help, /^Examples?:\n {2}(?=\S).*hilum/m, `"${path}" has an example`);
    if (!leaf || writesOnly.test(path)) continue;
    t.match(help.replace(/\s+/g, ' '), /"table", "json", "jsonl", "yaml"/, `"${path}" has the four forms`);
  }
  for (const { path, help } of all)
    t.notMatch(help, /default: (""|0)\)/, `"${path}" has no default of nothing`);
  for (const { path, help } of all) {
    t.notMatch(help, /^ {2}-\S.*(>$| {2,}\(required\)$)/m, `"${path}" says what each option is for`);
    const [, words = ''] = /^Usage: .*?((?: (?:<[^>]+>|\[(?!options|command)[^\]]+\]))*)$/m.exec(help) ?? [];
    if (words !== '') t.match(help, /^Arguments:\n {2}\S+ {2,}\S/m, `"${path}" says what${words} is`);
    if (path === '') t.match(help, /^Exit status: 0 done, /m, 'and what a script is told');
  }
  for (const { path, help } of verbsOf('ctl'))
    t.match(help, /^ {2}--context <file> +\S/m, `"${path}" may be asked of another control plane`);
  const helpOf = (path: string) => all.find((verb) => verb.path === path)?.help.replace(/\s+/g, ' ') ?? '';
  t.match(helpOf('config push'), /--site <name> .*\(required\) --reason <text> .*\(required\) --wait/);
  t.notMatch(helpOf('events'), /\(required\)/);
  const { code, stdout } = await runProgram('ctl', ['config', 'rollback', '--help']);
  t.equal(code, 0);
  t.equal(
    stdout,
    all.find(({ path, help }) => path === 'config rollback' && help !== '')?.help,
    'as --help says it',
  );
});

t.test('help - each verb answers with its own, however it is asked', async (t) => {
  interface Asked {
    readonly words: string;
    readonly path: string;
    readonly help: string;
    readonly ended: string;
  }
  let count = 0;
  for (const program of ['gateway', 'plane', 'ctl'] as const) {
    const own = new Map(verbsOf(program).map(({ path, help }) => [path, help]));
    for (const { words, path, help, ended } of told(program, askHelp) as Asked[]) {
      t.equal(ended, 'exit 0', `${program} ${words}`);
      t.equal(help, own.get(path), `${program} ${words}`);
      count += 1;
    }
  }
  t.ok(count > 120, `${count} ways to ask`);
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
    writeFileSync(join(folder, 'latin.yaml'), Buffer.from('site: { zone: UTC } # K\xe4se\n', 'latin1'));
    const ca = await createTestCa();
    const { certPem, keyPem } = await ca.issue({ commonName: 'admin' });
    const unreachable = { address: '127.0.0.1:1', caPem: ca.certPem, certPem, keyPem };
    file('nobody.json', JSON.stringify(unreachable));
    file('odd.json', 'address: here\n');
    file('none.json', '{}');
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
      ['ctl', 'config check latin.yaml', 78, /latin\.yaml is not UTF-8, line 1\.\nSave it as UTF-8/],
      ['gateway', 'check --data none latin.yaml', 78, /latin\.yaml is not UTF-8/],
      ['ctl', 'gatways', 2, /Did you mean gateways/],
      ['ctl', 'gateways --context gone.json', 78, /gone\.json is not there[\s\S]*--context or HILUM_CONTEXT/],
      ['ctl', 'gateways --context odd.json', 78, /odd\.json is no JSON[\s\S]*Copy it anew/],
      ['ctl', 'gateways --context none.json', 78, /none\.json names no address/],
      [
        'ctl',
        'gateways --context nobody.json',
        69,
        /nobody\.json can be read by others: chmod 600 [\s\S]*127\.0\.0\.1:1 cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:1\n/,
      ],
      ['ctl', 'explain gone.hl7', 2, /There is no file gone\.hl7[\s\S]*by its id/],
      ['ctl', 'events --kind observations', 2, /device-observation/],
      ['gateway', 'hash-password', 2, /no password on standard input[\s\S]*printf/],
      ['gateway', 'status', 2, /--data/],
      ['gateway', 'run --data odd.yaml', 78, /odd\.yaml is a file[\s\S]*Check --data/],
      ['gateway', 'run --data odd.yaml/in', 78, /odd\.yaml\/in cannot be made \(ENOTDIR\)/],
      ['plane', 'run --data odd.yaml/in', 78, /odd\.yaml\/in cannot be made \(ENOTDIR\)/],
      ['ctl', 'gateways --context torn.json', 78, /torn\.json holds no usable certificate[\s\S]*admin\.json/],
      ['ctl', 'events --limit many', 2, /whole number/],
      ['ctl', 'config rollback --site a --reason b --to last', 2, /whole number/],
      ['ctl', 'token create --site a --ttl soon', 2, /15m/],
      ['ctl', 'config push bad.yaml --site a', 2, /--reason/],
      ['ctl', 'config dry-run bad.yaml --site a', 2, /unknown command/],
      // Asked for its help, a verb that is not there is as unknown as it is without.
      ['ctl', 'config dry-run --help', 2, /unknown command 'dry-run'/],
      ['ctl', 'config histroy -h', 2, /unknown command 'histroy'\n\(Did you mean history\?\)/],
      ['ctl', '--context gone.json help config psuh', 2, /Did you mean push\?/],
      ['ctl', 'config help psuh', 2, /Did you mean push\?/],
      ['gateway', 'journal verfy --help', 2, /Did you mean verify\?/],
      ['plane', 'restore --help', 2, /unknown command 'restore'/],
    ];
    const each = cases.values();
    const worker = async () => {
      for (const [program, line, code, text] of each) {
        const { code: got, stderr, stdout } = await runProgram(program, line.split(' '), { cwd: folder });
        t.equal(got, code, `${program} ${line}`);
        t.match(stderr, text, `${program} ${line}`);
        t.notMatch(`${stderr}${stdout}`, /\n {4}at /, 'no stack');
      }
    };
    // Starting Node is most of the time, and a start waits a lot.
    await Promise.all([worker(), worker(), worker()]);
  },
);

t.test(
  'errors - a control plane with a certificate of another CA is told from one that is not there',
  async (t) => {
    const [ours, others] = [await createTestCa(), await createTestCa()];
    const { certPem: cert, keyPem: key } = await others.issue({ commonName: 'control-plane' });
    const server = createServer({ cert: `${cert}\n${others.certPem}`, key, ALPNProtocols: ['h2'] });
    t.teardown(() => server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { certPem, keyPem } = await ours.issue({ commonName: 'admin' });
    const context = join(folderOf(t), 'admin.json');
    writeFileSync(context, JSON.stringify({ address, caPem: ours.certPem, certPem, keyPem }), {
      mode: 0o600,
    });
    t.match(await runProgram('ctl', ['--context', context, 'gateways']), {
      code: 69,
      stderr: new RegExp(
        `^What answers at ${address} has a certificate of another CA .*\\nThe context file is of another control plane.*intercepts TLS\\.\\n$`,
      ),
    });
  },
);
