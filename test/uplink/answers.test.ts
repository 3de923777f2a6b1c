/** What a session asked for is answered to that session, or to none: the next one has not even been welcomed yet. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import t from 'tap';
import { openAuthority } from '../../control-plane/identity/ca.ts';
import type { UplinkHooks } from '../../gateway/uplink/options.ts';
import { Uplink } from '../../gateway/uplink/uplink.ts';
import {
  ConfigReport,
  type GatewayFrame,
  PlaneFrame,
  Telemetry,
  UplinkService,
  Welcome,
} from '../../proto/gen/hilum/v1/session.ts';
import { controlPlaneName } from '../../proto/limits.ts';
import type { Owner } from '../kit/process.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

type Call = grpc.ServerDuplexStream<GatewayFrame, PlaneFrame>;

interface Session {
  readonly call: Call;
  readonly heard: string[];
}

/** A control plane that says only what a test lets it say. */
async function plane(
  t: Owner,
): Promise<{ sessions: Session[]; identity: ConstructorParameters<typeof Uplink>[2]['identity'] }> {
  const directory = folderOf(t);
  const authority = await openAuthority(directory);
  const [own, gateway] = [
    await authority.issue('control-plane', controlPlaneName, [controlPlaneName]),
    await authority.issue('gateway', 'g', []),
  ];
  const caPem = readFileSync(join(directory, 'ca', 'ca.pem'), 'utf8');
  const server = new grpc.Server();
  t.teardown(() => server.forceShutdown());
  const sessions: Session[] = [];
  server.addService(UplinkService, {
    renew: (_call: unknown, callback: grpc.sendUnaryData<never>) =>
      callback({ code: grpc.status.UNIMPLEMENTED }),
    session: (call: Call) => {
      const heard: string[] = [];
      sessions.push({ call, heard });
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

for (const asked of ['replay', 'payload'] as const) {
  t.test(`uplink - the answer to a ${asked} of a session that ended is written to no other`, async (t) => {
    const { sessions, identity } = await plane(t);
    let answer: (() => void) | undefined;
    const later = <T>(value: T) =>
      new Promise<T>((resolve) => {
        answer = () => resolve(value);
      });
    const hooks: UplinkHooks = {
      nowUs: () => Date.now() * 1_000,
      random: () => 0,
      log: () => {},
      onLatency: () => {},
      onAlarm: () => {},
      onConfig: () => {},
      onReplay: () => later({ replayed: 1, missing: 0, outcomes: [] }),
      onPayload: () => later({ found: true, raw: new Uint8Array(1), record: undefined } as never),
      configReport: () => ConfigReport.create(),
      telemetry: () => Telemetry.create(),
      takeRepeats: () => [],
    };
    const nothing = {
      epoch: 1n,
      lanes: () => [],
      parcel: () => undefined,
      acked: () => false,
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
    const uplink = new Uplink(nothing, reports, options, hooks);
    t.teardown(() => uplink.stop(0));
    uplink.start();
    const session = (number: number) =>
      until(() => sessions[number]?.heard.includes('hello') && sessions[number], {
        what: `session ${number + 1}`,
      });
    const say = ({ call }: Session, frame: PlaneFrame['frame']) =>
      call.write(PlaneFrame.fromPartial({ frame }));

    const first = await session(0);
    say(first, { $case: 'welcome', value: Welcome.create() });
    say(
      first,
      asked === 'replay'
        ? {
            $case: 'replay',
            value: { request: '7', recordSequences: [1n], actor: 'a', reason: 'r', ids: [] },
          }
        : { $case: 'payload', value: { request: '7', recordSequence: 1n, actor: 'a', reason: 'r' } },
    );
    await until(() => answer !== undefined, { what: 'the question being asked' });
    first.call.end();
    const second = await session(1);
    answer?.();
    await new Promise((resolve) => setImmediate(resolve));
    // Frames of a stream keep their order: a ping behind it shows that nothing was written before.
    say(second, { $case: 'welcome', value: Welcome.create() });
    await until(() => second.heard.includes('ping'), { what: 'the second session being used' });
    t.same(second.heard.slice(0, 2), ['hello', 'ping']);
    t.notOk(second.heard.some((frame) => frame === 'replayResult' || frame === 'payload'));
  });
}
