/**
 * Who may say what to the control plane: real TLS against the built
 * daemon, with certificates that are good, revoked, of another gateway, and signed by nobody.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import t from 'tap';
import { openAuthority } from '../../control-plane/identity/ca.ts';
import { loadIdentity } from '../../gateway/uplink/identity.ts';
import { makeRequest } from '../../gateway/uplink/request.ts';
import { AdminClient } from '../../proto/gen/hilum/v1/admin.ts';
import {
  EnrollmentClient,
  type EnrollResponse,
  GatewayFrame,
  type PlaneFrame,
  UplinkClient,
} from '../../proto/gen/hilum/v1/session.ts';
import { controlPlaneName } from '../../proto/limits.ts';
import { readToken } from '../../proto/token.ts';
import { messageMaker } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { folderOf, runProgram, Site } from '../kit/site.ts';
import { selfSigned } from '../kit/tls.ts';
import { until, within } from '../kit/wait.ts';

const site = await Site.start(t);
const caPem = readFileSync(join(site.planeData, 'ca', 'ca.pem'), 'utf8');
const gateway = loadIdentity(site.gatewayData);
if (gateway === undefined) throw new Error('the gateway of this test is not enrolled');

interface Papers {
  certPem: string;
  keyPem: string;
}

const options: grpc.ClientOptions = {
  'grpc.ssl_target_name_override': controlPlaneName,
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
};

function credentialsOf(papers: Papers | undefined): grpc.ChannelCredentials {
  return papers === undefined
    ? grpc.credentials.createSsl(Buffer.from(caPem))
    : grpc.credentials.createSsl(Buffer.from(caPem), Buffer.from(papers.keyPem), Buffer.from(papers.certPem));
}

/** The status that a call of any method ends with, told by its path alone. */
async function statusOf(
  papers: Papers | undefined,
  path: string,
  request = Buffer.alloc(0),
): Promise<grpc.StatusObject> {
  const client = new grpc.Client(site.planeAddress, credentialsOf(papers), options);
  const plain = (bytes: Buffer) => bytes;
  try {
    return await within(
      new Promise<grpc.StatusObject>((resolve) => {
        // Bidirectional fits every method: a unary one takes its first message.
        const call = client.makeBidiStreamRequest(path, plain, plain, new grpc.Metadata());
        call.on('error', () => undefined);
        call.on('data', () => undefined);
        call.on('status', resolve);
        call.write(request);
        call.end();
      }),
      10_000,
      path,
    );
  } finally {
    client.close();
  }
}

/** A session with a Hello; resolves with every frame when the control plane has ended it. */
async function hello(
  papers: Papers,
  name: string,
  epoch: bigint,
): Promise<{ frames: PlaneFrame[]; status: grpc.StatusObject }> {
  const client = new UplinkClient(site.planeAddress, credentialsOf(papers), options);
  const frames: PlaneFrame[] = [];
  try {
    return await within(
      new Promise((resolve) => {
        const call = client.session();
        call.on('error', () => undefined);
        call.on('data', (frame: PlaneFrame) => frames.push(frame));
        call.on('status', (status) => resolve({ frames, status }));
        call.write(
          GatewayFrame.fromPartial({
            frame: {
              $case: 'hello',
              value: { gateway: name, version: 'x', epoch, lanes: [] },
            },
          }),
        );
      }),
      10_000,
      'the end of the session',
    );
  } finally {
    client.close();
  }
}

const everyService = [
  '/hilum.v1.Uplink/Session',
  '/hilum.v1.Uplink/Renew',
  '/hilum.v1.Admin/ListGateways',
  '/hilum.v1.Admin/StreamEvents',
  '/hilum.v1.Admin/CreateToken',
  '/hilum.v1.Admin/PushConfig',
  '/hilum.v1.Admin/ShowQuarantine',
  '/grpc.health.v1.Health/Check',
  '/grpc.health.v1.Health/Watch',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
];

const real: Papers = { certPem: gateway.certificatePem, keyPem: gateway.keyPem };
const adminContext = JSON.parse(readFileSync(site.context, 'utf8')) as Papers & { address: string };

