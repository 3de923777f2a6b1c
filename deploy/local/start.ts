/** `npm start`: the whole product on this machine, state under ./var, until Ctrl-C. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCode } from '../../gateway/process/errors.ts';
import { sameRequestMs } from '../../gateway/process/lifecycle.ts';
import {
  contextFile,
  controlPlaneReady,
  Ended,
  enrollGateway,
  gatewayReady,
  gatewayStatus,
  type Program,
  startControlPlane,
  startGateway,
  takesNothing,
} from './stack.ts';

takesNothing(
  'npm start',
  'a control plane and an enrolled gateway on this machine, state under ./var, until Ctrl-C',
);

const directory = join(process.cwd(), 'var');
const say = (line: string) => process.stdout.write(`${line}\n`);

const running: Program[] = [];
/** After the second Ctrl-C a daemon that does not end by itself is ended. */
const lastWordsMs = 1_000;
let stoppingAtMs: number | undefined;
let atOnce = false;

const stop = (exit: number) => {
  if (stoppingAtMs !== undefined) return;
  stoppingAtMs = performance.now();
  say('\nStopping: the gateway first, so that everything that it answered is on disk or at the centre.');
  void stopAll().then(() => process.exit(atOnce ? exitCode.failed : exit));
};

/** One after the other, the last one first: the gateway hands over what it can while its peer is there. */
async function stopAll(): Promise<void> {
  for (const one of [...running].reverse()) {
    one.child.kill('SIGTERM');
    await one.exited;
  }
}

const onSignal = () => {
  if (stoppingAtMs === undefined) stop(0);
  else if (!atOnce && performance.now() - stoppingAtMs > sameRequestMs) {
    atOnce = true;
    say('Ending at once: what is answered is on disk, and goes on with the next start.');
    for (const { child } of running) child.kill('SIGTERM');
    setTimeout(() => {
      for (const { child } of running) child.kill('SIGKILL');
      process.exit(exitCode.failed);
    }, lastWordsMs);
  }
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

try {
  const controlPlane = startControlPlane(directory);
  running.push(controlPlane);
  await controlPlaneReady(directory, controlPlane);
  const { address } = JSON.parse(readFileSync(contextFile(directory), 'utf8')) as { address: string };
  say(`control plane   ${address} (gRPC, mutual TLS), its CA and store under var/control-plane`);
  await enrollGateway(directory, 'local');
  const gateway = startGateway(directory);
  running.push(gateway);
  await gatewayReady(directory, gateway, true);
  const status = await gatewayStatus(directory);
  for (const { name, address } of status?.listeners ?? []) say(`gateway         ${name} ${address}`);
  say('gateway         enrolled and connected, its journal under var/gateway');
  say(`
Try, in another terminal:
  npm run send                                     an admission, an order, a result, a critical potassium over MLLP
  npx hilumctl events --follow                     watch the canonical events come in
  npx hilumctl trace DEMO1                         every hop of the first message
  npx hilumctl custody                             what became of every record
  npx hilumctl config push deploy/config/site.yaml --site local --reason "first config"
  npx hilum-gateway status --data var/gateway      what the gateway says of itself
  npx hilum-gateway doctor --data var/gateway      what is wrong at the site, and what to do

Logs: var/gateway.log, var/control-plane.log. Ctrl-C stops both.`);
  for (const one of running) {
    void one.exited.then((code) => {
      if (stoppingAtMs !== undefined) return;
      say(`${one.name} ended with exit ${code ?? 'by a signal'}; its log is ${one.logFile}`);
      stop(code === null || code === 0 ? 1 : code);
    });
  }
} catch (error) {
  // What was stopped while it started has nothing else to say.
  if (stoppingAtMs !== undefined) await new Promise(() => {});
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  const exit = error instanceof Ended ? error.exit : exitCode.failed;
  if (exit === exitCode.badConfig) {
    process.stderr.write(
      'Settings are read from var/control-plane/settings.yaml and var/gateway/settings.yaml; deploy/settings/ explains every key.\n',
    );
  }
  // What runs already is stopped as it would be by Ctrl-C: it may hold answered messages.
  await stopAll();
  process.exit(exit);
}
