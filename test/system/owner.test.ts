/** One owner for a data directory: whoever comes second is told so and harms nothing; a killed owner leaves nothing in the way. */
import { createHash } from 'node:crypto';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ownDirectory } from '../../gateway/process/owner.ts';
import { messageMaker } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { folderOf, runProgram, Site } from '../kit/site.ts';

const site = await Site.start(t);
const make = messageMaker({ seed: 3, kind: 'oru' });

let number = 0;

/** The answer to one more message. */
async function answer(): Promise<string> {
  const client = await MllpClient.connect({ port: await site.port('lab') });
  number += 1;
  const { code } = await client.send(make(number).bytes);
  await client.close();
  return code;
}

function bytesOf(...path: string[]): string {
  return createHash('sha256')
    .update(readFileSync(join(...path)))
    .digest('hex');
}

t.test('gateway - a second one is refused with the process id of the first, which works on', async (t) => {
  const other = site.write('other.yaml', 'status: { listen: "127.0.0.1:0" }\nlisteners: {}\n');
  const pid = new RegExp(`in use by process ${site.gateway?.pid}\\.`);
  for (const args of [
    ['run', '--data', site.gatewayData],
    ['run', '--data', site.gatewayData, '--settings', other],
    ['journal', 'verify', '--data', site.gatewayData],
    ['journal', 'quarantine', '--data', site.gatewayData],
    ['journal', 'export', '--data', site.gatewayData, '--to', join(site.folder, 'export')],
    ['journal', 'compact', '--data', site.gatewayData],
  ]) {
    const second = await runProgram('gateway', args);
    t.equal(second.code, 3, args.join(' '));
    t.match(second.stderr, pid);
  }
  t.equal(site.gateway?.exit, undefined, 'the first runs');
  t.equal(await answer(), 'AA', 'and takes messages');
});

t.test('gateway - the same directory under another name is the same directory', async (t) => {
  const alias = join(site.folder, 'alias');
  symlinkSync(site.gatewayData, alias);
  t.equal((await runProgram('gateway', ['journal', 'verify', '--data', alias])).code, 3);
});

t.test('control plane - a second one and verify are refused, and the first commits on', async (t) => {
  const pid = new RegExp(`in use by process ${site.plane?.pid}\\.`);
  for (const args of [
    ['run', '--data', site.planeData, '--grpc', '127.0.0.1:0', '--http', '127.0.0.1:0'],
    ['verify', '--data', site.planeData],
  ]) {
    const second = await runProgram('plane', args);
    t.equal(second.code, 3, args.join(' '));
    t.match(second.stderr, pid);
  }
  t.equal(await answer(), 'AA');
  await site.drained();
  t.equal((await site.ctl('token', 'create', '--site', 'south')).code, 0, 'it writes');
  t.equal(site.plane?.exit, undefined);
});

t.test('owner - killed without warning, the next start works at once', async (t) => {
  await site.gateway?.kill();
  await site.plane?.kill();
  await site.startPlane();
  await site.startGateway();
  await site.connected();
  t.equal(await answer(), 'AA');
});

t.test('offline verbs - they read a stopped store and change no byte of it', async (t) => {
  await site.drained();
  await site.gateway?.stop();
  await site.plane?.stop();
  const before = bytesOf(site.planeData, 'store', 'data.mdb');
  const verified = await runProgram('plane', ['verify', '--data', site.planeData]);
  t.equal(verified.code, 0, verified.stderr);
  t.match(verified.stdout, /^events {2}[1-9]\d*, all there\naudit {3}\d+ entries, intact\n$/);
  t.equal(bytesOf(site.planeData, 'store', 'data.mdb'), before);
  const journal = bytesOf(site.gatewayData, 'journal', 'data.mdb');
  t.equal((await runProgram('gateway', ['journal', 'verify', '--data', site.gatewayData])).code, 0);
  t.equal(bytesOf(site.gatewayData, 'journal', 'data.mdb'), journal);
  t.equal((await runProgram('gateway', ['journal', 'verify', '--data', join(site.folder, 'no')])).code, 78);
});

t.test('offline verbs - a store that was never used has nothing that is wrong', async (t) => {
  const fresh = new Site(t);
  await fresh.startPlane();
  await fresh.plane?.stop();
  const verified = await runProgram('plane', ['verify', '--data', fresh.planeData]);
  t.equal(verified.code, 0, verified.stderr);
  t.match(verified.stdout, /^events {2}0, all there\n/);
});

t.test('owner - a directory is owned once, until it is given back, at any length of its path', async (t) => {
  const directory = join(folderOf(t), ...Array.from({ length: 20 }, () => 'long-name'));
  const release = await ownDirectory(directory);
  await t.rejects(ownDirectory(directory), { code: 'data-in-use', exit: 3 });
  await t.rejects(ownDirectory(directory, { readOnly: true }), { code: 'data-in-use' });
  release();
  const reader = await ownDirectory(directory, { readOnly: true });
  await t.rejects(ownDirectory(directory), { code: 'data-in-use' });
  reader();
  (await ownDirectory(directory))();
});
