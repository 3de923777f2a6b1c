/** An identity that appears beside a gateway that runs, and what stands in its place for a while. */
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { identityLook } from '../../gateway/identity-watch.ts';
import { type Identity, identityFile, saveIdentity } from '../../gateway/uplink/identity.ts';
import { createTestCa } from '../kit/tls.ts';

async function anIdentity(): Promise<Identity> {
  const ca = await createTestCa();
  const { certPem: certificatePem, keyPem } = await ca.issue({ commonName: 'north' });
  return {
    gateway: 'north',
    site: 'north',
    address: 'centre:8443',
    caPem: ca.certPem,
    certificatePem,
    keyPem,
  };
}

t.test('identity watch - what cannot be looked at ends nothing, and is looked at again', async (t) => {
  const directory = t.testdir();
  const found: string[] = [];
  const look = identityLook(directory, ({ gateway }) => found.push(gateway));
  look();
  // A link to itself: to be looked at by nobody, also not by root [ELOOP].
  symlinkSync(identityFile(directory), identityFile(directory));
  t.doesNotThrow(look);
  t.doesNotThrow(() => identityLook(directory, () => {}), 'nor at the start');
  rmSync(identityFile(directory));
  saveIdentity(directory, await anIdentity());
  look();
  look();
  t.same(found, ['north'], 'it is taken up, once');
  rmSync(identityFile(directory));
  t.doesNotThrow(look);
});

t.test('identity watch - a data directory that is none any more', async (t) => {
  const root = t.testdir({ data: {} });
  const look = identityLook(join(root, 'data'), () => t.fail('there is none'));
  rmSync(join(root, 'data'), { recursive: true });
  t.doesNotThrow(look);
});
