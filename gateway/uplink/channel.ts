/**
 * The gateway's one door to grpc-js: channel options that were measured, an HTTP CONNECT
 * proxy where the site has one, and streams that send stored bytes without another copy.
 */
import * as grpc from '@grpc/grpc-js';
import {
  EnrollmentClient,
  GatewayFrame,
  type PlaneFrame,
  UplinkClient,
  UplinkService,
} from '../../proto/gen/hilum/v1/session.ts';
import { controlPlaneName, wireLimits } from '../../proto/limits.ts';

// What it would say on standard error is no line of a log, and comes with every try: who asked is told, and says it once.
if (process.env.GRPC_VERBOSITY === undefined) grpc.setLogVerbosity(grpc.logVerbosity.NONE);

export interface ConnectProxy {
  address: string;
  /** user:password, or ''. */
  credentials: string;
}

export interface ChannelOptions {
  address: string;
  proxy?: ConnectProxy | undefined;
  caPem: string;
  certificatePem?: string;
  keyPem?: string;
}

export function uplinkClient(options: ChannelOptions): UplinkClient {
  return new UplinkClient(target(options), credentials(options), channelOptions(options));
}

export function enrollmentClient(options: ChannelOptions): EnrollmentClient {
  return new EnrollmentClient(target(options), credentials(options), channelOptions(options));
}

/** Frames go out as objects, or as the bytes of a frame that was put together from stored events. */
export type SessionCall = grpc.ClientDuplexStream<GatewayFrame | Buffer, PlaneFrame>;

export function openSession(client: UplinkClient): SessionCall {
  const { path, responseDeserialize } = UplinkService.session;
  return client.makeBidiStreamRequest(path, serializeFrame, responseDeserialize, new grpc.Metadata());
}

/** ts-proto's own serializer copies the encoded frame once more; a batch is large enough to care. */
function serializeFrame(frame: GatewayFrame | Buffer): Buffer {
  if (Buffer.isBuffer(frame)) return frame;
  const bytes = GatewayFrame.encode(frame).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function target({ address, proxy }: ChannelOptions): string {
  return proxy === undefined ? address : proxy.address;
}

function credentials({ caPem, certificatePem, keyPem }: ChannelOptions): grpc.ChannelCredentials {
  return grpc.credentials.createSsl(
    Buffer.from(caPem),
    keyPem === undefined ? null : Buffer.from(keyPem),
    certificatePem === undefined ? null : Buffer.from(certificatePem),
  );
}

function channelOptions({ address, proxy }: ChannelOptions): grpc.ClientOptions {
  const options: grpc.ClientOptions = {
    'grpc.max_receive_message_length': wireLimits.messageBytesMax,
    'grpc.max_send_message_length': wireLimits.messageBytesMax,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.initial_reconnect_backoff_ms': 500,
    'grpc.max_reconnect_backoff_ms': 20_000,
    // The proxy comes from the settings, never from the environment.
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.ssl_target_name_override': controlPlaneName,
  };
  if (proxy !== undefined) {
    options['grpc.http_connect_target'] = `dns:${address}`;
    if (proxy.credentials !== '') options['grpc.http_connect_creds'] = proxy.credentials;
  }
  return options;
}

/** `http://user:password@proxy:3128`; undefined where there is none. */
export function parseProxy(text: string | undefined): ConnectProxy | undefined {
  if (text === undefined || text === '') return undefined;
  const url = new URL(text);
  const credentials =
    url.username === '' ? '' : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  // A URL does not tell its scheme's own port, 80, from none.
  const [, port = '3128'] = /:(\d{1,5})\/?$/.exec(text) ?? [];
  return { address: `${url.hostname}:${port}`, credentials };
}