t.test(
  'identity - a self-signed certificate with a real gateway’s name is refused by every service',
  async (t) => {
    const impostor = await selfSigned({
      commonName: gateway.gateway,
      uris: [`spiffe://hilum/gateway/${gateway.gateway}`],
    });
    for (const path of everyService) {
      const { code, details } = await statusOf(impostor, path);
      t.equal(code, grpc.status.UNAUTHENTICATED, `${path}: ${details}`);
    }
    const admin = await selfSigned({ commonName: 'admin', uris: ['spiffe://hilum/admin/admin'] });
    t.equal(
      (await statusOf(admin, '/hilum.v1.Admin/ListGateways')).code,
      grpc.status.UNAUTHENTICATED,
      'an admin’s name too',
    );
  },
);

t.test('identity - without a certificate every call but Enroll is refused', async (t) => {
  for (const path of everyService)
    t.equal((await statusOf(undefined, path)).code, grpc.status.UNAUTHENTICATED, path);
  const { code } = await statusOf(undefined, '/hilum.v1.Enrollment/Enroll');
  t.equal(code, grpc.status.PERMISSION_DENIED, 'Enroll is heard, and refuses an empty token');
});

t.test('identity - a certificate of our CA that was never noted as issued is refused', async (t) => {
  const authority = await openAuthority(site.planeData);
  const issued = await authority.issue('admin', 'admin', []);
  const stolen = { certPem: issued.certificatePem, keyPem: issued.keyPem };
  t.equal((await statusOf(stolen, '/hilum.v1.Admin/ListGateways')).code, grpc.status.UNAUTHENTICATED);
});

t.test('identity - a gateway’s certificate opens nothing of Admin', async (t) => {
  for (const path of everyService.filter((one) => one.includes('Admin'))) {
    t.equal((await statusOf(real, path)).code, grpc.status.PERMISSION_DENIED, path);
  }
  t.equal(
    (await statusOf(adminContext, '/hilum.v1.Admin/ListGateways')).code,
    grpc.status.OK,
    'an admin’s does',
  );
  t.equal(
    (await statusOf(adminContext, '/hilum.v1.Uplink/Session')).code,
    grpc.status.PERMISSION_DENIED,
    'and is no gateway',
  );
});

t.test('identity - health and reflection answer who has a certificate', async (t) => {
  t.equal((await statusOf(adminContext, '/grpc.health.v1.Health/Check')).code, grpc.status.OK);
  t.equal(
    (
      await statusOf(
        adminContext,
        '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
        Buffer.from([0x3a, 0x00]),
      )
    ).code,
    grpc.status.OK,
  );
});

t.test('identity - there is no plaintext on the port', async (t) => {
  const client = new AdminClient(site.planeAddress, grpc.credentials.createInsecure(), options);
  t.teardown(() => client.close());
  const failed = await new Promise<grpc.ServiceError | null>((resolve) => {
    client.listGateways({}, new grpc.Metadata(), { deadline: Date.now() + 5_000 }, (error) => resolve(error));
  });
  t.ok(
    [grpc.status.UNAVAILABLE, grpc.status.DEADLINE_EXCEEDED].includes(failed?.code as number),
    failed?.details ?? 'it answered',
  );
});

t.test('identity - another gateway’s name in Hello is refused and told', async (t) => {
  const { frames } = await hello(real, 'somebody-else', 7n);
  t.match(frames, [{ frame: { $case: 'refusal', value: { code: 'wrong-gateway' } } }]);
  t.equal(frames.length, 1, 'no Welcome');
  const audited = await site.ask<{ action: string; gateway: string }[]>(
    'audit',
    'list',
    '--action',
    'wrong-gateway',
  );
  t.match(audited, [{ gateway: gateway.gateway }], 'the alarm names who came');
  t.equal((await site.status()).uplink.state, 'connected', 'the true session was not touched');
});

// ── tokens ─────────────────────────────────────────────────────────────────────────────────────────

