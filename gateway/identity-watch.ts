/**
 * A gateway that runs while `enroll` writes an identity beside it takes that up by itself: nobody has to know
 * that it should be restarted. Looked at by time and size every other second.
 */
import { statSync } from 'node:fs';
import { type Identity, identityFile, loadIdentity } from './uplink/identity.ts';

const everyMs = 2_000;

/** Calls with each identity that appears from here on; one that cannot be used is looked at again. */
export function watchIdentity(directory: string, onIdentity: (identity: Identity) => void): NodeJS.Timeout {
  const mark = () => {
    const file = statSync(identityFile(directory), { throwIfNoEntry: false });
    return file === undefined ? '' : `${file.mtimeMs} ${file.size} ${file.ino}`;
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
      // Said at the start, and by doctor.
    }
  };
  return setInterval(look, everyMs).unref();
}
