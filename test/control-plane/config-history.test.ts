/** The history of configs whose texts together are more than one message carries. */
import t from 'tap';
import { connect } from '../../control-plane/ctl/client.ts';
import { configVersion, configVersions } from '../../control-plane/ctl/config-versions.ts';
import { ConfigVersion } from '../../proto/gen/hilum/v1/admin.ts';
import { wireLimits } from '../../proto/limits.ts';
import { pushed } from './hub-kit.ts';
import { openPlane } from './plane-kit.ts';

const text = (n: number) => `# ${n}\n${'#'.repeat(2 * 1024 * 1024 - 10)}\n`;

t.test('config history - texts come with one version at a time', async (t) => {
  const { plane, contextFile } = await openPlane(t);
  const count = 18;
  for (let n = 1; n <= count; n += 1) {
    const site = n % 2 === 0 ? 'north' : 'south';
    await pushed(plane.state, site, text(n));
  }
  const connection = connect(contextFile);
  t.teardown(() => connection.close());
  const versions = await configVersions(connection, '', false);
  t.equal(versions.length, count);
  t.ok(versions.every(({ yaml }) => yaml === ''));
  const whole = await configVersions(connection, '', true);
  t.ok(
    whole.every(({ yaml, version }) => yaml === text(Number(version))),
    'each has its own',
  );
  const bytes = whole.reduce((sum, one) => sum + ConfigVersion.encode(one).finish().length, 0);
  t.ok(bytes > wireLimits.messageBytesMax, `${bytes} bytes`);
  t.equal((await configVersion(connection, 'south'))?.version, 17n, 'the newest of a site');
  t.equal((await configVersion(connection, 'south', 3n))?.yaml, text(3));
  t.equal(await configVersion(connection, 'south', 4n), undefined, 'that is one of the other site');
  t.equal(await configVersion(connection, 'west'), undefined);
  await plane.stop(1_000);
});
