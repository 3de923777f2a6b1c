/** A journal or store whose file was taken away under the running process: what is written there goes with the process, so nothing more is answered. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import type { HilumError } from '../../gateway/process/errors.ts';
import { openJournal } from '../kit/journal.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const take = {
  'taken away': (file: string) => rmSync(file),
  'replaced by another': (file: string) => {
    writeFileSync(`${file}.other`, '');
    renameSync(`${file}.other`, file);
  },
};

/** The code of what it is refused with. */
function refusal(attempt: () => Promise<unknown>): Promise<string> {
  const tried = () =>
    attempt().then(
      () => undefined,
      (error: { code: string }) => error.code,
    );
  return until(tried, { what: 'it being seen', timeoutMs: 10_000, everyMs: 20 });
}

for (const [how, away] of Object.entries(take)) {
  for (const kind of ['new', 'repeated'])
    t.test(`gone - a journal whose file is ${how} takes nothing more, ${kind}`, async (t) => {
      const directory = folderOf(t);
      const { journal, faults } = await openJournal(directory);
      t.teardown(() => journal.close());
      let number = 0;
      const append = () => {
        if (kind === 'new') number += 1;
        const raw = Buffer.from(`MSH|^~\\&|A|B|||2026||ADT^A01|${number}|P|2.5`);
        return journal.append({
          source: 'lab',
          protocol: 'mllp',
          raw,
          capturedAtUs: 1_764_000_000_000_000n,
          classGuess: 'routine',
          messageControlId: `${number}`,
          repeat: { key: `A\n${number}`, consult: true, window: { ms: 3_600_000 }, otherBytes: 'conflict' },
        });
      };
      await append();
      away(join(directory, 'data.mdb'));
      t.equal(await refusal(append), 'fault');
      t.same(faults, ['database-gone'], 'the process is told to end, once');
    });

  t.test(`gone - a store whose file is ${how} takes nothing more`, async (t) => {
    const directory = folderOf(t);
    const faults: string[] = [];
    const store = await openLmdbStore({
      directory,
      key: Buffer.alloc(32, 1),
      onFault: (cause) => faults.push((cause as HilumError).code),
    });
    t.teardown(() => store.close());
    away(join(directory, 'data.mdb'));
    const write = () => store.write([{ table: 'x', key: Buffer.from('1'), value: Buffer.from('1') }]);
    t.equal(await refusal(write), 'database-gone');
    t.equal(faults[0], 'database-gone');
  });
}
