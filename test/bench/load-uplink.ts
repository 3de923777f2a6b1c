/**
 * A gateway that is nothing but its uplink: sends batches of encoded envelopes as fast as the other end takes
 * them, to the real control plane (--identity) or to load-stream's sink (--sink), with the same bytes and
 * the same amount in flight. Prints one JSON line.
 *
 *   node load-uplink.js (--identity DIR | --sink HOST:PORT --ca FILE) [--batch 100] [--seconds 5]
 *
 * Envelopes are what the gateway's worker makes of the kit's 1 KB results, each with a record position, hash
 * and message control ID of its own; bodies repeat after some hundreds. Invariants: no more in flight than the
 * routine lane's credit; an event counts when it is acknowledged; a refusal ends the run with an error.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { compileMeaning } from '../../gateway/meaning-of-text.ts';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { loadIdentity } from '../../gateway/uplink/identity.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import {
  Envelope,
  GatewayFrame,
  Hello,
  PlaneFrame,
  UplinkService,
} from '../../proto/gen/hilum/v1/session.ts';
import { controlPlaneName, wireLimits } from '../../proto/limits.ts';
import { messageMaker } from '../kit/messages.ts';
import { histogram, recordMs, spreadOf } from './latency.ts';

const { values } = parseArgs({
  options: {
    identity: { type: 'string' },
    sink: { type: 'string' },
    ca: { type: 'string' },
    batch: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '1' },
  },
});
const perBatch = Number(values.batch);
const lane = 'routine';
const credit = wireLimits.credit[lane];
/** From here to 2^28 a varint has four bytes, so that record sequences can be patched. */
const sequenceBase = 2 ** 21;
const epoch = randomBytes(8).readBigUInt64BE();

const makeEnvelope = envelopeMaker();
const bytesEach = makeEnvelope(1).length;
const inFlightMax = Math.floor(Math.min(credit.events, credit.bytes / bytesEach) / perBatch);

const raw = (bytes: Buffer) => bytes;
const limits = {
  'grpc.max_receive_message_length': wireLimits.messageBytesMax,
  'grpc.max_send_message_length': wireLimits.messageBytesMax,
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
  'grpc.enable_http_proxy': 0,
};
const { call, client } = values.sink === undefined ? await openSession() : openSink(values.sink);

const latency = histogram();
/** Batches on their way: the last sequence of each and when it went. */
const flights: { through: number; at: number }[] = [];
let [sequence, acked] = [0, 0];
const startedAt = performance.now();
const measureFrom = startedAt + Number(values.warmup) * 1000;
const measureTo = measureFrom + Number(values.seconds) * 1000;
let finish = () => {};
const finished = new Promise<void>((resolve) => {
  finish = resolve;
});

function send(): void {
  const bytes = nextBatch();
  flights.push({ through: sequence, at: performance.now() });
  call.write(bytes);
}

function acknowledged(through: number): void {
  const now = performance.now();
  while (flights[0] && flights[0].through <= through) {
    const flight = flights.shift()!;
    if (now >= measureFrom && now < measureTo) {
      acked += perBatch;
      recordMs(latency, now - flight.at);
    }
  }
  if (now >= measureTo) finish();
  else while (flights.length < inFlightMax) send();
}

call.on('error', (error: Error) => {
  if (performance.now() < measureTo) fail(`the stream broke: ${error.message}`);
});
call.on('data', (bytes: Buffer) => {
  if (values.sink !== undefined) {
    acknowledged(flights[0]?.through ?? 0);
    return;
  }
  const { frame } = PlaneFrame.decode(bytes);
  if (frame?.$case === 'ack') acknowledged(Number(frame.value.sequence));
  else if (frame?.$case === 'refusal') fail(`refused: ${frame.value.code}`);
});
while (flights.length < inFlightMax) send();
await finished;
const rate = Math.round(acked / Number(values.seconds));
const figures = { batch: perBatch, bytesEach, inFlight: inFlightMax * perBatch, events: sequence, rate };
console.log(
  JSON.stringify({ load: 'uplink', sink: values.sink !== undefined, ...figures, ...spreadOf(latency) }),
);
call.cancel();
client.close();

