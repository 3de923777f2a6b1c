/**
 * The limit of P8: batches of encoded events over one bidirectional gRPC stream with TLS, acknowledged by a
 * receiver that stores nothing. Bytes go as they are: no encoding, no decoding. Client and server are two
 * processes; prints one JSON line. `--role server` alone is a sink for load-uplink: it prints
 * "listening {port, caPem}" and runs until it is ended.
 *
 *   node load-stream.js [--batch 100] [--event-bytes 1024] [--credit 8] [--seconds 5]
 *
 * Invariant: no more than `credit` batches are unacknowledged; an event counts when its batch is acknowledged.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { createTestCa } from '../kit/tls.ts';
import { histogram, recordMs, spreadOf } from './latency.ts';

const { values } = parseArgs({
  options: {
    role: { type: 'string', default: 'client' },
    batch: { type: 'string', default: '100' },
    'event-bytes': { type: 'string', default: '1024' },
    credit: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '1' },
  },
});
const path = '/hilum.bench.Raw/Stream';
const raw = (bytes: Buffer) => bytes;
const limits = {
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
};

if (values.role === 'server') await serve();
else await run();

async function serve(): Promise<void> {
  const ca = await createTestCa();
  const { certPem, keyPem } = await ca.issue({ commonName: 'sink' });
  const server = new grpc.Server(limits);
  const method = {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  } as const;
  const stream = (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
    call.on('error', () => {});
    // The batch's number is its first eight bytes.
    call.on('data', (batch: Buffer) => call.write(Buffer.from(batch.subarray(0, 8))));
    call.on('end', () => call.end());
  };
  server.addService({ Stream: method }, { Stream: stream });
  const pair = { private_key: Buffer.from(keyPem), cert_chain: Buffer.from(certPem) };
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createSsl(null, [pair]), (error, port) => {
    if (error) throw error;
    const place = { port, caPem: ca.certPem };
    if (process.send) process.send(place);
    else console.log(`listening ${JSON.stringify(place)}`);
  });
}

async function run(): Promise<void> {
  const server = fork(fileURLToPath(import.meta.url), ['--role', 'server'], { execArgv: process.execArgv });
  const { port, caPem } = await new Promise<{ port: number; caPem: string }>((resolve) => {
    server.once('message', (message) => resolve(message as { port: number; caPem: string }));
  });
  const credentials = grpc.credentials.createSsl(Buffer.from(caPem));
  const client = new grpc.Client(`localhost:${port}`, credentials, {
    ...limits,
    'grpc.enable_http_proxy': 0,
  });
  const [perBatch, eventBytes] = [Number(values.batch), Number(values['event-bytes'])];
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(path, raw, raw);
  const latency = histogram();
  const startedAt = performance.now();
  const measureFrom = startedAt + Number(values.warmup) * 1000;
  const measureTo = measureFrom + Number(values.seconds) * 1000;
  const sentAt = new Map<bigint, number>();
  let [next, acked, finished] = [0n, 0, () => {}];
  const send = () => {
    const batch = Buffer.alloc(perBatch * eventBytes, 65);
    batch.writeBigUInt64BE(next);
    sentAt.set(next, performance.now());
    next += 1n;
    call.write(batch);
  };
  const done = new Promise<void>((resolve) => {
    finished = resolve;
  });
  call.on('error', () => finished());
  call.on('data', (ack: Buffer) => {
    const now = performance.now();
    const number = ack.readBigUInt64BE();
    if (now >= measureFrom && now < measureTo) {
      acked += perBatch;
      recordMs(latency, now - sentAt.get(number)!);
    }
    sentAt.delete(number);
    if (now < measureTo) send();
    else finished();
  });
  for (let credit = 0; credit < Number(values.credit); credit += 1) send();
  await done;
  const rate = Math.round(acked / Number(values.seconds));
  const figures = { batch: perBatch, eventBytes, credit: Number(values.credit), rate, ...spreadOf(latency) };
  console.log(JSON.stringify({ load: 'stream', tls: true, ...figures }));
  client.close();
  server.kill();
}
