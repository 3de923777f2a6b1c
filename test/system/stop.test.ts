/** Ctrl-C at a terminal that is one: the signal reaches the whole process group, and npm passes it on once more. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../kit/paths.ts';
import { type DaemonProcess, type Owner, startProcess } from '../kit/process.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const hang = { timeoutMs: 100_000 };
const skip = spawnSync('script', ['--version']).status === 0 ? false : 'no script(1), which makes terminals';
/** A person who presses again is slower than one request's echoes. */
const personMs = 1_200;

class Terminal {
  readonly folder: string;
  readonly process: DaemonProcess;

  constructor(owner: Owner) {
    this.folder = folderOf(owner);
    const settings = {
      'control-plane': 'grpc: "127.0.0.1:0"\nhttp: "127.0.0.1:0"\n',
      gateway:
        'status: { listen: "127.0.0.1:0" }\nlisteners:\n  lab: { type: mllp, listen: "127.0.0.1:0" }\n',
    };
    for (const [daemon, text] of Object.entries(settings)) {
      mkdirSync(join(this.folder, 'var', daemon), { recursive: true, mode: 0o700 });
      writeFileSync(join(this.folder, 'var', daemon, 'settings.yaml'), text);
    }
    const start = `node ${join(projectRoot, 'dist', 'deploy', 'local', 'start.js')}`;
    writeFileSync(join(this.folder, 'package.json'), JSON.stringify({ private: true, scripts: { start } }));
    this.process = startProcess(owner, {
      name: 'terminal',
      command: 'script',
      args: ['--quiet', '--flush', '--return', '--command', 'npm start', '/dev/null'],
      folder: join(this.folder, 'logs'),
      cwd: this.folder,
      stdin: true,
    });
  }

  press(keys: string): void {
    this.process.stdin?.write(keys);
  }

  /** The codes of a daemon's log lines about its end, with their times. */
  ends(daemon: string): { code: string; time: string }[] {
    const path = join(this.folder, 'var', `${daemon}.log`);
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => /"code":"stop/.test(line))
      .map((line) => JSON.parse(line) as { code: string; time: string });
  }

  codes(daemon: string): string[] {
    return this.ends(daemon).map(({ code }) => code);
  }
}

t.test('npm start - one Ctrl-C drains both daemons, the gateway first', { skip }, async (t) => {
  const terminal = new Terminal(t);
  await terminal.process.waitForLine(/Ctrl-C stops both/, hang);
  terminal.press('\u0003');
  await terminal.process.exited;
  t.same(terminal.codes('gateway'), ['stopping', 'stopped'], 'nothing cut its drain short');
  t.same(terminal.codes('control-plane'), ['stopping', 'stopped']);
  const [gateway, plane] = [terminal.ends('gateway').at(-1), terminal.ends('control-plane')[0]];
  t.ok((gateway?.time ?? '') <= (plane?.time ?? ''), 'its peer was there until it was done');
});

t.test('npm start - a second Ctrl-C, later, ends a drain that takes long', { skip }, async (t) => {
  const terminal = new Terminal(t);
  await terminal.process.waitForLine(/Ctrl-C stops both/, hang);
  const plane = pidOf(join(terminal.folder, 'var', 'control-plane'));
  // It does not answer the gateway's goodbye, which is waited for.
  process.kill(plane, 'SIGSTOP');
  t.teardown(() => alive(plane) && process.kill(plane, 'SIGKILL'));
  terminal.press('\u0003');
  const pressedAtMs = performance.now();
  await until(() => terminal.codes('gateway').length > 0 && performance.now() - pressedAtMs > personMs, {
    what: 'the drain having begun, and a person losing patience',
    ...hang,
  });
  t.equal(terminal.process.exit, undefined, 'it is still at it');
  terminal.press('\u0003');
  await terminal.process.exited;
  t.same(terminal.codes('gateway'), ['stopping', 'stop-now']);
  await until(() => !alive(plane), { what: 'nothing being left behind', ...hang });
});

t.test(
  'daemon - the same request from two sides is one: npx passes on what the terminal sent already',
  async (t) => {
    const folder = folderOf(t);
    writeFileSync(join(folder, 'settings.yaml'), 'status: { listen: "127.0.0.1:0" }\nlisteners: {}\n');
    const gateway = startProcess(t, {
      name: 'gateway',
      args: [join(projectRoot, 'dist', 'gateway', 'main.js'), 'run', '--data', folder],
      folder: join(folder, 'logs'),
    });
    await gateway.waitForLine(/"code":"ready"/, { from: 'stderr', ...hang });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGINT'] as const) gateway.signal(signal);
    t.equal((await gateway.exited).code, 0);
    t.match(gateway.stderr, /"code":"stopped"/);
    t.notMatch(gateway.stderr, /"code":"stop-now"/);
  },
);

/** Of the daemon with this data directory. */
function pidOf(directory: string): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(directory);
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`no process has ${directory}`);
  return Number(found);
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
