/**
 * A gateway that runs while `enroll` writes an identity beside it takes that up by itself: nobody has to know
 * that it should be restarted. Looked at by time and size every other second. What cannot be looked at (a data directory
 * whose rights somebody changed) is looked at again: it is no reason to stop taking messages.
 */
import { statSync } from 'node:fs';
import { type Identity, identityFile, loadIdentity } from './uplink/identity.ts';

const everyMs = 2_000;

/** Calls with each identity that appears from here on; one that cannot be used is looked at again. */
export function watchIdentity(directory: string, onIdentity: (identity: Identity) => void): NodeJS.Timeout {
  return setInterval(identityLook(directory, onIdentity), everyMs).unref();
}

/** One look at what appeared since the one before; never throws. */
export function identityLook(directory: string, onIdentity: (identity: Identity) => void): () => void {
  let seen = markOf(directory) ?? '';
  return () => {
    const now = markOf(directory);
    if (now === undefined || now === seen) return;
    try {
      const identity = loadIdentity(directory);
      seen = now;
      if (identity !== undefined) onIdentity(identity);
    } catch {
      // Said at the start, and by doctor.
    }
  };
}

/** '' where there is no identity; undefined where nobody can say. */
function markOf(directory: string): string | undefined {
  try {
    const file = statSync(identityFile(directory), { throwIfNoEntry: false });
    return file === undefined ? '' : `${file.mtimeMs} ${file.size} ${file.ino}`;
  } catch {
    return undefined;
  }
}
