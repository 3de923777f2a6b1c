/**
 * A sender that cannot connect is found without reading the log: counted by reason in /status and /metrics, shown by
 * `status`, and named by `doctor` with the last address and what to do.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import t from 'tap';
import { hashPassword } from '../../gateway/capture/mqtt/passwords.ts';
import { connectPacket, publishPacket } from '../kit/mqtt-wire.ts';
import { runProgram, Site } from '../kit/site.ts';
import { createTestCa, selfSigned } from '../kit/tls.ts';
import { until } from '../kit/wait.ts';

interface Refused {
  reason: string;
  count: number;
  address: string;
  user: string;
  detail: string;
}

const secret = 'CANARYTOPIC';

t.test(
  'refused senders - are counted, shown and named with their address, by listener and reason',
  async (t) => {
    const password = await hashPassword('pw');
    const site = new Site(t, {
      settings: `listeners:
  lab: { type: mllp, listen: "127.0.0.1:0", tls: { mode: required, certFile: cert.pem, keyFile: key.pem, caFile: ca.pem } }
  narrow: { type: mllp, listen: "127.0.0.1:0", tls: { mode: none, range: ["10.1.9.0/24"] } }
  plain: { type: mllp, listen: "127.0.0.1:0" }
  ward: { type: mqtt, listen: "127.0.0.1:0", users: { pump: { password: "${password}", publish: ["devices/#"] } } }
  monitors: { type: mqtt, listen: "127.0.0.1:0", tls: { mode: required, certFile: cert.pem, keyFile: key.pem, caFile: ca.pem } }
`,
    });
    const ca = await createTestCa('Hospital CA');
    const server = await ca.issue({ commonName: 'gateway' });
    const impostor = await selfSigned({ commonName: 'lab' });
    for (const [name, text] of Object.entries({
      'ca.pem': ca.certPem,
      'cert.pem': server.certPem,
      'key.pem': server.keyPem,
    }))
      writeFileSync(join(site.gatewayData, name), text, { mode: 0o600 });
    await site.startGateway();

    /** Sends once it can, and is closed by the listener. */
    const closed = async (socket: net.Socket, bytes?: string | Buffer, ready = 'connect') => {
      socket.on('error', () => {});
      socket.resume();
      if (bytes !== undefined) socket.once(ready, () => socket.write(bytes));
      if (!socket.closed) await once(socket, 'close').catch(() => {});
    };
    const plain = async (listener: string, ...bytes: Buffer[]) =>
      closed(net.connect(await site.port(listener), '127.0.0.1'), Buffer.concat(bytes));
    const overTls = async (listener: string, options: tls.ConnectionOptions) =>
      closed(
        tls.connect({
          port: await site.port(listener),
          host: '127.0.0.1',
          servername: 'localhost',
          ...options,
        }),
        'x',
        'secureConnect',
      );
    const refusedAt = async (listener: string): Promise<Refused[]> =>
      (
        JSON.parse(await site.http('/status')) as { listeners: { name: string; refused: Refused[] }[] }
      ).listeners.find(({ name }) => name === listener)?.refused ?? [];
    const countAt = async (listener: string) =>
      (await refusedAt(listener)).reduce((sum, { count }) => sum + count, 0);
    const counted = (listener: string, count: number) =>
      until(async () => (await countAt(listener)) === count, { what: `${count} refused at ${listener}` });

    for (const listener of ['lab', 'monitors']) {
      await overTls(listener, { ca: ca.certPem });
      await counted(listener, 1);
      t.match(await refusedAt(listener), [
        { reason: 'tls', detail: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' },
      ]);
      await plain(listener, Buffer.from('\x0bMSH|^~\\&|LAB\r\x1c\r'));
      await counted(listener, 2);
      await overTls(listener, {});
      await counted(listener, 3);
      // A probe of the port comes and goes without a word: nobody is refused.
      const probe = net.connect(await site.port(listener), '127.0.0.1');
      await once(probe, 'connect');
      probe.destroy();
      await overTls(listener, { ca: ca.certPem, cert: impostor.certPem, key: impostor.keyPem });
      await counted(listener, 4);
      t.match(await refusedAt(listener), [
        { reason: 'tls', count: 4, address: '127.0.0.1', detail: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      ]);
    }
    await plain('narrow', Buffer.from('x'));
    await counted('narrow', 1);
    await plain('plain', Buffer.from('160301020001', 'hex'));
    await counted('plain', 1);
    const connect = (username: string | undefined, word?: string) =>
      connectPacket({
        clientId: 'c1',
        ...(username === undefined ? {} : { username }),
        ...(word === undefined ? {} : { password: word }),
      });
    await plain('ward', connect(undefined));
    await plain('ward', connect(`${secret}user`, 'pw'));
    await plain('ward', connect('pump', 'wrong'));
    await counted('ward', 3);
    await plain(
      'ward',
      connect('pump', 'pw'),
      publishPacket({ topic: `patients/${secret}`, payload: Buffer.from('{}'), packetId: 1 }),
    );
    await counted('ward', 4);

    t.match(await refusedAt('narrow'), [{ reason: 'address', count: 1, address: '127.0.0.1' }]);
    t.match(await refusedAt('plain'), [
      { reason: 'protocol', count: 1, address: '127.0.0.1', detail: 'tls' },
    ]);
    t.match(await refusedAt('ward'), [
      { reason: 'credentials', count: 3, address: '127.0.0.1', user: 'pump' },
      { reason: 'acl', count: 1, address: '127.0.0.1', user: 'pump' },
    ]);
    const counters = async (name: string) =>
      (await site.status()).listeners.find((one) => one.name === name)?.counters.refused;
    t.equal(await counters('lab'), 4, 'the counter has those of TLS too');

    const metrics = await site.http('/metrics');
    const metric = (listener: string, reason: string) =>
      new RegExp(
        `^hilum_listener_refused_total{listener="${listener}",reason="${reason}"} (\\d+)$`,
        'm',
      ).exec(metrics)?.[1];
    t.same(
      [
        'lab tls',
        'monitors tls',
        'narrow address',
        'plain protocol',
        'ward credentials',
        'ward acl',
        'lab acl',
      ].map((one) => metric(...(one.split(' ') as [string, string]))),
      ['4', '4', '1', '1', '3', '1', '0'],
    );

    const status = await runProgram('gateway', ['status', '--data', site.gatewayData]);
    t.match(status.stdout, /listener {2}lab: .*, TLS required, refused: 4 tls \(last 127\.0\.0\.1\)\n/);
    t.match(
      status.stdout,
      /listener {2}ward: .*, refused: 3 credentials \(last 127\.0\.0\.1\), 1 acl \(last 127\.0\.0\.1\)\n/,
    );

    const doctor = await runProgram('gateway', ['doctor', '--data', site.gatewayData, '-o', 'json']);
    const findings = (
      JSON.parse(doctor.stdout) as { code: string; state: string; message: string; todo: string }[]
    )
      .filter(({ code }) => code === 'listener-refused')
      .map(({ state, message, todo }) => `${state} ${message.replace(/ at \d{4}-.*/, '')} → ${todo}`);
    const expected = [
      /^warn lab refused 4 connections \(tls: DEPTH_ZERO_SELF_SIGNED_CERT, 1 of them\), the last of these from 127\.0\.0\.1 → .*listeners\.lab\.tls\.caFile/,
      /^warn narrow refused 1 connection \(address\), .* 127\.0\.0\.1 → .*listeners\.narrow\.tls\.range/,
      /^warn plain refused 1 connection \(protocol: tls\), .* → .*MLLP/,
      /^warn ward refused 3 connections \(credentials, 2 of them\), the last of these user pump from 127\.0\.0\.1 → .*users\.pump/,
      /^warn ward refused 1 connection \(acl\), the last one user pump from 127\.0\.0\.1 → .*users\.pump\.publish/,
      /^warn monitors refused 4 connections \(tls: DEPTH_ZERO/,
    ];
    t.equal(findings.length, expected.length);
    for (const [at, one] of expected.entries()) t.match(findings[at], one);

    const lines = (site.gateway?.stderr ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, string>);
    t.same(
      lines.filter(({ code = '' }) => !/^[a-z0-9-]+$/.test(code)),
      [],
      'every code is words with dashes',
    );
    const told = lines.filter(({ code = '' }) => /-refused$|-closed$/.test(code));
    t.same(
      told.filter(({ address, reason }) => address !== '127.0.0.1' && reason !== 'ECONNRESET'),
      [],
      'every line has the address',
    );
    t.match(
      told.filter(({ reason }) => reason === 'acl'),
      [{ code: 'mqtt-closed', level: 'warn', user: 'pump', advice: /publish/ }],
    );
    for (const printed of [site.printed(), status.stdout, doctor.stdout, await site.http('/status'), metrics])
      t.notOk(printed.includes(secret), 'neither a topic nor a name that was just claimed');
  },
);
