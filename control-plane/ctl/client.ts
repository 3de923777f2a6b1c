/** hilumctl's one door to grpc-js: a client from a context file, and calls whose failures a person understands. */
import { readFileSync, statSync } from 'node:fs';
import * as grpc from '@grpc/grpc-js';
import { codeOf, exitCode, HilumError } from '../../gateway/process/errors.ts';
import { plainReason, reasonHint } from '../../gateway/process/line-reason.ts';
import { AdminClient } from '../../proto/gen/hilum/v1/admin.ts';
import { controlPlaneName, exitKey, wireLimits } from '../../proto/limits.ts';
import type { AdminContext } from '../identity/admin-context.ts';

const deadlineMs = 30_000;
/** A stream that is not to wait for what comes says something within this time. */
export const silenceMs = 30_000;
const defaultContext = './var/control-plane/admin.json';

export interface Connection {
  client: AdminClient;
  address: string;
  close(): void;
}

/** @param named --context, else HILUM_CONTEXT, else ./var/control-plane/admin.json */
export function connect(named: string | undefined): Connection {
  const file = named ?? process.env.HILUM_CONTEXT ?? defaultContext;
  const context = readContext(file);
  let credentials: grpc.ChannelCredentials;
  try {
    const [ca, key, cert] = [context.caPem, context.keyPem, context.certPem].map((pem) => Buffer.from(pem));
    credentials = grpc.credentials.createSsl(ca, key, cert);
  } catch (cause) {
    throw notUsable(file, 'holds no usable certificate and key', cause);
  }
  const client = new AdminClient(context.address, credentials, {
    'grpc.max_receive_message_length': wireLimits.messageBytesMax,
    'grpc.enable_retries': 0,
    // A control plane that hangs is found out on an open stream as well.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.initial_reconnect_backoff_ms': 500,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.ssl_target_name_override': controlPlaneName,
  });
  return { client, address: context.address, close: () => client.close() };
}

function readContext(file: string): AdminContext {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const why = codeOf(cause) === 'ENOENT' ? 'is not there' : `cannot be read (${codeOf(cause)})`;
    throw new HilumError('context-missing', `The context file ${file} ${why}.`, {
      hint: 'Name it with --context or HILUM_CONTEXT; the control plane writes it to DIR/admin.json on its first start.',
      exit: exitCode.badConfig,
      cause,
    });
  }
  let context: Partial<AdminContext> | null;
  try {
    context = JSON.parse(text) as typeof context;
  } catch (cause) {
    throw notUsable(file, 'is no JSON', cause);
  }
  if (typeof context?.address !== 'string') throw notUsable(file, 'names no address of a control plane');
  // It holds the key of an administrator.
  if ((statSync(file).mode & 0o077) !== 0)
    process.stderr.write(`The context file ${file} can be read by others: chmod 600 ${file}\n`);
  return context as AdminContext;
}

function notUsable(file: string, what: string, cause?: unknown): HilumError {
  return new HilumError('context-bad', `The context file ${file} ${what}.`, {
    hint: 'Copy it anew from DIR/admin.json of the control plane, whole.',
    exit: exitCode.badConfig,
    cause,
  });
}

type Unary<Request, Response> = (
  request: Request,
  metadata: grpc.Metadata,
  options: Partial<grpc.CallOptions>,
  callback: (error: grpc.ServiceError | null, response: Response) => void,
) => grpc.ClientUnaryCall;

/** One call with a deadline. */
export function call<Request, Response>(
  connection: Connection,
  method: Unary<Request, Response>,
  request: Request,
  waitMs = 0,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + deadlineMs + waitMs };
    method.call(connection.client, request, new grpc.Metadata(), options, (error, response) => {
      if (error === null) resolve(response);
      else reject(explain(error, connection.address));
    });
  });
}

/**
 * Every message of a server stream, in order, with the reader's own pace. Where nothing comes for `waitMs` while
 * the reader waits, the control plane counts as unreachable; 0 waits for ever.
 */
export async function* stream<Reply>(
  connection: Connection,
  readable: grpc.ClientReadableStream<Reply>,
  waitMs = silenceMs,
): AsyncGenerator<Reply> {
  let silent = false;
  const replies = readable[Symbol.asyncIterator]() as AsyncIterator<Reply>;
  try {
    for (;;) {
      const timer = setTimeout(() => {
        silent = true;
        readable.cancel();
      }, waitMs);
      if (waitMs === 0) clearTimeout(timer);
      const next = await replies.next().finally(() => clearTimeout(timer));
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    if (silent) throw unreachable(connection.address, `it said nothing for ${waitMs / 1000} s`, error);
    throw explain(error as grpc.ServiceError, connection.address);
  } finally {
    readable.cancel();
  }
}

/** In OpenSSL's words: what answers has a certificate that the CA of the context did not issue. */
const ofAnotherCa = /self-signed certificate|unable to (get|verify)|certificate signature failure/;

function unreachable(address: string, why: string, cause: unknown): HilumError {
  if (ofAnotherCa.test(why)) {
    const message = `What answers at ${address} has a certificate of another CA than the context file (${why}).`;
    return new HilumError('another-ca', message, {
      hint: 'The context file is of another control plane, or this one was set up anew: copy DIR/admin.json of the one that runs. Else something between intercepts TLS.',
      exit: exitCode.unreachable,
      cause,
    });
  }
  return new HilumError('unreachable', `The control plane at ${address} cannot be reached: ${why}`, {
    hint: reasonHint(why, Date.now()) ?? 'Is it running, and is this the right context file?',
    exit: exitCode.unreachable,
    cause,
  });
}

/** The control plane's own word for how it ended, where the gRPC code has none. */
function exitTold({ metadata }: grpc.ServiceError): number {
  const told = Number(metadata?.get(exitKey)[0] ?? exitCode.failed);
  return Object.values(exitCode).some((exit) => exit === told) ? told : exitCode.failed;
}

function explain(error: grpc.ServiceError, address: string): HilumError {
  switch (error.code) {
    case grpc.status.UNAVAILABLE:
    case grpc.status.DEADLINE_EXCEEDED:
      return unreachable(address, plainReason(error.details), error);
    // Nobody here cancels a call that is waited for.
    case grpc.status.CANCELLED:
      return unreachable(address, 'it went away under the call', error);
    case grpc.status.UNAUTHENTICATED:
    case grpc.status.PERMISSION_DENIED:
      return new HilumError('refused', `The control plane refused: ${error.details}`, {
        exit: exitCode.refused,
        cause: error,
      });
    case grpc.status.INVALID_ARGUMENT:
      return new HilumError('usage', error.details, { exit: exitCode.usage, cause: error });
    default:
      return new HilumError('failed', error.details, { exit: exitTold(error), cause: error });
  }
}
