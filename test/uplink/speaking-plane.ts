/** A control plane that says only what a test lets it say, and an uplink to it that has nothing to send. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { openAuthority } from '../../control-plane/identity/ca.ts';
import type { UplinkHooks, UplinkOptions } from '../../gateway/uplink/options.ts';
import { Uplink } from '../../gateway/uplink/uplink.ts';
import {
  ConfigReport,
  type GatewayFrame,
  PlaneFrame,
  Telemetry,
  UplinkService,
} from '../../proto/gen/hilum/v1/session.ts';
import { controlPlaneName, wireLimits } from '../../proto/limits.ts';
import type { Owner } from '../kit/process.ts';
import { folderOf } from '../kit/site.ts';

type Call = grpc.ServerDuplexStream<GatewayFrame, PlaneFrame>;

interface Session {
  readonly call: Call;
  readonly heard: string[];
  say(frame: PlaneFrame['frame']): void;
}

type Identity = UplinkOptions['identity'];

export async function speakingPlane(t: Owner): Promise<{ sessions: Session[]; identity: Identity }> {
  const directory = folderOf(t);
  const authority = await openAuthority(directory);
  const [own, gateway] = [
    await authority.issue('control-plane', controlPlaneName, [controlPlaneName]),
    await authority.issue('gateway', 'g', []),
  ];
  const caPem = readFileSync(join(directory, 'ca', 'ca.pem'), 'utf8');
  const server = new grpc.Server({ 'grpc.max_receive_message_length': wireLimits.messageBytesMax });
  t.teardown(() => server.forceShutdown());
  const sessions: Session[] = [];
  server.addService(UplinkService, {
    renew: (_call: unknown, callback: grpc.sendUnaryData<never>) =>
      callback({ code: grpc.status.UNIMPLEMENTED }),
    session: (call: Call) => {
      const heard: string[] = [];
      sessions.push({
        call,
        heard,
        say: (frame) => void call.write(PlaneFrame.fromPartial({ frame })),
      });
      call.on('error', () => {});
      call.on('data', ({ frame }: GatewayFrame) => heard.push(frame?.$case ?? ''));
    },
  });
  const pair = { cert_chain: Buffer.from(own.certificatePem), private_key: Buffer.from(own.keyPem) };
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createSsl(Buffer.from(caPem), [pair], false);
    server.bindAsync('127.0.0.1:0', credentials, (error, found) => (error ? reject(error) : resolve(found)));
  });
  const { certificatePem, keyPem } = gateway;
  return {
    sessions,
    identity: { gateway: 'g', site: 's', address: `127.0.0.1:${port}`, caPem, certificatePem, keyPem },
  };
}

/** @param own in the place of hooks that do nothing */
export function quietUplink(identity: Identity, own: Partial<UplinkHooks>): Uplink {
  const hooks: UplinkHooks = {
    nowUs: () => Date.now() * 1_000,
    random: () => 0,
    log: () => {},
    onLatency: () => {},
    onAlarm: () => {},
    onConfig: () => {},
    onTakeOut: async () => ({ replayed: 0, missing: 0, outcomes: [] }),
    onPayload: async () => ({ found: false, raw: new Uint8Array(0) }),
    configReport: () => ConfigReport.create(),
    telemetry: () => Telemetry.create(),
    details: () => [],
    takeRepeats: () => [],
    ...own,
  };
  const nothing = {
    epoch: 1n,
    lanes: () => [],
    parcel: () => undefined,
    acked: () => false,
    deliverTo: async () => {},
    renewEpoch: async () => {},
  };
  const reports = {
    numbers: () => ({ audit: 0, quarantine: 0, deliveries: 0 }),
    told: () => ({ audit: 0, quarantine: 0, deliveries: 0 }),
    quarantineEntries: () => [],
    quarantineTold: () => {},
    auditEntries: () => [],
    auditTold: () => {},
    deliveryEntries: () => [],
    deliveriesTold: () => {},
  };
  const options = {
    identity,
    address: identity.address,
    version: '0',
    mappingVersion: '0',
    lanes: { next: () => undefined },
  };
  return new Uplink(nothing, reports, options, hooks);
}
