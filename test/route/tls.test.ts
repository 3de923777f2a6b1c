/** Destinations with TLS: hospitals have issuers of their own, and what is wrong is told by its name. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import t from 'tap';
import { readDestinationTls } from '../../gateway/destination-tls.ts';
import { Destinations } from '../../gateway/destinations.ts';
import { Delivery } from '../../gateway/route/delivery.ts';
import type { LineTls } from '../../gateway/route/line.ts';
import { loadSettings } from '../../gateway/settings.ts';
import type { Config } from '../../proto/config/schema.ts';
import { letterQueue } from '../kit/letter-queue.ts';
import { MllpServer } from '../kit/mllp-server.ts';
import type { Owner } from '../kit/process.ts';
import { createTestCa, selfSigned, type TestIdentity } from '../kit/tls.ts';
import { until } from '../kit/wait.ts';

const raw = Buffer.from('MSH|^~\\&|LAB|A|EHR|B|20261126||ORU^R01|L1|P|2.5\rPID|1\r');
const dayMs = 86_400_000;

const serverOf = ({ certPem, keyPem }: TestIdentity, more: TlsOptions = {}): TlsOptions => ({
  cert: certPem,
  key: keyPem,
  ...more,
});

interface Seen {
  delivered: number;
  fields: Record<string, string | number> | undefined;
  delivery: Delivery;
}

/** Until it is delivered or has failed. */
async function deliverTo(t: Owner, port: number, tls: LineTls): Promise<Seen> {
  const seen = { delivered: 0, fields: undefined } as unknown as Seen;
  const queue = letterQueue([{ raw, messageControlId: 'L1' }], () => {
    seen.delivered += 1;
  });
  seen.delivery = new Delivery(
    queue,
    { name: 'ehr', host: '127.0.0.1', port, tls, timeoutMs: 30_000, inSourceOrder: true },
    {
      random: () => 0.99,
      onAlarm: () => {},
      log: (_, code, fields) => {
        if (code === 'delivery-failed') seen.fields ??= fields;
      },
    },
  );
  t.teardown(() => seen.delivery.stop());
  seen.delivery.notify();
  await until(() => seen.delivered > 0 || seen.fields !== undefined, {
    what: 'the delivery, or its failure',
  });
  return seen;
}

/** Settings as a site writes them, read from its files. */
function settingsOf(
  t: { testdir(files: Record<string, string>): string },
  yaml: string,
  files: Record<string, string>,
) {
  const directory = t.testdir({ 'settings.yaml': yaml, ...files });
  return {
    directory,
    tls: readDestinationTls(loadSettings(directory, undefined), directory).get('ehr') ?? {},
  };
}

async function receiver(t: Owner, secured: TlsOptions): Promise<MllpServer> {
  const server = await MllpServer.start(undefined, 0, secured);
  t.teardown(() => server.close());
  return server;
}

t.test(
  'destination tls - an issuer of the hospital, a name of its own and a client certificate',
  async (t) => {
    const ca = await createTestCa('Hospital CA');
    const ehr = await ca.issue({ commonName: 'ehr', dns: ['ehr.example.org'], ips: [] });
    const client = await ca.issue({ commonName: 'hilum' });
    const { port } = await receiver(
      t,
      serverOf(ehr, { ca: ca.certPem, requestCert: true, rejectUnauthorized: true }),
    );
    const yaml = `destinations: { ehr: { tls: { caFile: ca.pem, certFile: c.pem, keyFile: c.key, serverName: ehr.example.org } } }`;
    const { tls } = settingsOf(t, yaml, {
      'ca.pem': ca.certPem,
      'c.pem': client.certPem,
      'c.key': client.keyPem,
    });
    const seen = await deliverTo(t, port, tls);
    t.same(seen.fields, undefined);
    t.equal(seen.delivered, 1);
    t.equal(seen.delivery.wait, undefined);
  },
);

t.test('destination tls - an address stands in the certificate as such', async (t) => {
  const ca = await createTestCa();
  const { port } = await receiver(
    t,
    serverOf(await ca.issue({ commonName: 'ehr', dns: [], ips: ['127.0.0.1'] })),
  );
  t.match(await deliverTo(t, port, { ca: Buffer.from(ca.certPem) }), { delivered: 1, fields: undefined });
});

