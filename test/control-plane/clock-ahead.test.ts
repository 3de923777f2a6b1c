/** A certificate that was made while the clock was ahead, and what becomes of it once that is set right. */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openAuthority } from '../../control-plane/identity/ca.ts';
import { Peers } from '../../control-plane/identity/peers.ts';
import { saveIdentity } from '../../gateway/uplink/identity.ts';
import { makeRequest } from '../../gateway/uplink/request.ts';
import { folderOf, runProgram } from '../kit/site.ts';
import { openCentre } from './hub-kit.ts';

const dayMs = 86_400_000;

/** A gateway's certificate by a clock that was so far ahead. */
async function made(t: Test, aheadMs: number) {
  const authority = await openAuthority(folderOf(t), () => Date.now() + aheadMs);
  const { keyPem, csr } = await makeRequest();
  const issued = await authority.sign(csr, 'gateway', 'north');
  return { caPem: authority.caPem, keyPem, issued };
}

t.test('clock ahead - a gateway is let in at once when the clock was ahead by days', async (t) => {
  const { caPem, issued } = await made(t, 9 * dayMs);
  const { state, store, close } = await openCentre(folderOf(t));
  t.teardown(close);
  await state.registry.update('north', { site: 'north' });
  const peers = new Peers(caPem, store, state.registry, () => {});
  await store.write([peers.issued(issued, 'gateway', 'north')]);
  const { raw } = new X509Certificate(issued.certificatePem);
  t.match(peers.verify(raw, Date.now()), { peer: { name: 'north' } });
});

t.test('clock ahead - doctor says it where the certificate has not begun', async (t) => {
  const { caPem, keyPem, issued } = await made(t, 60 * dayMs);
  const data = folderOf(t);
  const { certificatePem } = issued;
  saveIdentity(data, {
    gateway: 'north',
    site: 'north',
    address: '127.0.0.1:1',
    caPem,
    certificatePem,
    keyPem,
  });
  const { stdout } = await runProgram('gateway', ['doctor', '--data', join(data), '-o', 'json']);
  const findings = JSON.parse(stdout) as { check: string; code: string; state: string }[];
  t.match(
    findings.find(({ check }) => check === 'identity'),
    { state: 'fail', code: 'certificate-not-begun' },
  );
});
