/** What both daemons make is for their user alone, also under a shell that says otherwise. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Site } from '../kit/site.ts';

t.test('data directories - no file of a daemon can be read by others, whatever the umask', async (t) => {
  const before = process.umask(0);
  const site = await Site.start(t).finally(() => process.umask(before));
  const open = [site.gatewayData, site.planeData].flatMap((directory) =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
      // It was written by the test.
      (file) => file !== 'settings.yaml' && (statSync(join(directory, file)).mode & 0o077) !== 0,
    ),
  );
  t.same(open, []);
});
