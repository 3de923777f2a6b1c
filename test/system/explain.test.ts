/** hilumctl explain and config test, the built program: a file without a control plane, a stored event with one. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { projectRoot } from '../kit/paths.ts';
import { folderOf, runProgram, Site } from '../kit/site.ts';

const result = [
  'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|EXPLAIN1|P|2.5.1',
  'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE||19800101|F',
  'OBR|1||F1|K^Potassium^99LAB|||20261123080000+0100|||||||||||||||||CH|F',
  'OBX|1|NM|K^Potassium^99LAB||7.40|mmol/L|3.5-5.1|N|||F',
  'ZBX|1|kit 7',
  '',
].join('\r');
const example = join(projectRoot, 'deploy/config');

interface Explanation {
  source: string;
  mappingVersion: string;
  note: string;
  reject: { code: string } | null;
  events: {
    index: number;
    class: string;
    fields: { path: string; from: string[]; rules: string[]; version: string }[];
  }[];
  unused: { location: string; value: string; why: string }[];
}

const fieldOf = ({ events }: Explanation, path: string) => events[0]?.fields.find((one) => one.path === path);

t.test('explain - a file is explained here, under a config file', async (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, 'result.hl7'), result);
  const { code, stdout, stderr } = await runProgram(
    'ctl',
    ['explain', 'result.hl7', '--source', 'lab', '--config', join(example, 'site.yaml'), '-o', 'json'],
    { cwd: folder },
  );
  t.equal(code, 0, stderr);
  const made = JSON.parse(stdout) as Explanation;
  t.match(fieldOf(made, 'observations[0].value'), { value: '7.40', from: ['OBX-5'], rules: ['hl7v2/oru'] });
  t.match(fieldOf(made, 'observations[0].code.codings[1].code'), {
    from: ['OBX-3.1', 'OBX-3.3'],
    rules: ['hl7v2/oru', 'codes.lab-tests'],
    version: /^builtin@\d+\+config$/,
  });
  t.match(fieldOf(made, 'extensions[0].value'), {
    value: 'kit 7',
    from: ['ZBX-2'],
    rules: ['hl7v2/oru', 'mappings.analyzer-kit'],
  });
  t.ok(made.unused.some(({ location, why }) => location === 'ZBX-1' && why === 'not-read'));
  const table = await runProgram('ctl', ['explain', 'result.hl7'], { cwd: folder });
  t.match(table.stdout, /^observations\[0\]\.value +7\.40 +OBX-5 +hl7v2\/oru +builtin@\d+$/m);
  t.match(table.stdout, /^ZBX-2 +kit 7 +no rule reads it$/m);
});

t.test(
  'explain - what is no event exits 1 and says why; a name that is neither file nor id exits 2',
  async (t) => {
    const folder = folderOf(t);
    writeFileSync(join(folder, 'query.hl7'), 'MSH|^~\\&|A|B|C|D|20261123||QBP^Q21|M1|P|2.5\r');
    const query = await runProgram('ctl', ['explain', 'query.hl7'], { cwd: folder });
    t.equal(query.code, 1);
    t.match(query.stdout, /quarantined: query: QBP is a query/);
    const gone = await runProgram('ctl', ['explain', 'gone.hl7'], { cwd: folder });
    t.equal(gone.code, 2);
    t.match(gone.stderr, /There is no file gone\.hl7/);
  },
);

t.test(
  'config test - the example passes; a difference is told by its path; --update writes it',
  async (t) => {
    const folder = folderOf(t);
    cpSync(join(example, 'test'), join(folder, 'tests'), { recursive: true });
    const run = (...more: string[]) =>
      runProgram('ctl', ['config', 'test', 'tests', '--config', join(example, 'site.yaml'), ...more], {
        cwd: folder,
      });
    const well = await run();
    t.equal(well.code, 0, well.stdout);
    t.match(well.stdout, /^passed +lab\/critical-potassium\.hl7$/m);
    t.match(well.stdout, /^4 passed, 0 failed$/m);

    const golden = join(folder, 'tests/lab/critical-potassium.expected.json');
    writeFileSync(golden, readFileSync(golden, 'utf8').replace('"7.40"', '"7.4"'));
    const differs = await run();
    t.equal(differs.code, 1);
    t.match(differs.stdout, /events\[0\]\.observations\[0\]\.value: expected "7\.4", found "7\.40"/);
    t.match(differs.stdout, /^3 passed, 1 failed$/m);
    const [row] = (
      JSON.parse((await run('-o', 'json')).stdout) as { file: string; outcome: string }[]
    ).filter(({ outcome }) => outcome === 'failed');
    t.match(row, { file: 'lab/critical-potassium.hl7', source: 'lab' });

    const updated = await run('--update');
    t.equal(updated.code, 0);
    t.match(updated.stdout, /^3 passed, 0 failed, 1 updated$/m);
    t.equal((await run()).code, 0);

    rmSync(join(folder, 'tests/monitor.json'));
    const orphan = await run();
    t.equal(orphan.code, 1);
    t.match(orphan.stdout, /monitor\.expected\.json: the message that this belongs to is not here/);
  },
);

t.test(
  'config test - what cannot be tested is an error: a bad config 78, no folder and no message 2',
  async (t) => {
    const folder = folderOf(t);
    writeFileSync(join(folder, 'bad.yaml'), 'sorces: {}\n');
    writeFileSync(join(folder, 'good.yaml'), '{}\n');
    const code = async (...args: string[]) =>
      (await runProgram('ctl', ['config', 'test', ...args], { cwd: folder })).code;
    t.equal(await code('.', '--config', 'bad.yaml'), 78);
    t.equal(await code('gone', '--config', 'good.yaml'), 2);
    t.equal(await code('.', '--config', 'good.yaml'), 2);
  },
);

t.test(
  'explain - a stored event is explained by its bytes and the config that it names, audited',
  async (t) => {
    const site = await Site.start(t);
    const config = 'codes:\n  lab: { from: 99LAB, to: "http://loinc.org", map: { K: "2823-3" } }\n';
    const pushed = await site.ctl(
      'config',
      'push',
      site.write('a.yaml', config),
      '--site',
      'north',
      '--reason',
      'K',
    );
    t.equal(pushed.code, 0, pushed.stderr);
    const client = await MllpClient.connect({ port: await site.port('lab') });
    t.equal((await client.send(Buffer.from(result))).code, 'AA');
    await client.close();
    await site.drained();
    // A later config says something else; the event was made before.
    await site.ctl('config', 'push', site.write('b.yaml', '{}\n'), '--site', 'north', '--reason', 'none');
    const [event] = await site.events();
    const id = event?.id ?? '';
    const refused = await site.ctl('explain', id);
    t.equal(refused.code, 2, 'bytes are not shown without a reason');
    const made = await site.ask<Explanation>('explain', id, '--reason', 'ticket 4711');
    t.equal(made.source, 'lab');
    t.equal(made.mappingVersion, event?.provenance.mappingVersion);
    t.equal(made.note, '');
    t.match(fieldOf(made, 'observations[0].code.codings[1].code'), {
      value: '2823-3',
      rules: ['hl7v2/oru', 'codes.lab'],
      version: event?.provenance.mappingVersion,
    });
    const now = await site.ask<Explanation>('explain', id, '--site', 'north', '--reason', 'ticket 4711');
    t.match(now.note, /was mapped by builtin@\d+\+config@1; this explains it by builtin@\d+\+config@2/);
    t.equal(fieldOf(now, 'observations[0].code.codings[1].code'), undefined);
    const audit = await site.ask<{ action: string; subject: string; reason: string }[]>('audit', 'list');
    t.ok(
      audit.some(
        (one) => one.action === 'viewed' && one.subject.includes(id) && one.reason === 'ticket 4711',
      ),
      'the look at the bytes is in the audit trail',
    );
    const { stderr } = await site.ctl('audit', 'list', '--action', 'veiwed');
    t.match(stderr, /^No entry has the action veiwed; those of the newest \d+ are: .*\bviewed\b/);
  },
);
