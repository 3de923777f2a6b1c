/** A journal whose file was taken away under the running gateway: what is written there goes with the process, so nothing more is answered. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
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

for (const [how, away] of Object.entries(take)) {
  t.test(`gone - a journal whose file is ${how} takes nothing more`, async (t) => {
    const directory = folderOf(t);
    const { journal } = await openJournal(directory);
    t.teardown(() => journal.close());
    const append = async () =>
      journal.append({
        source: 'lab',
        protocol: 'mllp',
        raw: Buffer.from('MSH|^~\\&|A|B|||2026||ADT^A01|1|P|2.5'),
        capturedAtUs: 1_764_000_000_000_000n,
        classGuess: 'routine',
        messageControlId: '1',
      });
    await append();
    away(join(directory, 'data.mdb'));
    const code = await until(
      () =>
        append().then(
          () => undefined,
          (error: { code?: string }) => error.code,
        ),
      { what: 'the journal seeing it', timeoutMs: 10_000, everyMs: 20 },
    );
    t.equal(code, 'database-gone');
  });
}
