/** People with an identity of their own: the trail has their names, some may only ask, and one who left may nothing. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { messageMaker } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { programPath, runProgram, Site } from '../kit/site.ts';
import { fillVolume, smallVolume } from '../kit/volume.ts';
import { until } from '../kit/wait.ts';

const site = await Site.start(t);
const at = (name: string) => join(site.folder, `${name}.json`);
const as = (name: string, ...args: string[]) => runProgram('ctl', ['--context', at(name), ...args]);
const make = messageMaker({ kind: 'oru', seed: 1 });

t.test('admins - the trail has the name of who did it', async (t) => {
  const created = await site.ctl('admin', 'create', 'ann', '--out', at('ann'));
  t.equal(created.code, 0, created.stderr);
  t.equal(statSync(at('ann')).mode & 0o777, 0o600);
  const config = site.write('one.yaml', 'enrichment: { previous: false }\n');
  const pushed = await as('ann', 'config', 'push', config, '--site', site.site, '--reason', 'less to read');
  t.equal(pushed.code, 0, pushed.stderr);
  const trail = await site.ask<{ action: string; actor: string; subject: string }[]>('audit', 'list');
  t.match(
    trail.filter(({ action }) => action === 'config-pushed'),
    [{ actor: 'ann' }],
  );
  t.match(trail.filter(({ action }) => action === 'admin-created').at(-1), {
    actor: 'admin',
    subject: /^ann /,
  });
  const before = readFileSync(at('ann'), 'utf8');
  const again = await site.ctl('admin', 'create', 'ann', '--out', at('ann'));
  t.match([again.code, again.stderr], [2, /is there already/]);
  t.equal(readFileSync(at('ann'), 'utf8'), before);
  const taken = await site.ctl('admin', 'create', 'ann', '--out', at('other'));
  t.match([taken.code, taken.stderr], [1, /There is an admin "ann"/], 'nobody acts under her name');
  const anew = await as('ann', 'admin', 'create', 'ann', '--out', at('anew'));
  t.equal(anew.code, 0, 'who has it can make it anew');
  const gateway = await site.ctl('admin', 'create', 'north', '--out', at('gateway'));
  t.match([gateway.code, gateway.stderr], [1, /"north" is the name of a gateway/]);
  const nowhere = join(site.folder, 'nowhere', 'x.json');
  const placed = await site.ctl('admin', 'create', 'eve', '--out', nowhere);
  t.match([placed.code, placed.stderr], [2, /folder of .* is not there\.\n.*another one/]);
  const wrong = await site.ctl('admin', 'create', 'a b', '--out', at('wrong'));
  t.match([wrong.code, wrong.stderr], [2, /cannot be the name of an admin/]);
  t.throws(() => statSync(at('wrong')), 'nothing is left of it');
});

const small = smallVolume(t, 1);

const needsVolume = { skip: small === undefined && 'no volume of its own could be mounted' };

t.test(
  'admins - where the file cannot be written there is no identity that nobody has',
  needsVolume,
  async (t) => {
    fillVolume(small as string, 8 * 1024);
    const out = join(small as string, 'zed.json');
    t.match(await site.ctl('admin', 'create', 'zed', '--out', out), {
      code: 75,
      stderr: new RegExp(`^The context file ${out} cannot be written \\(ENOSPC\\): its volume is full\\.`),
    });
    t.same(readdirSync(small as string), ['filler'], 'nothing is left of it');
    const admins = await site.ask<{ name: string }[]>('admin', 'list');
    t.same(
      admins.filter(({ name }) => name === 'zed'),
      [],
    );
  },
);

t.test('admins - who may only read changes nothing and sees no bytes', async (t) => {
  t.equal((await site.ctl('admin', 'create', 'bob', '--read-only', '--out', at('bob'))).code, 0);
  const client = await MllpClient.connect({ port: await site.port('lab') });
  await client.send(make(1).bytes);
  await client.send(Buffer.from('MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123||ABC^XYZ|Q1|P|2.5\r'));
  await client.close();
  const [entry] = await until(
    async () => {
      const listed = await site.ask<{ id: string }[]>('quarantine', 'list');
      return listed.length === 1 && listed;
    },
    { what: 'the entry', timeoutMs: 20_000, everyMs: 100 },
  );
  const id = entry?.id ?? '';
  for (const asked of [
    ['gateways'],
    ['events', '--from-start'],
    ['trace', id],
    ['quarantine', 'list'],
    ['quarantine', 'show', id],
    ['custody'],
    ['audit', 'list'],
    ['admin', 'list'],
  ]) {
    const { code, stderr } = await as('bob', ...asked);
    t.equal(code, 0, `${asked.join(' ')} ${stderr}`);
  }
  const config = site.write('two.yaml', 'enrichment: { previous: true }\n');
  const reason = ['--reason', 'x'];
  for (const asked of [
    ['config', 'push', config, '--site', site.site, ...reason],
    ['config', 'rollback', '--site', site.site, ...reason],
    ['token', 'create', '--site', site.site],
    ['revoke', 'north', ...reason],
    ['quarantine', 'show', id, '--payload', ...reason],
    ['quarantine', 'replay', id, ...reason],
    ['quarantine', 'discard', id, ...reason],
    ['events', '--from-start', '--raw', '-o', 'jsonl', ...reason],
    ['admin', 'create', 'eve', '--out', at('eve')],
    ['admin', 'revoke', 'ann', ...reason],
  ]) {
    const { code, stdout, stderr } = await as('bob', ...asked);
    t.match([code, stdout], [3, /^$/], `${asked.join(' ')}: ${stderr}`);
    t.match(stderr, /bob may ask, and change nothing.*\n?.*hilumctl admin create/);
  }
  const refused = await site.ask<{ actor: string; outcome: string }[]>(
    'audit',
    'list',
    '--action',
    'refused',
  );
  t.equal(refused.length, 10, 'each of it is in the trail');
  t.ok(refused.every(({ actor, outcome }) => actor === 'bob' && outcome === 'refused'));
  t.match(await site.ask('admin', 'list'), [
    { name: 'admin', readOnly: false },
    { name: 'ann', readOnly: false },
    { name: 'ann', readOnly: false },
    { name: 'bob', readOnly: true },
  ]);
});

t.test('admins - one who was revoked is refused, also where a stream of it is open', async (t) => {
  const follow = spawn(process.execPath, [
    ...[programPath('ctl'), '--context', at('ann'), 'events', '--follow', '--from-start', '-o', 'jsonl'],
  ]);
  t.teardown(() => follow.kill('SIGKILL'));
  let [seen, said] = ['', ''];
  follow.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
  });
  follow.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise((resolve) => follow.once('close', resolve));
  const lines = () => seen.split('\n').length - 1;
  await until(() => lines() === 1, { what: 'the first event', timeoutMs: 20_000 });
  const unreasoned = await site.ctl('admin', 'revoke', 'ann');
  t.match([unreasoned.code, unreasoned.stderr], [2, /--reason/]);
  const revoked = await site.ctl('admin', 'revoke', 'ann', '--reason', 'left the team');
  t.match([revoked.code, revoked.stdout], [0, /^Revoked ann: 2 identities/], revoked.stderr);
  await ended;
  t.equal(lines(), 1);
  t.match(said, /revoked/);
  const { code, stderr } = await as('ann', 'gateways');
  t.match([code, stderr], [3, /revoked/]);
  const none = await site.ctl('admin', 'revoke', 'ann', '--reason', 'again');
  t.match([none.code, none.stderr], [1, /no admin "ann"/]);
});

t.test('admins - the first one, revoked, is made anew with the next start', async (t) => {
  const revoked = await as('bob', 'gateways');
  t.equal(revoked.code, 0);
  const last = await site.ctl('admin', 'revoke', 'admin', '--reason', 'x');
  t.equal(last.code, 3, 'a second one that may change something has to be there');
  t.match(
    last.stderr,
    /^.*every other identity is read-only\. Nothing was changed\. Make another one first: /,
  );
  t.equal((await site.ctl('gateways')).code, 0, 'nobody is locked out');
  t.equal((await site.ctl('admin', 'create', 'cat', '--out', at('cat'))).code, 0);
  t.equal((await as('cat', 'admin', 'revoke', 'admin', '--reason', 'the file was in a mail')).code, 0);
  t.equal((await site.ctl('gateways')).code, 3);
  const before = readFileSync(site.context, 'utf8');
  await site.plane?.stop();
  await site.startPlane();
  t.not(readFileSync(site.context, 'utf8'), before);
  t.equal((await site.ctl('gateways')).code, 0);
});

t.test('admins - where admin.json is lost, it is made anew with the next start', async (t) => {
  rmSync(site.context);
  await site.plane?.stop();
  await site.startPlane();
  t.equal((await site.ctl('gateways')).code, 0);
});
