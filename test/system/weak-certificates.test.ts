/** Certificates that are good but for their strength [RFC 9325, 4.5]: of senders, and of a listener itself. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type tls from 'node:tls';
import t from 'tap';
import { sendOnce } from '../kit/mllp-client.ts';
import { runProgram, Site } from '../kit/site.ts';
import { createTestCa, type TestIdentity } from '../kit/tls.ts';
import { until } from '../kit/wait.ts';

const message = (controlId: string) =>
  Buffer.from(`MSH|^~\\&|LAB|A|HILUM|B|20261126||ADT^A08|${controlId}|P|2.5\rPID|1||7\r`);

t.test(
  'listener over tls - a client certificate of RSA 1024 is refused, and told as what it is',
  async (t) => {
    const ca = await createTestCa();
    const server = await ca.issue({ commonName: 'localhost' });
    const site = new Site(t, {
      settings:
        'listeners:\n  lab: { type: mllp, listen: "127.0.0.1:0", tls: { mode: required, certFile: c.pem, keyFile: c.key, caFile: ca.pem } }\n',
    });
    const write = (name: string, { certPem, keyPem }: TestIdentity) => {
      writeFileSync(join(site.gatewayData, `${name}.pem`), certPem);
      writeFileSync(join(site.gatewayData, `${name}.key`), keyPem, { mode: 0o600 });
    };
    writeFileSync(join(site.gatewayData, 'ca.pem'), ca.certPem);
    write('c', server);
    await site.startGateway();
    const port = await site.port('lab');
    const as = async (rsaBits: number): Promise<tls.ConnectionOptions> => {
      const { certPem, keyPem } = await ca.issue({ commonName: 'lab', rsaBits });
      return { ca: ca.certPem, cert: certPem, key: keyPem, servername: 'localhost' };
    };
    t.equal((await sendOnce({ port, tls: await as(2048) }, message('W1'))).code, 'AA');
    await t.rejects(sendOnce({ port, tls: await as(1024) }, message('W2')));
    await until(() => /"code":"mllp-tls-refused".*"reason":"UNSPECIFIED"/.test(site.printed()), {
      what: 'the line that says why',
    });
    const { stdout } = await runProgram('gateway', ['doctor', '--data', site.gatewayData]);
    t.match(stdout.replace(/\s+/g, ' '), /most likely too weak: it needs a key of P-256 or RSA 2048/);
    await site.gateway?.stop();

    write('c', await ca.issue({ commonName: 'localhost', rsaBits: 1024 }));
    const checked = await runProgram('gateway', ['check', '--data', site.gatewayData]);
    t.equal(checked.code, 78);
    t.match(checked.stderr, /listener "lab" cannot be used: it has a key below RSA 2048/);
  },
);
