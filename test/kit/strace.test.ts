/** Disk faults by strace: the injected call fails, the exit code and the pid stay the program's own. */
import { join } from 'node:path';
import t from 'tap';
import { available, type Injection, underStrace } from '../faults/tools/strace.ts';
import { type Owner, startProcess } from './process.ts';

const skip = available() ? false : 'no strace, or it may not trace';
const folder = t.testdir();

const program = `
  const fs = require('node:fs');
  const fd = fs.openSync(process.argv[1], 'w');
  const seen = [];
  const tookMs = [];
  for (let n = 0; n < 4; n += 1) {
    const startedAt = performance.now();
    try { fs.writeSync(fd, 'x', 0); fs.fdatasyncSync(fd); seen.push('ok'); } catch (error) { seen.push(error.code); }
    tookMs.push(Math.floor(performance.now() - startedAt));
  }
  console.log(seen.join(' '));
  console.log(tookMs.join(' '));
  process.exit(seen.includes('EIO') ? 75 : 0);
`;

async function run(
  test: Owner,
  name: string,
  inject: Injection[],
): Promise<{ seen: string; tookMs: number[]; code: number | null }> {
  const target = join(folder, `${name}.bin`);
  const log = join(folder, `${name}.strace`);
  const line = underStrace({ inject, log, paths: [target] }, process.execPath, ['-e', program, target]);
  const child = startProcess(test, { name, folder, ...line });
  const { code } = await child.waitForExit();
  const [seen = '', times = ''] = child.stdout.split('\n');
  return { seen, tookMs: times.split(' ').map(Number), code };
}

t.test('strace - the second flush and all after it fail, and the exit code passes', { skip }, async (t) => {
  const { seen, code } = await run(t, 'eio', [{ syscall: 'fdatasync', error: 'EIO', when: '2+' }]);
  t.equal(seen, 'ok EIO EIO EIO');
  t.equal(code, 75);
});

t.test('strace - a write finds the disk full', { skip }, async (t) => {
  const { seen } = await run(t, 'enospc', [{ syscall: 'pwrite64', error: 'ENOSPC', when: '3' }]);
  t.equal(seen, 'ok ok ENOSPC ok');
});

t.test('strace - a slow flush is slow and works', { skip }, async (t) => {
  const { seen, tookMs } = await run(t, 'slow', [{ syscall: 'fdatasync', delayEnterUs: 50_000, when: '4' }]);
  t.equal(seen, 'ok ok ok ok');
  // Others may be slow on a busy machine; this one must be.
  t.ok(tookMs[3]! >= 49, `${tookMs[3]} ms`);
});

t.test('strace - an injection without an effect is refused', async (t) => {
  const options = { inject: [{ syscall: 'fsync' as const }], log: '/dev/null' };
  t.throws(() => underStrace(options, 'true', []), /without an effect/);
});

t.test('strace - kill -9 ends the traced program itself', { skip }, async (t) => {
  const inject = [{ syscall: 'fdatasync' as const, error: 'EIO' }];
  const forever = ['-e', 'console.log(process.pid); setInterval(() => {}, 1000)'];
  const line = underStrace({ inject, log: join(folder, 'kill.strace') }, process.execPath, forever);
  const child = startProcess(t, { name: 'kill', folder, ...line });
  const [pid] = await child.waitForLine(/^\d+$/);
  t.equal(Number(pid), child.pid, 'the pid is the program');
  t.strictSame(await child.kill(), { code: null, signal: 'SIGKILL' });
});
