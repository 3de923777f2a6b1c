/** `npm run send [-- [HOST:PORT] [FILE …]]`: HL7 v2 messages to a gateway over MLLP; without a file, those of the simulated ward. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { exitCode, HilumError, messageOf } from '../../gateway/process/errors.ts';
import { failWith } from '../../gateway/process/lifecycle.ts';
import { unreadable } from '../../gateway/process/storage.ts';
import { readAddress } from '../../proto/address.ts';
import { MllpSender } from './mllp-sender.ts';
import { gatewayStatus } from './stack.ts';
import { criticalResult, type WardMessage, wardMessage } from './ward.ts';

const answerMs = 10_000;

const usage = `npm run send [-- [HOST:PORT] [FILE …]]

HL7 v2 messages to a gateway over MLLP; without an address to the one that npm start runs here, without a file those of
a simulated ward.
`;

async function send(args: readonly string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return;
  }
  const named = args.find(isAddress) ?? (await localListener()) ?? '127.0.0.1:2575';
  const address = readAddress(named);
  if (address === undefined || address.port === 0) {
    throw new HilumError('usage', `${named} is no host:port with a port from 1 to 65535.`, {
      exit: exitCode.usage,
    });
  }
  const files = args.filter((arg) => !isAddress(arg));
  const messages = files.length === 0 ? ward() : files.flatMap(messagesOf);
  await reach(address, named);
  const sender = new MllpSender(() => address);
  try {
    for (const { controlId, text, what } of messages) {
      const code = await answered(sender.send(text, controlId), controlId);
      process.stdout.write(`${controlId.padEnd(10)} ${what.padEnd(20)} answered ${code}\n`);
    }
  } finally {
    sender.close();
  }
}

/** The MLLP listener without TLS of the gateway that `npm start` runs here; its settings may name another port. */
async function localListener(): Promise<string | undefined> {
  const status = await gatewayStatus(join(process.cwd(), 'var'));
  return status?.listeners.find(({ type, tls }) => type === 'mllp' && tls === 'none')?.address;
}

function isAddress(arg: string): boolean {
  return /^[^/\s]+:\d{1,5}$/.test(arg);
}

/** One patient: admitted, ordered for, resulted; then a critical value. */
function ward(): WardMessage[] {
  const now = new Date();
  return [wardMessage(1, now), wardMessage(41, now), wardMessage(161, now), criticalResult(1, now)];
}

/** The messages of a file, one after the other; segments may end in CR, LF or CRLF. Bytes stay bytes. */
function messagesOf(file: string): WardMessage[] {
  let text: string;
  try {
    text = readFileSync(file, 'latin1').replace(/\r?\n/g, '\r').trim();
  } catch (cause) {
    throw new HilumError('file-missing', `The file ${file} cannot be read${unreadable(cause)}.`, {
      exit: exitCode.usage,
      cause,
    });
  }
  if (!/^MSH./.test(text)) {
    throw new HilumError('usage', `${file} does not begin with an HL7 v2 message (MSH).`, {
      exit: exitCode.usage,
    });
  }
  return text.split(/\r+(?=MSH[^A-Za-z0-9\r])/).map((message) => {
    const [header = ''] = message.split('\r', 1);
    const fields = header.split(header[3] ?? '|');
    return { controlId: fields[9] ?? '', text: `${message}\r`, what: fields[8] ?? '' };
  });
}

/** The sender tries again for ever; who types a command wants to know that nobody is there. */
function reach(address: { host: string; port: number }, named: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', (cause) =>
      reject(
        new HilumError('unreachable', `No gateway takes MLLP at ${named}: ${messageOf(cause)}`, {
          hint: 'Start one with "npm start", or name another: npm run send -- HOST:PORT',
          exit: exitCode.unreachable,
          cause,
        }),
      ),
    );
  });
}

function answered(answer: Promise<string>, controlId: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () =>
        reject(
          new HilumError('no-answer', `${controlId} was not answered within ${answerMs / 1000} s.`, {
            hint: 'Look at "hilum-gateway status" and the log of the gateway.',
          }),
        ),
      answerMs,
    );
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

send(process.argv.slice(2)).catch(failWith);