async function enrollWith(
  token: string,
): Promise<{ code: grpc.status; details: string; response?: EnrollResponse }> {
  const read = readToken(token);
  if (read === undefined) throw new Error('not a token');
  const { csr } = await makeRequest();
  const client = new EnrollmentClient(site.planeAddress, credentialsOf(undefined), options);
  return new Promise((resolve) => {
    const request = {
      secret: Buffer.from(read.secret, 'hex'),
      csr: Buffer.from(csr),
      host: 'h',
      version: 'x',
    };
    client.enroll(request, new grpc.Metadata(), { deadline: Date.now() + 30_000 }, (error, response) => {
      client.close();
      resolve(
        error === null
          ? { code: grpc.status.OK, details: '', response }
          : { code: error.code, details: error.details },
      );
    });
  });
}

async function token(...more: string[]): Promise<string> {
  const made = await site.ctl('token', 'create', '--site', 'race', ...more);
  if (made.code !== 0) throw new Error(made.stderr);
  return made.stdout.trim();
}

t.test('tokens - of 50 who race with one token exactly one wins', async (t) => {
  const one = await token();
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => enrollWith(one)));
  t.equal(outcomes.filter(({ code }) => code === grpc.status.OK).length, 1);
  t.equal(outcomes.filter(({ code }) => code === grpc.status.PERMISSION_DENIED).length, 49);
  const replayed = await enrollWith(one);
  t.equal(replayed.code, grpc.status.PERMISSION_DENIED, 'a replay later');
  const refusals = async () => {
    const told = await site.ask<{ outcome: string; detail?: string }[]>(
      'audit',
      'list',
      '--action',
      'enroll',
    );
    return told.filter(({ outcome }) => outcome === 'refused').map(({ detail = '' }) => detail);
  };
  t.equal((await refusals())[0], '', 'the first is in the trail at once');
  const count = (told: readonly string[]) =>
    told.reduce((sum, detail) => sum + (detail === '' ? 1 : Number(/^(\d+) more/.exec(detail)?.[1])), 0);
  const all = await until(async () => (count(await refusals()) >= 50 ? refusals() : undefined), {
    what: 'each refusal in the trail',
    timeoutMs: 120_000,
    everyMs: 1_000,
  });
  t.ok(all.length < 50, 'without an entry for each');
  const { secret } = readToken(one) ?? { secret: 'none' };
  t.notOk(site.printed().includes(one) || site.printed().includes(secret), 'no token in any log');
});

t.test('tokens - two tokens for one site make two gateways', async (t) => {
  const [first, second] = await Promise.all([token(), token()]);
  const names = [await enrollWith(first), await enrollWith(second)].map(({ response }) => response?.gateway);
  t.equal(new Set(names).size, 2, names.join(', '));
});

t.test(
  'tokens - an expired, an invented and a garbled one are refused, and the person is told',
  async (t) => {
    const short = await token('--ttl', '1s');
    const { expiresAtUs } = await site.ask<{ expiresAtUs: string }>(
      'token',
      'create',
      '--site',
      'race',
      '--ttl',
      '1s',
    );
    await until(() => BigInt(Date.now()) * 1000n > BigInt(expiresAtUs), { what: 'the token being expired' });
    t.equal((await enrollWith(short)).code, grpc.status.PERMISSION_DENIED, 'expired');
    const { caPin, address } = readToken(short) ?? { caPin: '', address: '' };
    const body = JSON.stringify({ a: address, p: caPin, s: randomBytes(16).toString('hex') });
    const invented = `hilum1.${Buffer.from(body).toString('base64url')}`;
    const enroll = (text: string) =>
      runProgram('gateway', ['enroll', '--data', folderOf(t), '--token', '-'], { input: text });
    const refused = await enroll(invented);
    t.equal(refused.code, 3);
    t.match(
      refused.stderr,
      /refused the token: .*unknown, was used before, or is expired.*\n.*hilumctl token create/s,
    );
    t.notOk(refused.stderr.includes(invented));
    const garbled = await enroll('hilum1.nonsense');
    t.equal(garbled.code, 2);
    t.match(garbled.stderr, /not an enrollment token/);
    const otherPin = `hilum1.${Buffer.from(JSON.stringify({ a: address, p: '0'.repeat(64), s: '1'.repeat(32) })).toString('base64url')}`;
    const mismatch = await enroll(otherPin);
    t.equal(mismatch.code, 3, 'another CA than the pinned one');
    t.match(mismatch.stderr, /does not have the CA that the token names/);
    const nobody = `hilum1.${Buffer.from(JSON.stringify({ a: '127.0.0.1:1', p: '0'.repeat(64), s: '1'.repeat(32) })).toString('base64url')}`;
    t.equal((await enroll(nobody)).code, 69, 'nobody there');
  },
);

