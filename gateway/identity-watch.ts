/**
 * A gateway that runs while `enroll` writes an identity beside it takes that up by itself: nobody has to know
 * that it should be restarted. Looked at by time and size every other second; the facts are written last.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Identity, loadIdentity } from './uplink/identity.ts';

const everyMs = 2_000;

/** Calls with each identity that appears from here on; one that cannot be read (half written) is looked at again. */
export function watchIdentity(directory: string, onIdentity: (identity: Identity) => void): NodeJS.Timeout {
  const mark = () => {
    const facts = statSync(join(directory, 'identity', 'enrollment.json'), { throwIfNoEntry: false });
    return facts === undefined ? '' : `${facts.mtimeMs} ${facts.size} ${facts.ino}`;
  };
  let seen = mark();
  const look = () => {
    const now = mark();
    if (now === seen) return;
    try {
      const identity = loadIdentity(directory);
      seen = now;
      if (identity !== undefined) onIdentity(identity);
    } catch {
      // It is being written.
    }
  };
  return setInterval(look, everyMs).unref();
}
