/** enroll: a token is exchanged for this gateway's identity. */
import { readFileSync } from 'node:fs';
import { exitCode, HilumError } from './process/errors.ts';
import type { Place } from './run-command.ts';
import { loadSettings } from './settings.ts';
import { parseProxy } from './uplink/channel.ts';
import { enroll } from './uplink/enroll.ts';
import { type Identity, loadIdentity, makeIdentityPlace, saveIdentity } from './uplink/identity.ts';
import { version } from './version.ts';

export interface EnrollOptions extends Place {
  readonly token: string;
  readonly replace?: boolean;
}

export async function enrollCommand(options: EnrollOptions): Promise<void> {
  const { settings } = loadSettings(options.data, options.settings);
  const replaces = present(options.data, options.replace === true);
  const token = options.token === '-' ? readFileSync(0, 'utf8') : options.token;
  makeIdentityPlace(options.data);
  const identity = await enroll({
    token,
    address: settings.uplink.address,
    proxy: parseProxy(settings.uplink.proxy),
    version,
    replaces,
  });
  saveIdentity(options.data, identity);
  process.stdout.write(
    `Enrolled as ${identity.gateway} (site ${identity.site}) with ${settings.uplink.address ?? identity.address}.\n`,
  );
}

/** The identity that is here; without --replace there must be none. One that cannot be read is replaced, and not shown. */
function present(directory: string, replace: boolean): Identity | undefined {
  let identity: Identity | undefined;
  let name = 'an identity that cannot be read';
  try {
    identity = loadIdentity(directory);
    if (identity === undefined) return undefined;
    name = `${identity.gateway} (site ${identity.site}) with ${identity.address}`;
  } catch {
    // Only its name is lost; the refusal below still holds.
  }
  if (replace) return identity;
  throw new HilumError('already-enrolled', `${directory} is enrolled as ${name}. Nothing was changed.`, {
    hint: 'To make it another gateway, add --replace: the old one is retired, and the token is used then.',
    exit: exitCode.refused,
  });
}
