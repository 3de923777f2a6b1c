/** What a gateway says of a journal or a record that is another's. */
import t from 'tap';
import { nowUs64 } from '../../gateway/process/clock.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import { until } from '../kit/wait.ts';
import { openCentre, type Said } from './hub-kit.ts';

const id = 'north.7.record.1';
const dayUs = 86_400_000_000n;

/** Two gateways that belong here, each at a site of its own; north has an entry in quarantine. */
async function rig(directory: string) {
  const centre = await openCentre(directory);
  const { registry, quarantine } = centre.state;
  const north = await centre.connect('north', 7n);
  const south = await centre.connect('south', 8n);
  for (const gateway of ['north', 'south'])
    await registry.update(gateway, { site: gateway, certificateExpiresAtUs: nowUs64() + dayUs });
  const facts = { id, state: 'open', code: 'no-msh', atUs: 5n, recordHash: 'aa', recordSequence: 1n };
  await report(north, facts);
  return { centre, registry, quarantine, north, south };
}

type Stream = Awaited<ReturnType<Awaited<ReturnType<typeof openCentre>>['connect']>>;

const acks = (said: readonly Said[]) => said.filter(({ $case }) => $case === 'quarantineAck').length;

async function report({ say, said }: Stream, facts: Partial<QuarantineEntry>): Promise<void> {
  const before = acks(said);
  const entries = [QuarantineEntry.fromPartial({ number: BigInt(before + 1), ...facts })];
  say({ $case: 'quarantine', value: { entries } });
  await until(() => acks(said) > before, { what: 'the ack' });
}

const refusals = (said: readonly Said[]) =>
  said.flatMap((frame) => (frame.$case === 'refusal' ? [frame.value.code] : []));

t.test(
  'records of others - what another gateway says of an entry changes nothing, and is told',
  async (t) => {
    const { centre, quarantine, south } = await rig(t.testdir());
    await report(south, { id, state: 'discarded', replayedAtUs: 9n });
    await report(south, {
      id,
      state: 'open',
      code: 'query',
      reason: 'other',
      messageControlId: 'X',
      atUs: 9n,
    });
    t.match(await quarantine.get(id), {
      gateway: 'north',
      state: 'open',
      code: 'no-msh',
      messageControlId: '',
    });
    const planted = 'north.7.record.2';
    await report(south, { id: planted, state: 'open', code: 'query' });
    t.equal(await quarantine.get(planted), undefined, 'nor does it make one of the journal of another');
    await centre.settled();
    const trail = (await centre.state.audit.list(0n, 100)).filter(({ gateway }) => gateway === 'south');
    t.same(
      trail.map(({ action, outcome }) => `${action} ${outcome}`),
      ['connected success', ...Array(3).fill('record-of-another failed')],
    );
    await report(south, { id: 'south.8.record.1', state: 'open', code: 'query' });
    t.match(await quarantine.get('south.8.record.1'), { gateway: 'south' }, 'its own it has');
    await centre.close();
  },
);

t.test('records of others - an epoch belongs to whoever has it, until that one is retired', async (t) => {
  const { centre, registry, north } = await rig(t.testdir());
  north.hangUp();
  const claim = () => centre.begin('south', 7n);
  const refused = claim();
  await until(() => refusals(refused.said).length > 0, { what: 'the refusal' });
  t.same(refusals(refused.said), ['journal-of-another']);
  t.same([registry.namesOf('north'), registry.namesOf('south')], [['north'], ['south']]);
  await centre.settled();
  t.match(
    (await centre.state.audit.list(0n, 100)).filter(({ action }) => action === 'journal-of-another'),
    [{ gateway: 'south', outcome: 'failed', reason: /north/ }],
  );
  await registry.update('north', { certificateExpiresAtUs: 1n });
  const elsewhere = claim();
  await until(() => refusals(elsewhere.said).length > 0, { what: 'the refusal' });
  await registry.update('north', { revoked: true });
  await centre.connect('south', 7n);
  t.same([...registry.namesOf('north')].sort(), ['north', 'south']);
  await centre.close();
});

t.test(
  'records of others - who comes back after its certificate ran out still has its journal',
  async (t) => {
    const { centre, registry, north } = await rig(t.testdir());
    north.hangUp();
    await registry.update('north', { certificateExpiresAtUs: 1n });
    const enrolledAtUs = nowUs64();
    await registry.update('north-2', {
      site: 'north',
      enrolledAtUs,
      certificateExpiresAtUs: enrolledAtUs + dayUs,
    });
    await centre.connect('north-2', 7n);
    t.same(registry.earlierNames('north-2'), ['north']);
    await centre.close();
  },
);