function nextBatch(): Buffer {
  const firstSequence = BigInt(sequence + 1);
  const envelopes: Buffer[] = [];
  const nowUs = BigInt(Date.now() * 1000);
  for (let n = 0; n < perBatch; n += 1) {
    sequence += 1;
    envelopes.push(makeEnvelope(sequence));
  }
  const queuedAtUs = envelopes.map(() => nowUs);
  const value = { epoch, lane, firstSequence, envelopes, queuedAtUs, sentAtUs: nowUs };
  return frameBytes({ frame: { $case: 'batch', value } });
}

/**
 * Message n of the kit as an encoded envelope; scanning, mapping and encoding were done before, and what makes
 * it this one (record position, hash, message control ID) is patched in place: a generator that encodes would
 * measure itself.
 */
function envelopeMaker(): (n: number) => Buffer {
  const record = JournalRecord.fromPartial({ source: 'mllp', protocol: 'mllp' });
  const context = compileMeaning('', 0).contextFor(record);
  const make = messageMaker({ seed: 1, kind: 'oru' });
  const nowUs = BigInt(Date.now() * 1000);
  const templates = Array.from({ length: 500 }, (_, n) => {
    const { bytes } = make(n);
    const [event] = normalizeHl7v2(bytes, context).events;
    if (!event) throw new Error('the message gave no event');
    const [mark, markId] = [Buffer.alloc(32, 0xa7), 'B~~~~~~~~~~~~~~~'];
    const encoded = Buffer.from(
      Envelope.encode({
        recordEpoch: epoch,
        recordSequence: BigInt(sequenceBase),
        recordSha256: mark,
        index: 1,
        count: 1,
        source: 'mllp',
        kind: event.kind,
        messageControlId: markId,
        capturedAtUs: nowUs,
        journaledAtUs: nowUs,
        normalizedAtUs: nowUs,
        event: ClinicalEvent.encode(event).finish(),
        raw: bytes,
        repeat: false,
        replaces: false,
        routes: [],
      }).finish(),
    );
    const hashAt = encoded.indexOf(mark);
    // The sequence is the four bytes before the hash's tag and length.
    return { encoded, hashAt, sequenceAt: hashAt - 6, idAt: encoded.indexOf(markId) };
  });
  return (n) => {
    const { encoded, hashAt, sequenceAt, idAt } = templates[n % templates.length]!;
    const envelope = Buffer.from(encoded);
    let rest = sequenceBase + n;
    for (let byte = 0; byte < 4; byte += 1) {
      envelope[sequenceAt + byte] = (rest & 0x7f) | (byte < 3 ? 0x80 : 0);
      rest >>>= 7;
    }
    envelope.writeUInt32BE(n, hashAt);
    envelope.write(`B${String(n).padStart(15, '0')}`, idAt, 'latin1');
    return envelope;
  };
}

function frameBytes(frame: GatewayFrame): Buffer {
  const bytes = GatewayFrame.encode(frame).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function openSink(address: string) {
  const ca = readFileSync(values.ca!);
  const to = new grpc.Client(address, grpc.credentials.createSsl(ca), limits);
  return { client: to, call: to.makeBidiStreamRequest<Buffer, Buffer>('/hilum.bench.Raw/Stream', raw, raw) };
}

async function openSession() {
  const identity = loadIdentity(values.identity ?? '');
  if (identity === undefined) throw new Error('--identity names no enrolled gateway, and there is no --sink');
  const [ca, key, cert] = [identity.caPem, identity.keyPem, identity.certificatePem].map((pem) =>
    Buffer.from(pem),
  ) as [Buffer, Buffer, Buffer];
  const to = new grpc.Client(identity.address, grpc.credentials.createSsl(ca, key, cert), {
    ...limits,
    'grpc.ssl_target_name_override': controlPlaneName,
  });
  const stream = to.makeBidiStreamRequest<Buffer, Buffer>(UplinkService.session.path, raw, raw);
  const { gateway } = identity;
  const lanes = ['stat', 'urgent', 'routine', 'bulk'].map((name) => ({ lane: name, first: 1n, last: 0n }));
  const hello = Hello.fromPartial({ gateway, version: 'bench', epoch, lanes });
  stream.write(frameBytes({ frame: { $case: 'hello', value: hello } }));
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject);
    stream.once('data', (bytes: Buffer) => {
      stream.off('error', reject);
      const { frame } = PlaneFrame.decode(bytes);
      if (frame?.$case === 'welcome') resolve();
      else reject(new Error(`not welcomed: ${frame?.$case}`));
    });
  });
  return { client: to, call: stream };
}

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
