/** A control plane that was restored from an older copy gives numbers of configs again; their texts are others. */
import t from 'tap';
import { ConfigApi } from '../../control-plane/config/config-api.ts';
import { hubOf } from '../../control-plane/hub.ts';
import type { State } from '../../control-plane/plane.ts';
import { ConfigOutcome, ConfigReport } from '../../proto/gen/hilum/v1/session.ts';
import { folderOf } from '../kit/site.ts';
import { openCentre, pushed } from './hub-kit.ts';

const of = (version: bigint, hash: string | Buffer, outcome = 'applied') =>
  ConfigOutcome.fromPartial({ version, hash: Buffer.from(hash), outcome });

t.test('configs - the same number with another text is another config', async (t) => {
  const { state, sessions, close } = await openCentre(folderOf(t));
  const hub = hubOf(state, () => {});
  const api = new ConfigApi(state as State, sessions);
  await state.registry.update('north', { site: 'north' });
  const { version, hash } = await pushed(state, 'north', 'sources: {}');
  const same = of(version, Buffer.from(hash, 'hex'));
  const other = of(version, 'of the text before the restore');
  t.match(hub.offer('north', 'north', other), { version, yaml: 'sources: {}' }, 'it is offered');
  t.equal(hub.offer('north', 'north', same), undefined);
  await hub.configReport('north', ConfigReport.fromPartial({ attempted: other, running: other }));
  const desired = () => api.configStatus('north').gateways[0]?.config?.desired;
  t.match(desired(), { version, outcome: 'pending' }, 'nobody says that it runs');
  t.same(state.configs.outcomes(state.configs.find('north', version) as never), []);
  await hub.configReport('north', ConfigReport.fromPartial({ attempted: same, running: same }));
  t.match(desired(), { version, outcome: 'applied' });
  t.match(state.configs.outcomes(state.configs.find('north', version) as never), [{ outcome: 'applied' }]);
  await close();
});

t.test('configs - a new version is above all that gateways have told of, over a restart too', async (t) => {
  const directory = folderOf(t);
  const first = await openCentre(directory);
  await pushed(first.state, 'north', 'sources: {}');
  const hub = hubOf(first.state, () => {});
  await hub.configReport('north', ConfigReport.fromPartial({ running: of(8n, 'h') }));
  await hub.configReport('north', ConfigReport.fromPartial({ running: of(2n ** 63n, 'no number of ours') }));
  await first.close();
  const { state, close } = await openCentre(directory);
  t.equal((await pushed(state, 'north', 'sources: {}')).version, 9n);
  t.equal((await pushed(state, 'south', 'sources: {}')).version, 10n);
  await close();
});