t.test('tokens - enroll does not replace an identity by a failure', async (t) => {
  const before = readFileSync(join(site.gatewayData, 'identity.json'), 'utf8');
  const args = ['enroll', '--data', site.gatewayData, '--replace', '--token', '-'];
  const failed = await runProgram('gateway', args, { input: 'rubbish' });
  t.equal(failed.code, 2);
  t.equal(readFileSync(join(site.gatewayData, 'identity.json'), 'utf8'), before);
});

t.test('identity - the private keys are for their owner only', async (t) => {
  for (const file of [
    join(site.gatewayData, 'identity.json'),
    join(site.gatewayData, 'key'),
    join(site.planeData, 'ca', 'ca.key.pem'),
    join(site.planeData, 'key'),
    site.context,
  ]) {
    const { statSync } = await import('node:fs');
    t.equal(statSync(file).mode & 0o777, 0o600, file.slice(site.folder.length));
  }
});

// The last one: it ends the gateway of this file.
t.test('identity - a revoked gateway loses its stream at once and never gets it back', async (t) => {
  const unexplained = await site.ctl('revoke', gateway.gateway, '--reason', ' ');
  t.equal(unexplained.code, 2);
  t.match(unexplained.stderr, /A revocation needs a reason\. Add --reason/);
  const revoked = await site.ctl('revoke', gateway.gateway, '--reason', 'VM was cloned');
  t.equal(revoked.code, 0);
  t.match(revoked.stdout, /Revoked north; 1 stream closed/);
  await until(async () => (await site.status()).uplink.state !== 'connected', {
    what: 'the stream being closed',
  });
  await until(async () => (await site.status()).uplink.reason === 'not-authenticated', {
    what: 'the gateway saying why',
    timeoutMs: 30_000,
  });
  t.equal((await statusOf(real, '/hilum.v1.Uplink/Session')).code, grpc.status.UNAUTHENTICATED);
  t.equal(
    (await statusOf(real, '/hilum.v1.Uplink/Renew')).code,
    grpc.status.UNAUTHENTICATED,
    'nor a new certificate',
  );
  const [row] = await site.ask<{ gateway: string; state: string }[]>('gateways');
  t.match(row, { gateway: 'north', state: 'revoked' });
  t.equal((await site.ctl('revoke', 'nobody', '--reason', 'x')).code, 1, 'an unknown gateway');
  t.match(await site.status(), { ready: true }, 'it captures on');
  await site.plane?.stop();
  await site.startPlane();
  t.equal(
    (await statusOf(real, '/hilum.v1.Uplink/Session')).code,
    grpc.status.UNAUTHENTICATED,
    'also after a restart',
  );
  const trail = await site.ask<{ intact: boolean }>('audit', 'verify');
  t.equal(trail.intact, true);
});

t.test('identity - one that cannot be used costs the uplink alone: senders are answered', async (t) => {
  await site.gateway?.stop();
  const file = join(site.gatewayData, 'identity.json');
  const whole = readFileSync(file, 'utf8');
  const { keyPem } = await makeRequest();
  for (const spoiled of [whole.slice(0, 300), JSON.stringify({ ...JSON.parse(whole), keyPem })]) {
    writeFileSync(file, spoiled, { mode: 0o600 });
    await site.startGateway();
    t.match(await site.status(), { ready: true });
    const lab = await MllpClient.connect({ port: await site.port('lab') });
    t.equal((await lab.send(messageMaker({ seed: 31, kind: 'oru' })(0).bytes)).code, 'AA');
    await lab.close();
    const { stdout } = await runProgram('gateway', ['doctor', '--data', site.gatewayData, '-o', 'json']);
    t.match(stdout, /identity-unreadable/);
    t.notMatch(stdout, /BEGIN|PRIVATE/);
    await site.gateway?.stop();
  }
});
