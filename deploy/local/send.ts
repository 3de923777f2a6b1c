/** `npm run send`: a few messages of the simulated ward to a gateway on the default port. */
import { MllpSender } from './mllp-sender.ts';
import { criticalResult, wardMessage } from './ward.ts';

const [host = '127.0.0.1', port = '2575'] = (process.argv[2] ?? '').split(':').filter((part) => part !== '');
const sender = new MllpSender(() => ({ host, port: Number(port) }));
// One patient: admitted, ordered for, resulted; then a critical value.
const messages = [
  wardMessage(1, new Date()),
  wardMessage(41, new Date()),
  wardMessage(161, new Date()),
  criticalResult(1, new Date()),
];
for (const { controlId, text, what } of messages) {
  const code = await sender.send(text, controlId);
  process.stdout.write(`${controlId.padEnd(10)} ${what.padEnd(20)} answered ${code}\n`);
}
sender.close();
