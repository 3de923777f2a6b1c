/** One bit of a stored row turned over: which row it was is told, and what else there is. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AuditChain } from '../../control-plane/audit/chain.ts';
import { EventLog } from '../../control-plane/eventlog/eventlog.ts';
import { indexKey } from '../../control-plane/eventlog/keys.ts';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import { loadKey } from '../../gateway/process/keys.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { Batch, Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { folderOf, runProgram } from '../kit/site.ts';

/** Turns one bit of a row over, as a disk does. */
async function damage(directory: string, table: string, number: bigint): Promise<void> {
  const environment = openEnvironment({ directory });
  const row = Buffer.from(environment.table(table).get(indexKey(number)) as Buffer);
  row[row.length >> 1] = (row[row.length >> 1] ?? 0) ^ 1;
  await environment.write(() => {
    void environment.table(table).put(indexKey(number), row);
  });
  await environment.close();
}

/** The data of a control plane with ten audit entries and ten events, each in a row of its own. */
async function filled(t: Test) {
  const data = folderOf(t);
  const directory = join(data, 'store');
  const key = loadKey(join(data, 'key'), true);
  const open = () => openLmdbStore({ directory, key, onFault: () => undefined });
  const store = await open();
  const chain = new AuditChain(store, () => 5n);
  const log = new EventLog(store, key, () => 1n);
  for (let n = 1; n <= 10; n += 1) {
    await chain.add({ action: 'config-pushed', subject: `config ${n}`, actor: 'ann' });
    const facts = { recordSequence: BigInt(n), index: 1, count: 1, source: 'lab' };
    const envelopes = [Envelope.encode(Envelope.fromPartial(facts)).finish() as Buffer];
    await log.append(
      'north',
      'north',
      Batch.fromPartial({ epoch: 1n, lane: 'stat', firstSequence: BigInt(n), envelopes }),
    );
  }
  await store.close();
  return { data, directory, open };
}

interface Report {
  readonly events: { readonly count: number; readonly damage: string };
  readonly audit: {
    readonly intact: boolean;
    readonly entries: string;
    readonly firstBad?: string;
    readonly reason?: string;
  };
}

async function verify(data: string): Promise<{ code: number; report: Report }> {
  const { code, stdout, stderr } = await runProgram('plane', ['verify', '--data', data, '-o', 'json']);
  if (stdout === '') throw new Error(stderr);
  return { code, report: JSON.parse(stdout) as Report };
}

t.test('audit - an entry that cannot be opened is the first bad one', async (t) => {
  const { directory, open } = await filled(t);
  await damage(directory, 'audit', 4n);
  const store = await open();
  const chain = new AuditChain(store, () => 5n);
  await chain.open();
  t.match(await chain.verify(), { intact: false, firstBad: 4n, entries: 10n, reason: /checksum/ });
  await store.close();
});

t.test('verify - a damaged audit entry is named, and the events are still walked', async (t) => {
  const { data, directory } = await filled(t);
  await damage(directory, 'audit', 7n);
  const { code, report } = await verify(data);
  t.equal(code, 1);
  t.match(report, {
    events: { count: 10, damage: '' },
    audit: { intact: false, firstBad: '7', entries: '10', reason: /cannot be read/ },
  });
});

for (const number of [3n, 10n]) {
  t.test(
    `verify - event ${number} is named where it is damaged, and the others are still walked`,
    async (t) => {
      const { data, directory } = await filled(t);
      await damage(directory, 'events', number);
      const { code, report } = await verify(data);
      t.equal(code, 1);
      t.match(report, {
        events: { count: 9, damage: new RegExp(`^event ${number}: .*row ${number} of events`) },
        audit: { intact: true, entries: '10' },
      });
    },
  );
}
