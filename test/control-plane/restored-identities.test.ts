/** A control plane that was put back from a copy: who comes with a certificate that it does not know that it issued. */
import { X509Certificate } from 'node:crypto';
import t, { type Test } from 'tap';
import { Plane } from '../../control-plane/plane.ts';
import { loadSettings } from '../../control-plane/settings.ts';
import { CertificateRow } from '../../proto/gen/hilum/v1/store.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const dayUs = 86_400_000_000n;

async function rig(t: Test) {
  const directory = folderOf(t);
  const { settings } = loadSettings(directory, undefined);
  const lines: string[] = [];
  const log = (_level: string, code: string) => {
    lines.push(code);
  };
  const { state } = await Plane.open({ directory, settings, settingsFile: '', log });
  t.teardown(() => state.store.close());
  const issue = (name = 'north', role: 'gateway' | 'admin' = 'gateway') =>
    state.authority.issue(role, name, []);
  const known = async (issued: Awaited<ReturnType<typeof issue>>, endsLaterUs = 0n, name = 'north') =>
    state.store.write([
      state.peers.issued({ ...issued, expiresAtUs: issued.expiresAtUs + endsLaterUs }, 'gateway', name),
    ]);
  const verdict = ({ certificatePem }: { certificatePem: string }) => {
    const said = state.peers.verify(new X509Certificate(certificatePem).raw, Date.now());
    return 'peer' in said ? said.peer.name : said.objection;
  };
  const trail = async () =>
    (await state.audit.list(0n, 1_000)).filter(({ action }) => action === 'certificate-missing-here');
  await state.registry.update('north', { site: 'north' });
  return { state, lines, issue, known, verdict, trail };
}

const notIssued = 'the client certificate was not issued by this control plane';
const wasRevoked = 'the client certificate was revoked';

t.test('restored - a certificate that is newer than all known ones of its gateway is taken up', async (t) => {
  const { state, lines, issue, known, verdict, trail } = await rig(t);
  // The one that the copy knows is of the day before.
  await known(await issue(), -dayUs);
  const renewed = await issue();
  for (let time = 0; time < 2; time += 1) t.equal(verdict(renewed), 'north');
  await until(async () => (await trail()).length > 0, { what: 'the trail' });
  t.match(await trail(), [{ gateway: 'north', subject: renewed.serial }], 'told once');
  t.same(
    lines.filter((code) => code === 'certificate-missing-here'),
    ['certificate-missing-here'],
  );
  const row = await state.store.get('certificates', Buffer.from(renewed.serial));
  t.match(CertificateRow.decode(row as Buffer), { name: 'north', role: 'gateway', revoked: false });
  t.ok(
    state.peers.good('gateway', Date.now()).some(({ serial }) => serial === renewed.serial),
    'it is one of those of its gateway',
  );
  await state.store.write(state.peers.revoked('gateway', 'north'));
  t.equal(verdict(renewed), wasRevoked, 'and is revoked with them');
});

t.test('restored - one that another has replaced is refused', async (t) => {
  const { state, issue, known, verdict, trail } = await rig(t);
  const replaced = await issue();
  await known(await issue(), dayUs);
  t.equal(verdict(replaced), notIssued);
  // Whatever is known is newer, also where it is revoked.
  await state.store.write(state.peers.revoked('gateway', 'north'));
  t.equal(verdict(replaced), notIssued);
  t.same(await trail(), []);
});

t.test('restored - a revoked gateway is refused with whatever it comes', async (t) => {
  const { state, issue, known, verdict } = await rig(t);
  await known(await issue(), -dayUs);
  await state.registry.update('north', { revoked: true });
  t.equal(verdict(await issue()), notIssued);
});

t.test('restored - an admin, and a gateway of which nothing is known, is refused', async (t) => {
  const { state, issue, known, verdict, trail } = await rig(t);
  t.equal(verdict(await issue('south')), notIssued, 'its name is not here');
  t.equal(verdict(await issue()), notIssued, 'its name is, and no certificate');
  const admin = await issue('ann', 'admin');
  const older = { ...admin, expiresAtUs: admin.expiresAtUs - dayUs };
  await state.store.write([state.peers.issued(older, 'admin', 'ann')]);
  t.equal(verdict(await issue('ann', 'admin')), notIssued);
  await known(await issue('west'), -dayUs, 'west');
  t.equal(verdict(await issue('west')), notIssued, 'a certificate alone makes no gateway');
  t.same(await trail(), []);
});
