/** What a gateway keeps of its config, on a disk that does not do as it should. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ConfigStore } from '../../gateway/config-store.ts';
import { writePrivate } from '../../gateway/process/keys.ts';
import { ConfigOffer } from '../../proto/gen/hilum/v1/session.ts';
import { folderOf } from '../kit/site.ts';
import { fillVolume, smallVolume } from '../kit/volume.ts';

function offer(version: number, yaml: string): ConfigOffer {
  const hash = createHash('sha256').update(yaml).digest();
  return ConfigOffer.fromPartial({ version: BigInt(version), yaml, hash });
}

async function attempt(store: ConfigStore, offered: ConfigOffer, atUs: bigint) {
  return store.attempt(offered, await store.check(offered), atUs);
}

const volume = smallVolume(t, 4);
const needsVolume = { skip: volume === undefined && 'no volume of its own could be mounted' };

t.test(
  'store - what a full disk does not take is refused, and the last good one goes on',
  needsVolume,
  async (t) => {
    const directory = join(volume ?? '', 'config');
    mkdirSync(directory);
    const store = new ConfigStore(directory, { lab: 'mllp' });
    t.match(await attempt(store, offer(1, 'enrichment: { enabled: true }\n'), 1n), {
      outcome: 'applied',
      version: 1n,
    });
    const filler = fillVolume(volume ?? '', 64 * 1024);
    const long = `enrichment: { enabled: false }\n# ${'x'.repeat(200_000)}\n`;
    t.match(await attempt(store, offer(2, long), 2n), {
      outcome: 'refused',
      problems: [{ path: '', message: 'this gateway cannot store it (ENOSPC)' }],
    });
    t.match(store.report(), { attempted: { version: 2n, outcome: 'refused' }, running: { version: 1n } });
    t.match(store.running(), { version: 1, yaml: 'enrichment: { enabled: true }\n' });
    t.match(new ConfigStore(directory, { lab: 'mllp' }).running(), { version: 1 }, 'also after a restart');
    rmSync(filler);
    t.match(
      await attempt(store, offer(2, long), 3n),
      { outcome: 'applied', version: 2n },
      'once there is room',
    );
  },
);

t.test(
  'store - a private file is whole or as it was, where the disk takes only a part',
  needsVolume,
  async (t) => {
    const file = join(volume ?? '', 'secret');
    writePrivate(file, 'before');
    const filler = fillVolume(volume ?? '', 32 * 1024);
    t.throws(() => writePrivate(file, 'x'.repeat(500_000)), { code: 'ENOSPC' });
    t.equal(readFileSync(file, 'utf8'), 'before');
    rmSync(filler);
    writePrivate(file, 'after');
    t.equal(readFileSync(file, 'utf8'), 'after');
  },
);

t.test(
  'store - a file that cannot be read: the built-in meaning runs, and the next config is taken',
  async (t) => {
    const directory = folderOf(t);
    await attempt(
      new ConfigStore(directory, { lab: 'mllp' }),
      offer(7, 'enrichment: { enabled: true }\n'),
      1n,
    );
    const file = join(directory, 'config', 'running.json');
    writeFileSync(file, readFileSync(file).subarray(0, 40));
    const store = new ConfigStore(directory, { lab: 'mllp' });
    t.equal(store.unreadable, true);
    t.match(store.running(), { version: 0, yaml: '' });
    t.match(await attempt(store, offer(7, 'enrichment: { enabled: true }\n'), 2n), { outcome: 'applied' });
    t.equal(new ConfigStore(directory, { lab: 'mllp' }).unreadable, false);
  },
);
