/** TLS of the listeners as the settings make them: no client shakes hands twice, and none talks them into a weak suite. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import t from 'tap';
import { makeListener } from '../../gateway/listeners.ts';
import { parseSettings } from '../../gateway/settings.ts';
import { Sources } from '../../gateway/sources.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { MemoryIntake } from '../kit/memory-intake.ts';
import { renegotiate } from '../kit/renegotiation.ts';
import { createTestCa } from '../kit/tls.ts';

for (const type of ['mllp', 'mqtt'])
  t.test(`${type} listener over tls - no client renegotiates or chooses a weak suite`, async (t) => {
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
    const cipherOf = (own: tls.ConnectionOptions) =>
      new Promise<string>((resolve) => {
        const { ciphers = '' } = own;
        const maxVersion = ciphers.startsWith('TLS_') ? 'TLSv1.3' : 'TLSv1.2';
        const socket = tls.connect({ ...own, maxVersion }, () => {
          resolve(socket.getCipher().name);
          socket.destroy();
        });
        socket.on('error', ({ message }) => resolve(message));
      });
    t.equal(await renegotiate(options), 'ERR_SSL_NO_RENEGOTIATION');
    listener.reload(settings);
    t.equal(
      await renegotiate(options),
      'ERR_SSL_NO_RENEGOTIATION',
      'also with certificates that were renewed',
    );
    for (const suite of ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384'])
      t.not(await cipherOf({ ...options, ciphers: `${suite}:@SECLEVEL=0` }), suite, `${suite} is not taken`);
    const good = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];
    for (const suite of good) t.equal(await cipherOf({ ...options, ciphers: suite }), suite);
  });
