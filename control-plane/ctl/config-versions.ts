/** Stored versions of configs. A text comes with one version at a time: together they may be more than a message carries. */
import type { ConfigVersion } from '../../proto/gen/hilum/v1/admin.ts';
import { type Connection, call } from './client.ts';

/** In the order in which they were pushed; of all sites where none is named. */
export async function configVersions(
  connection: Connection,
  site: string,
  withTexts: boolean,
): Promise<ConfigVersion[]> {
  const { versions } = await ask(connection, site, 0n);
  if (!withTexts) return versions;
  const whole: ConfigVersion[] = [];
  for (const { site: of, version } of versions) whole.push(...(await ask(connection, of, version)).versions);
  return whole;
}

/** With its text. Without a number the newest of the site; undefined where there is none. */
export async function configVersion(
  connection: Connection,
  site: string,
  version?: bigint,
): Promise<ConfigVersion | undefined> {
  const wanted = version ?? (await ask(connection, site, 0n)).versions.at(-1)?.version;
  if (wanted === undefined) return undefined;
  const { versions } = await ask(connection, site, wanted);
  return versions[0];
}

function ask(connection: Connection, site: string, version: bigint) {
  return call(connection, connection.client.configHistory, { site, version });
}
