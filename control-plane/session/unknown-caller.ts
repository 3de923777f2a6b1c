/**
 * Enroll is the one call that comes without a certificate, so anybody may make it: it gets little room and little
 * time. grpc-js knows one limit for all calls and no time for a body; the limits of one call are its own fields, which
 * the door of this library may know [grpc-js 1.14, BaseServerInterceptingCall].
 */
import * as grpc from '@grpc/grpc-js';

/** A secret, a CSR, a host name and a version: under 2 KiB. */
const bytesMax = 16 * 1024;
const timeoutMs = 10_000;

interface Limited {
  maxReceiveMessageSize?: number;
  decoder?: { maxReadMessageLength?: number };
}

export function limitUnknownCaller(call: grpc.ServerInterceptingCallInterface): grpc.ServerInterceptingCall {
  const limited = call as unknown as Limited;
  if (limited.decoder?.maxReadMessageLength === undefined || limited.maxReceiveMessageSize === undefined)
    throw new Error('grpc-js does not limit a call where it did');
  limited.maxReceiveMessageSize = bytesMax;
  limited.decoder.maxReadMessageLength = bytesMax;
  const late = setTimeout(() => {
    const details = `the request did not come within ${timeoutMs} ms`;
    call.sendStatus({ code: grpc.status.DEADLINE_EXCEEDED, details, metadata: new grpc.Metadata() });
  }, timeoutMs).unref();
  return new grpc.ServerInterceptingCall(call, {
    start(next) {
      next(
        new grpc.ServerListenerBuilder()
          .withOnReceiveHalfClose((go) => {
            clearTimeout(late);
            go();
          })
          .withOnCancel(() => clearTimeout(late))
          .build(),
      );
    },
  });
}
