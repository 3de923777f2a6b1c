/**
 * MLLP load: distinct messages, an answer counted only by MSA-2, one JSON line at the end.
 *
 *   node load-mllp.js --port P [--connections 64] [--window 1] [--rate R] [--seconds 5] [--kind oru | mixed]
 *                     [--count N [--most SECONDS]] [--times] [--ledger FILE] [--first N] [--seed S] [--ca F [--cert F --key F]]
 *
 * With --ledger each send waits for its fsync, as the fault rows need: then the figures are the ledger's too.
 */
import { parseArgs } from 'node:util';
import { readAcknowledgment } from '../kit/hl7-peek.ts';
import { entryOf, SenderLedger } from '../kit/ledger.ts';
import { type MessageKind, messageMaker, mixedMaker } from '../kit/messages.ts';
import { Deframer } from '../kit/mllp-frame.ts';
import { loadFlags, loadOptions, runLoad } from './load.ts';
import { openLoadSocket, turnWriter } from './load-socket.ts';

const { values } = parseArgs({
  options: {
    ...loadFlags,
    kind: { type: 'string', default: 'oru' },
    source: { type: 'string', default: 'mllp' },
  },
});
const seed = Number(values.seed);
const make =
  values.kind === 'mixed' ? mixedMaker({ seed }) : messageMaker({ seed, kind: values.kind as MessageKind });
const ledger = values.ledger === undefined ? undefined : new SenderLedger(values.ledger);
// Of the messages themselves, without framing.
let sentBytes = 0;

const result = await runLoad(loadOptions(values), async (index, events) => {
  const socket = await openLoadSocket({ ...values, port: Number(values.port) });
  const write = turnWriter(socket);
  const deframer = new Deframer((message) => {
    const { code, controlId } = readAcknowledgment(message);
    // The last eleven digits of our control IDs are n.
    const n = Number(controlId.slice(-11));
    const positive = code === 'AA' || code === 'CA';
    ledger?.answered(n, code);
    if (!positive) events.failed(`answer ${code}`);
    events.answered(n, positive);
  });
  socket.on('data', (chunk: Buffer) => {
    try {
      deframer.push(chunk);
    } catch (error) {
      events.failed((error as Error).message);
      socket.destroy();
    }
  });
  socket.on('error', (error) => events.failed(error.message));
  socket.on('close', () => events.closed());
  return {
    send: (n) => {
      const message = make(n);
      sentBytes += message.bytes.length;
      if (!ledger) {
        write(message.framed);
        return;
      }
      const more = { source: values.source, key: message.patientId, connection: String(index) };
      ledger.sent(entryOf(message, more)).then(() => write(message.framed), ledgerFailed);
    },
    close: () => socket.destroy(),
  };
});
ledger?.close();
for (const [kind, times] of Object.entries(result.errorKinds)) process.stderr.write(`${times} x ${kind}\n`);
console.log(JSON.stringify({ load: 'mllp', kind: values.kind, sentBytes, ...result }));

// A send that is not in the ledger must not happen: the run is void.
function ledgerFailed(error: unknown): void {
  process.stderr.write(`ledger: ${String(error)}\n`);
  process.exit(74);
}
