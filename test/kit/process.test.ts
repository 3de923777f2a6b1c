/** Processes: readiness by condition, output that survives kill -9, cleanup with the owner. */
import { existsSync, readdirSync } from 'node:fs';
import t from 'tap';
import { cpuShareOf } from './proc.ts';
import { type Owner, startProcess } from './process.ts';

const folder = t.testdir();

t.test('process - readiness is a line, and kill -9 keeps what was printed', async (t) => {
  const args = ['-e', 'console.log("port 4242"); setInterval(() => {}, 1000)'];
  const child = startProcess(t, { name: 'ready', folder, args });
  const line = await child.waitForLine(/port (\d+)/);
  t.equal(line[1], '4242');
  const usage = child.usage()!;
  t.ok(usage.rssBytes > 10_000_000 && usage.rssBytesMax >= usage.rssBytes, `RSS ${usage.rssBytes}`);
  t.ok(usage.descriptors > 3 && usage.threads > 1);
  t.strictSame(await child.kill(), { code: null, signal: 'SIGKILL' });
  t.equal(child.usage(), undefined);
  t.equal(child.stdout, 'port 4242\n');
  t.strictSame(await child.kill(), { code: null, signal: 'SIGKILL' }, 'killing twice is harmless');
});

t.test('process - one that ends before it is ready fails at once with its last words', async (t) => {
  const child = startProcess(t, { name: 'early', folder, args: ['-e', 'throw new Error("no journal")'] });
  await t.rejects(child.waitForLine(/ready/, { timeoutMs: 60_000 }), /ended \(exit 1\).*no journal/s);
});

t.test('process - every run of a name has its own files', async (t) => {
  const run = () => startProcess(t, { name: 'twice', folder, args: ['-e', 'process.exit(3)'] }).waitForExit();
  t.equal((await run()).code, 3);
  await run();
  t.equal(readdirSync(folder).filter((name) => /^twice-\d\.stdout$/.test(name)).length, 2);
});

t.test('process - it ends with its owner', async (t) => {
  const cleanups: (() => unknown)[] = [];
  const owner: Owner = { teardown: (cleanup) => cleanups.push(cleanup) };
  const child = startProcess(owner, { name: 'owned', folder, args: ['-e', 'setInterval(() => {}, 1000)'] });
  const { pid } = child;
  for (const cleanup of cleanups) await cleanup();
  t.notOk(existsSync(`/proc/${pid}`));
});

t.test('process - the environment of the runner does not leak in', async (t) => {
  process.env.HILUM_LEAK = 'leak';
  t.teardown(() => delete process.env.HILUM_LEAK);
  const args = [
    '-e',
    'console.log(String(process.env.HILUM_LEAK), process.env.GIVEN, String(process.env.NODE_OPTIONS))',
  ];
  const child = startProcess(t, { name: 'env', folder, args, env: { GIVEN: 'given' } });
  await child.waitForExit();
  t.equal(child.stdout, 'undefined given undefined\n');
});

t.test('process - a program that is not there ends with 127', async (t) => {
  const child = startProcess(t, { name: 'absent', folder, command: '/no/such/program', args: [] });
  t.equal((await child.waitForExit()).code, 127);
});

t.test('process - processor time is measured from outside', async (t) => {
  const busy = startProcess(t, { name: 'busy', folder, args: ['-e', 'console.log("on"); for (;;) {}'] });
  await busy.waitForLine(/on/);
  const share = await cpuShareOf(busy.pid, () => busy.waitFor(() => busy.usage()!.cpuMs > 300));
  t.ok(share > 0.2, `a busy loop took ${share.toFixed(2)} of a core`);
});
