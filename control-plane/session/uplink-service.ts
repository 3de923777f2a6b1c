/** The Uplink and Enrollment services on gRPC: streams become lines, calls become answers. */
import * as grpc from '@grpc/grpc-js';
import { HilumError } from '../../gateway/process/errors.ts';
import { errorWord, type Log } from '../../gateway/process/log.ts';
import {
  type EnrollmentServer,
  EnrollmentService,
  type EnrollRequest,
  type EnrollResponse,
  PlaneFrame,
  type RenewResponse,
  type UplinkServer,
  UplinkService,
} from '../../proto/gen/hilum/v1/session.ts';
import { exitKey } from '../../proto/limits.ts';
import type { Peer } from '../identity/peers.ts';
import { type Objection, type Received, readFrame } from './door.ts';
import { type AnyCall, denied, type GrpcServer } from './grpc-server.ts';
import type { Line, Sessions } from './sessions.ts';

export interface UplinkHandlers {
  /** @param before who asks, where it does so under the verified certificate of a gateway. */
  enroll(request: EnrollRequest, peer: string, before: Peer | undefined): Promise<EnrollResponse>;
  renew(csr: Uint8Array, peer: Peer): Promise<RenewResponse>;
  log: Log;
}

export function addUplink(server: GrpcServer, sessions: Sessions, handlers: UplinkHandlers): void {
  const enrollment: EnrollmentServer = {
    enroll(call, callback) {
      handlers.enroll(call.request, call.getPeer(), gatewayOf(server, call as unknown as AnyCall)).then(
        (response) => callback(null, response),
        (error: unknown) => callback(toStatus(error, call.getPath(), handlers.log)),
      );
    },
  };
  const uplink: Pick<UplinkServer, 'renew'> & { session: (call: SessionCall) => void } = {
    session(call) {
      let peer: Peer;
      try {
        peer = server.peer(call as unknown as AnyCall, 'gateway');
      } catch (error) {
        call.emit('error', error);
        return;
      }
      serveSession(call, sessions, peer, () =>
        handlers.log('warn', 'session-unread', { gateway: peer.name, framesMax: unreadFramesMax }),
      );
    },
    renew(call, callback) {
      Promise.resolve()
        .then(() => handlers.renew(call.request.csr, server.peer(call as unknown as AnyCall, 'gateway')))
        .then(
          (response) => callback(null, response),
          (error: unknown) => callback(toStatus(error, call.getPath(), handlers.log)),
        );
    },
  };
  server.server.addService(EnrollmentService, enrollment);
  const session = {
    ...UplinkService.session,
    requestDeserialize: readFrame,
    responseSerialize: serializeFrame,
  };
  server.server.addService({ ...UplinkService, session }, uplink as never);
}

/** An enrollment may come with the certificate that it replaces, or with none, or with one that is not ours. */
function gatewayOf(server: GrpcServer, call: AnyCall): Peer | undefined {
  try {
    return server.peer(call, 'gateway');
  } catch {
    return undefined;
  }
}

/** Its frames come through the door. */
type SessionCall = grpc.ServerDuplexStream<Received | Objection, PlaneFrame>;

function serveSession(call: SessionCall, sessions: Sessions, peer: Peer, onUnread: () => void): void {
  let open = true;
  const line: Line = {
    peer: call.getPeer(),
    send(frame) {
      if (!open) return;
      call.write(frame);
      if (call.writableLength <= unreadFramesMax) return;
      // It asks and does not read: what it is told would wait here without an end.
      open = false;
      onUnread();
      call.destroy();
    },
    close() {
      if (!open) return;
      open = false;
      call.end();
    },
  };
  const session = sessions.open(line, peer);
  const ended = () => {
    open = false;
    session.ended();
  };
  call.on('data', (received: Received | Objection) => session.receive(received));
  // A clean half-close and a cancelled call look the same here (measured); only Goodbye tells them apart.
  call.on('end', () => {
    line.close();
    session.ended();
  });
  call.on('cancelled', ended);
  call.on('error', ended);
  call.on('close', ended);
}

/** More than a gateway that reads ever has before it: acks of what its credit lets it send, and what it asked for. */
const unreadFramesMax = 10_000;

function serializeFrame(frame: PlaneFrame): Buffer {
  const bytes = PlaneFrame.encode(frame).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What a caller is told: our own refusals by their text, anything else without detail, and with a line in the log. */
export function toStatus(error: unknown, path: string, log: Log): grpc.StatusObject & Error {
  if (error instanceof HilumError) {
    const text = error.hint === '' ? error.message : `${error.message} ${error.hint}`;
    const codes: Record<number, grpc.status> = {
      2: grpc.status.INVALID_ARGUMENT,
      3: grpc.status.PERMISSION_DENIED,
    };
    const status = denied(codes[error.exit] ?? grpc.status.FAILED_PRECONDITION, text);
    status.metadata.set(exitKey, String(error.exit));
    return status;
  }
  if (typeof (error as { code?: unknown }).code === 'number') return error as grpc.StatusObject & Error;
  log('error', 'call-failed', { path, reason: errorWord(error) });
  return denied(grpc.status.INTERNAL, 'The control plane failed on this call; its log has the code.');
}
