/** `npm start`: the whole product on this machine, state under ./var, until Ctrl-C. */
import { join } from 'node:path';
import {
  controlPlaneReady,
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
const stop = () => {
  if (stopping) process.exit(1);
  stopping = true;
  say('\nStopping: the gateway first, so that everything that it answered is on disk or at the centre.');
  void (async () => {
    for (const one of [...running].reverse()) {
      one.child.kill('SIGTERM');
      await one.exited;
    }
    process.exit(0);
  })();
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);

try {
  const controlPlane = startControlPlane(directory, '127.0.0.1:7443', '127.0.0.1:7480');
  running.push(controlPlane);
  await controlPlaneReady(directory, controlPlane);
  say('control plane   127.0.0.1:7443 (gRPC, mutual TLS), its CA and store under var/control-plane');
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
      stop();
    });
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  for (const one of running) one.child.kill('SIGKILL');
  process.exit(1);
}
