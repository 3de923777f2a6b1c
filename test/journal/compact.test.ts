/** `journal compact`: the copy is on the disk before it takes the journal's place. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { available, underStrace } from '../faults/tools/strace.ts';
import { closeJournal, openJournal } from '../kit/journal.ts';
import { startProcess } from '../kit/process.ts';
import { folderOf, programPath, runProgram } from '../kit/site.ts';
import { fillVolume, smallVolume } from '../kit/volume.ts';

const volume = smallVolume(t, 96);
const needsVolume = { skip: volume === undefined && 'no volume of its own could be mounted' };

t.test(
  'journal compact - on a full volume it says what it needs, and the journal stays',
  needsVolume,
  async (t) => {
    const data = volume as string;
    const key = randomBytes(32);
    writeFileSync(join(data, 'key'), `${key.toString('base64')}\n`, { mode: 0o600 });
    const opened = await openJournal(join(data, 'journal'), { key });
    for (let n = 0; n < 6; n += 1)
      await opened.journal.append({
        source: 'lab',
        protocol: 'mllp',
        raw: randomBytes(1024 ** 2),
        capturedAtUs: 1_764_000_000_000_000n,
        classGuess: 'routine',
        messageControlId: String(n),
      });
    await closeJournal(opened);
    fillVolume(data, 1024 ** 2);
    const { code, stderr } = await runProgram('gateway', ['journal', 'compact', '--data', data]);
    t.equal(code, 75, stderr);
    t.match(
      stderr,
      /^The compacted copy in .*journal\.unfinished cannot be written.*The journal is as it was\.\n/,
    );
    t.match(stderr, /takes at most \d+ MiB.*free there/);
    t.notOk(existsSync(join(data, 'journal.unfinished')), 'what was written of the copy takes no room');
    t.equal((await runProgram('gateway', ['journal', 'verify', '--data', data])).code, 0);
  },
);

const skip = available() ? false : 'no strace, or it may not trace';

t.test('journal compact - where the copy cannot be flushed the journal stays', { skip }, async (t) => {
  const data = folderOf(t);
  const key = randomBytes(32);
  writeFileSync(join(data, 'key'), `${key.toString('base64')}\n`, { mode: 0o600 });
  const opened = await openJournal(join(data, 'journal'), { key });
  await opened.journal.append({
    source: 'lab',
    protocol: 'mllp',
    raw: Buffer.from('MSH|^~\\&|A|B|||2026||ADT^A01|1|P|2.5'),
    capturedAtUs: 1_764_000_000_000_000n,
    classGuess: 'routine',
    messageControlId: '1',
  });
  await closeJournal(opened);
  const before = readdirSync(data).sort();
  const verify = () => runProgram('gateway', ['journal', 'verify', '--data', data, '-o', 'json']);
  const whole = { code: 0, stdout: /"records.routine": ?1/ };
  t.match(await verify(), whole);
  const beside = join(data, 'journal.unfinished');
  const compact = [programPath('gateway'), 'journal', 'compact', '--data', data];
  const failing = underStrace(
    {
      inject: [{ syscall: 'fsync', error: 'EIO', when: '1+' }],
      log: join(folderOf(t), 'strace'),
      paths: [join(beside, 'data.mdb')],
    },
    process.execPath,
    compact,
  );
  const { code } = await startProcess(t, { name: 'compact', folder: folderOf(t), ...failing }).waitForExit();
  t.not(code, 0);
  t.ok(existsSync(join(beside, 'data.mdb')), 'it failed on the copy');
  t.match(await verify(), whole);
  t.equal((await runProgram('gateway', compact.slice(1))).code, 0);
  t.match(await verify(), whole);
  t.same(readdirSync(data).sort(), before, 'nothing stays beside it');
});
