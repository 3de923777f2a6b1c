/** `npm start`: the whole product on this machine, state under ./var, until Ctrl-C. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCode } from '../../gateway/process/errors.ts';
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
} from './stack.ts';

const directory = join(process.cwd(), 'var');
const say = (line: string) => process.stdout.write(`${line}\n`);

const running: Program[] = [];
let stopping = false;
const stop = (exit: number) => {
  if (stopping) process.exit(1);
  stopping = true;
  say('\nStopping: the gateway first, so that everything that it answered is on disk or at the centre.');
  void (async () => {
    for (const one of [...running].reverse()) {
      one.child.kill('SIGTERM');
      await one.exited;
    }
    process.exit(exit);
  })();
};
process.on('SIGINT', () => stop(0));
process.on('SIGTERM', () => stop(0));

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
  npm run send                                     send an admission, an order and a critical potassium over MLLP
  npx hilumctl events --follow                     watch the canonical events come in
  npx hilumctl trace DEMO1                         every hop of the first message
  npx hilumctl custody                             what became of every record
  npx hilumctl config push deploy/config/site.yaml --site local --reason "first config"
  npx hilum-gateway status --data var/gateway      npx hilum-gateway doctor --data var/gateway

Logs: var/gateway.log, var/control-plane.log. Ctrl-C stops both.`);
  for (const one of running) {
    void one.exited.then((code) => {
      if (stopping) return;
      say(`${one.name} ended with exit ${code ?? 'by a signal'}; its log is ${one.logFile}`);
      stop(code === null || code === 0 ? 1 : code);
    });
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  const exit = error instanceof Ended ? error.exit : exitCode.failed;
  if (exit === exitCode.badConfig) {
    process.stderr.write(
      'Settings are read from var/control-plane/settings.yaml and var/gateway/settings.yaml; deploy/settings/ explains every key.\n',
    );
  }
  // What runs already is stopped as it would be by Ctrl-C: it may hold answered messages.
  for (const one of [...running].reverse()) {
    one.child.kill('SIGTERM');
    await one.exited;
  }
  process.exit(exit);
}
