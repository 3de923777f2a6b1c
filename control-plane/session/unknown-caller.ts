/**
 * Callers without a certificate that is good here. Enroll is the one call that they may make, so anybody may make it: it
 * gets little room and little time, and few are open at once. grpc-js knows one limit for all calls and no time for a
 * body, and where it has answered it waits for as long as the caller likes to end its half; the limits and the stream of
 * one call are its own fields, which the door of this library may know [grpc-js 1.14, BaseServerInterceptingCall].
 */
import type { ServerHttp2Stream } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { Places } from '../../gateway/process/places.ts';

/** A secret, a CSR, a host name and a version: under 2 KiB. */
const bytesMax = 16 * 1024;
const timeoutMs = 10_000;
/** Each takes milliseconds, unless somebody holds it open. */
const [callsMax, callsPerAddressMax] = [256, 64] as const;

type Call = grpc.ServerInterceptingCallInterface;

interface Inner {
  maxReceiveMessageSize?: number;
  decoder?: { maxReadMessageLength?: number };
  stream?: ServerHttp2Stream;
}

export class UnknownCallers {
  readonly #places = new Places<ServerHttp2Stream>(callsMax, callsPerAddressMax);

  /** An Enroll. */
  admit(call: Call): grpc.ServerInterceptingCall {
    const address = call.getPeer().replace(/:\d+$/, '');
    if (this.#places.isFull(address))
      return refusedCall(call, grpc.status.RESOURCE_EXHAUSTED, 'too many enrollments are open: try again');
    const limited = call as unknown as Inner;
    if (limited.decoder?.maxReadMessageLength === undefined || limited.maxReceiveMessageSize === undefined)
      throw new Error('grpc-js does not limit a call where it did');
    limited.maxReceiveMessageSize = bytesMax;
    limited.decoder.maxReadMessageLength = bytesMax;
    const stream = streamOf(call);
    this.#places.take(stream, address);
    const late = setTimeout(() => {
      end(call, grpc.status.DEADLINE_EXCEEDED, `the request did not come within ${timeoutMs} ms`);
    }, timeoutMs).unref();
    stream.once('close', () => clearTimeout(late));
    return new grpc.ServerInterceptingCall(call, {
      start(next) {
        next(
          new grpc.ServerListenerBuilder()
            .withOnReceiveHalfClose((go) => {
              clearTimeout(late);
              go();
            })
            .build(),
        );
      },
    });
  }
}

/** One that is answered with a status before anything of it is read. */
export function refusedCall(call: Call, code: grpc.status, details: string): grpc.ServerInterceptingCall {
  return new grpc.ServerInterceptingCall(call, {
    start(next) {
      next(new grpc.ServerListenerBuilder().withOnReceiveMetadata(() => end(call, code, details)).build());
    },
  });
}

/** Answers, unless that was done, and ends both halves: what the caller leaves open would keep its connection for good. */
function end(call: Call, code: grpc.status, details: string): void {
  call.sendStatus({ code, details, metadata: new grpc.Metadata() });
  streamOf(call).close();
}

function streamOf(call: Call): ServerHttp2Stream {
  const { stream } = call as unknown as Inner;
  if (stream === undefined) throw new Error('grpc-js does not keep the stream of a call where it did');
  return stream;
}
