/** A control plane that was started while the clock was wrong, once it is right. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import t from 'tap';
import { addressOf } from '../../proto/address.ts';
import { controlPlaneName } from '../../proto/limits.ts';
import { until } from '../kit/wait.ts';
import { openPlane } from './plane-kit.ts';

const dayMs = 86_400_000;

/** What a client makes of the certificate that it is shown; '' where it takes it. */
function objectionTo(address: string, ca: string, only: tls.ConnectionOptions = {}): Promise<string> {
  const { host, port } = addressOf(address);
  return new Promise((resolve) => {
    const socket = tls.connect(
      { host, port, ca, servername: controlPlaneName, ALPNProtocols: ['h2'], ...only },
      () => {
        socket.destroy();
        resolve('');
      },
    );
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? String(error)));
  });
}

for (const [offsetDays, objection] of [
  [60, 'CERT_NOT_YET_VALID'],
  [-500, 'CERT_HAS_EXPIRED'],
] as const) {
  t.test(
    `server certificate - made by a clock that is ${offsetDays} days off, it is made anew`,
    async (t) => {
      let offsetMs = offsetDays * dayMs;
      const { plane, context, contextFile, lines } = await openPlane(t, () => Date.now() + offsetMs);
      t.teardown(() => plane.stop(1_000));
      const seen = () => objectionTo(plane.address, context.caPem);
      t.equal(await seen(), objection);
      offsetMs = 0;
      await until(async () => (await seen()) === '', {
        what: 'a certificate that is good',
        timeoutMs: 60_000,
      });
      const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384' } as const;
      t.not(await objectionTo(plane.address, context.caPem, weak), '', 'its suites are those of the first');
      t.ok(lines.includes('certificate-renewed'), 'and the log says so');
      const isAdmins = () => {
        const { certPem } = JSON.parse(readFileSync(contextFile, 'utf8')) as { certPem: string };
        const { validFrom, validTo } = new X509Certificate(certPem);
        return Date.parse(validFrom) <= Date.now() && Date.parse(validTo) > Date.now();
      };
      await until(isAdmins, { what: 'an identity of the admin that is good' });
    },
  );
}
