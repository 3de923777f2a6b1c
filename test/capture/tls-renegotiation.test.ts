/** TLS 1.2 of the listeners as the settings make them: no client shakes hands twice (SECURITY.md S7). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeListener } from '../../gateway/listeners.ts';
import { parseSettings } from '../../gateway/settings.ts';
import { Sources } from '../../gateway/sources.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { MemoryIntake } from '../kit/memory-intake.ts';
import { renegotiate } from '../kit/renegotiation.ts';
import { createTestCa } from '../kit/tls.ts';

for (const type of ['mllp', 'mqtt'])
  t.test(`${type} listener over tls - a client of TLS 1.2 cannot renegotiate`, async (t) => {
    const directory = t.testdir();
    const ca = await createTestCa();
    const { certPem, keyPem } = await ca.issue({ commonName: 'gateway', dns: ['localhost'] });
    writeFileSync(join(directory, 'own.pem'), certPem);
    writeFileSync(join(directory, 'own.key'), keyPem, { mode: 0o600 });
    const { listeners } = parseSettings(
      `listeners: { own: { type: ${type}, listen: "127.0.0.1:0", tls: { mode: optional, certFile: own.pem, keyFile: own.key } } }`,
      's.yaml',
    );
    const settings = listeners.own;
    if (settings === undefined) throw new Error('this test needs its listener');
    const listener = makeListener('own', settings, {
      directory,
      settingsFile: '',
      intake: new MemoryIntake(),
      sources: new Sources(configSchema.parse({})),
      log: () => {},
    });
    await listener.start();
    t.teardown(() => listener.stop(0));
    const options = {
      host: '127.0.0.1',
      port: Number(listener.address.split(':')[1]),
      ca: ca.certPem,
      servername: 'localhost',
    };
    t.equal(await renegotiate(options), 'ERR_SSL_NO_RENEGOTIATION');
    listener.reload(settings);
    t.equal(
      await renegotiate(options),
      'ERR_SSL_NO_RENEGOTIATION',
      'also with certificates that were renewed',
    );
  });
