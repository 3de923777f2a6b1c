/** The log is told to a pipe: whoever read it may go away, and the process goes on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';

const script = `
const { createLog } = await import(process.argv[1]);
const log = createLog('kit');
log('info', 'first');
process.stdin.once('data', () => {
  let left = 20;
  const next = () => {
    log('warn', 'told-to-nobody', { left });
    left -= 1;
    if (left > 0) setImmediate(next);
    else process.stdout.write('alive', () => process.exit(0));
  };
  next();
});`;

t.test('log - a reader of the log that goes away does not end the process', async (t) => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const module = new URL(`../../gateway/process/log.${extension}`, import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, module], { stdio: 'pipe' });
  t.teardown(() => child.kill('SIGKILL'));
  let told = '';
  child.stdout.on('data', (chunk) => {
    told += chunk;
  });
  const [line] = (await once(child.stderr, 'data')) as [Buffer];
  t.match(JSON.parse(line.toString()), { level: 'info', program: 'kit', code: 'first' });
  child.stderr.destroy();
  await once(child.stderr, 'close');
  const ended = once(child, 'close');
  child.stdin.write('go');
  t.same(await ended, [0, null]);
  t.equal(told, 'alive');
});
