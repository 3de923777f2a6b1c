/** `npm start`: one stack a folder, on the addresses that the settings in ./var name. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../kit/paths.ts';
import { type DaemonProcess, startProcess } from '../kit/process.ts';
import { folderOf, runProgram } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const cwd = folderOf(t);
const settings = (daemon: 'gateway' | 'control-plane', text: string) => {
  mkdirSync(join(cwd, 'var', daemon), { recursive: true, mode: 0o700 });
  writeFileSync(join(cwd, 'var', daemon, 'settings.yaml'), text);
};
settings('control-plane', 'grpc: "127.0.0.1:0"\nhttp: "127.0.0.1:0"\n');
settings(
  'gateway',
  'status: { listen: "127.0.0.1:0" }\nlisteners:\n  lab: { type: mllp, listen: "127.0.0.1:0" }\n',
);

function start(): DaemonProcess {
  const args = [join(projectRoot, 'dist', 'deploy', 'local', 'start.js')];
  return startProcess(t, { name: 'start', args, folder: join(cwd, 'logs'), cwd });
}

const hang = { timeoutMs: 100_000 };
const first = start();

t.test('npm start, npm run demo - take no options, and say what they do', async (t) => {
  for (const [program, name] of [
    ['start', 'npm start'],
    ['demo', 'npm run demo'],
  ]) {
    const said = (word: string) =>
      spawnSync(process.execPath, [join(projectRoot, 'dist', 'deploy', 'local', `${program}.js`), word], {
        cwd: folderOf(t),
        encoding: 'utf8',
      });
    t.match(said('--help'), { status: 0, stdout: new RegExp(`^${name}: .+ It takes no options\\.\\n$`) });
    t.match(said('--port'), { status: 2, stderr: `${name} takes no options: --port\n` });
  }
});

t.test('npm start - the settings in ./var are honoured by both daemons', async (t) => {
  const [, port] = await first.waitForLine(/^control plane +127\.0\.0\.1:(\d+) /, hang);
  t.not(port, '7443', 'not the default');
  await first.waitForLine(/^gateway +lab 127\.0\.0\.1:\d+$/, hang);
  await first.waitForLine(/enrolled and connected/, hang);
});

t.test(
  'npm run send - messages of a file are sent and answered; who is not there, or is no message, is told',
  async (t) => {
    const send = (...args: string[]) =>
      startProcess(t, {
        name: 'send',
        args: [join(projectRoot, 'dist', 'deploy', 'local', 'send.js'), ...args],
        folder: join(cwd, `sent-${args.at(-1)}`),
        cwd,
      });
    const [, address = ''] = await first.waitForLine(/^gateway +lab (127\.0\.0\.1:\d+)$/, hang);
    const message = (id: string) => `MSH|^~\\&|L|H|||20261123||ADT^A01|${id}|P|2.5\nPID|1||1||A\nPV1|1|I\n`;
    writeFileSync(join(cwd, 'two.hl7'), message('N1') + message('N2'));
    writeFileSync(join(cwd, 'odd.hl7'), 'no message');
    const sent = send(address, 'two.hl7');
    await sent.waitForLine(/^N1 +ADT\^A01 +answered AA$/, hang);
    await sent.waitForLine(/^N2 +ADT\^A01 +answered AA$/, hang);
    t.equal((await sent.exited).code, 0);
    const here = send('two.hl7', 'two.hl7');
    await here.waitForLine(/^N1 +ADT\^A01 +answered AA$/, hang);
    t.equal((await here.exited).code, 0, 'without an address: to the gateway of ./var, whatever its port');
    const odd = send(address, 'odd.hl7');
    await odd.waitForLine(/^odd\.hl7 does not begin with an HL7 v2 message/, { ...hang, from: 'stderr' });
    t.equal((await odd.exited).code, 2);
    const nobody = send('127.0.0.1:1');
    await nobody.waitForLine(/No gateway takes MLLP at 127\.0\.0\.1:1: connect ECONNREFUSED/, {
      ...hang,
      from: 'stderr',
    });
    t.equal((await nobody.exited).code, 69);
  },
);

t.test('npm start - a second one in the same folder is refused, and the first one lives on', async (t) => {
  const second = start();
  const { code } = await second.exited;
  t.equal(code, 3);
  t.match(second.stderr, /in use by process \d+\.\nStop that one first/);
  t.equal(first.exit, undefined);
  const gateways = await runProgram('ctl', ['gateways', '-o', 'json'], { cwd });
  t.match(JSON.parse(gateways.stdout), [{ gateway: 'local', state: 'online' }]);
});

t.test('npm start - a daemon that ends by itself is a failure of the whole', async (t) => {
  const { pid } = (await status()) as { pid: number };
  process.kill(pid, 'SIGKILL');
  const { code } = await first.exited;
  t.equal(code, 1);
});

t.test('npm start - an address that is taken is told with the file to edit', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await until(() => taken.listening, { what: 'the port being taken' });
  const { port } = taken.address() as { port: number };
  settings('control-plane', `grpc: "127.0.0.1:${port}"\nhttp: "127.0.0.1:0"\n`);
  const third = start();
  t.equal((await third.exited).code, 75, 'who has it may let go of it: systemd tries again');
  t.match(third.stderr, /cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\)/);
  t.match(third.stderr, /"grpc" in .*control-plane\/settings\.yaml/);
});

t.test('npm start - the gateway follows when the port of the control plane changes', async (t) => {
  settings('control-plane', 'grpc: "127.0.0.1:0"\nhttp: "127.0.0.1:0"\n');
  const again = start();
  await again.waitForLine(/enrolled and connected/, hang);
  await again.stop();
  t.equal(again.exit?.code, 0, 'and stops in order');
});

async function status(): Promise<unknown> {
  const told = await runProgram('gateway', ['status', '--data', join(cwd, 'var', 'gateway'), '-o', 'json']);
  return JSON.parse(told.stdout);
}