t.test('destination tls - what is wrong is told by its name, with what to write', async (t) => {
  const ca = await createTestCa();
  const own = { ca: Buffer.from(ca.certPem) };
  const good = await ca.issue({ commonName: 'ehr' });
  const alone = await selfSigned({ commonName: 'ehr' });
  const past = { notBefore: new Date(Date.now() - 9 * dayMs), notAfter: new Date(Date.now() - dayMs) };
  const coming = { notBefore: new Date(Date.now() + dayMs), notAfter: new Date(Date.now() + 9 * dayMs) };
  const wants: TlsOptions = { ca: ca.certPem, requestCert: true, rejectUnauthorized: true };
  for (const [reason, hint, server, tls] of [
    ['certificate-of-unknown-ca', /destinations\.ehr\.tls\.caFile/, serverOf(good), {}],
    ['certificate-self-signed', /destinations\.ehr\.tls\.caFile/, serverOf(alone), {}],
    [
      'certificate-expired',
      /clock of this host/,
      serverOf(await ca.issue({ commonName: 'e', ...past })),
      own,
    ],
    [
      'certificate-not-yet-valid',
      /clock of this host/,
      serverOf(await ca.issue({ commonName: 'e', ...coming })),
      own,
    ],
    [
      'certificate-of-another-name',
      /destinations\.ehr\.tls\.serverName/,
      serverOf(await ca.issue({ commonName: 'e', dns: ['other.example.org'], ips: [] })),
      own,
    ],
    ['client-certificate-refused', /destinations\.ehr\.tls\.certFile/, serverOf(good, wants), own],
    ['certificate-too-weak', /RSA 2048/, serverOf(await ca.issue({ commonName: 'e', rsaBits: 1024 })), own],
    // Whoever has the key of the receiver later could read what was recorded.
    [
      'client-certificate-refused',
      /no TLS in common/,
      serverOf(await ca.issue({ commonName: 'e', rsaBits: 2048 }), {
        maxVersion: 'TLSv1.2',
        ciphers: 'AES256-GCM-SHA384',
      }),
      own,
    ],
    [
      'client-certificate-refused',
      /destinations\.ehr\.tls\.certFile/,
      serverOf(good, { ...wants, maxVersion: 'TLSv1.2' }),
      own,
    ],
  ] as const) {
    const { port } = await receiver(t, server);
    const { delivery, delivered, fields } = await deliverTo(t, port, tls);
    t.equal(delivered, 0);
    t.match(fields, { destination: 'ehr', reason, hint }, reason);
    t.match(delivery.wait, { reason }, 'for the status');
    await delivery.stop();
  }
});

t.test('destination tls - what does not speak TLS, and what is not there', async (t) => {
  const plain = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('220 mail.example.org ready\r\n');
  });
  plain.listen(0, '127.0.0.1');
  await until(() => plain.listening, { what: 'the other service' });
  const { port } = plain.address() as { port: number };
  const first = await deliverTo(t, port, {});
  t.match(first.fields, { reason: 'no-tls', hint: /destinations\.ehr\.address/ });
  await first.delivery.stop();
  plain.close();
  await until(() => !plain.listening, { what: 'its end' });
  const { fields } = await deliverTo(t, port, {});
  t.match(fields, { reason: 'no-connection' });
  t.notOk(fields?.hint);
});

t.test('destination tls - files that cannot be used are told at the start', async (t) => {
  const ca = await createTestCa();
  const [one, another] = [await ca.issue({ commonName: 'a' }), await ca.issue({ commonName: 'b' })];
  const files = {
    'ca.pem': ca.certPem,
    'a.pem': one.certPem,
    'b.key': another.keyPem,
    'text.pem': 'no certificate',
  };
  for (const [what, code, hint] of [
    ['caFile: gone.pem', 'tls-file', /destinations\.ehr\.tls\.caFile/],
    ['caFile: text.pem', 'tls-unusable', /destinations\.ehr\.tls are PEM/],
    ['certFile: a.pem, keyFile: b.key', 'tls-unusable', /certFile and keyFile belong together/],
  ] as const)
    t.throws(
      () => settingsOf(t, `destinations: { ehr: { tls: { ${what} } } }`, files),
      { code, hint, exit: 78 },
      what,
    );
});

t.test(
  'destination tls - certificates that are read again are used; what the config does not use is told',
  async (t) => {
    const ca = await createTestCa();
    const { port } = await receiver(t, serverOf(await ca.issue({ commonName: 'ehr' })));
    const { directory, tls } = settingsOf(t, 'destinations: { ehr: { tls: { caFile: ca.pem } } }', {
      'ca.pem': (await createTestCa('another')).certPem,
    });
    const waiting = [
      { key: Buffer.from('1'), recordSequence: 1, delivery: { raw, messageControlId: 'L1', rule: 'all' } },
    ];
    const logged: string[] = [];
    const destinations = new Destinations(
      {
        counts: () => [],
        head: (name) => (name === 'ehr' ? waiting[0] : undefined),
        settle: async () => {
          waiting.shift();
        },
      },
      {
        log: (_, code, fields) => logged.push(`${code} ${fields?.destination}`),
        onAlarm: () => {},
        normalizedThrough: () => 1,
      },
      new Map([
        ['ehr', tls],
        ['archive', {}],
      ]),
    );
    t.teardown(() => destinations.stop());
    const ehr = { type: 'mllp', address: `127.0.0.1:${port}`, tls: true, timeout: '30s', order: 'source' };
    destinations.use({ destinations: { ehr } } as unknown as Config);
    await until(() => destinations.standing('ehr').reason === 'certificate-of-unknown-ca', {
      what: 'the reason',
    });
    t.match(logged, ['destination-tls-unused archive', 'delivery-failed ehr']);
    writeFileSync(join(directory, 'ca.pem'), ca.certPem);
    destinations.renew(readDestinationTls(loadSettings(directory, undefined), directory));
    await until(() => waiting.length === 0, { what: 'the delivery' });
    t.match(destinations.standing('ehr'), { state: 'connected', reason: '', waitingSinceUs: 0 });
  },
);
