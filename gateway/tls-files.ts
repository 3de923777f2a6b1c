/** Certificates and keys of listeners and destinations, in files that the settings name. */
import { readFileSync } from 'node:fs';
import { exitCode, HilumError } from './process/errors.ts';
import { resolvePath } from './settings.ts';

/** Where the files are looked for. */
export interface FilePlace {
  directory: string;
  settingsFile: string;
}

/** @throws HilumError `tls-file`, exit 78 */
export function readPem(
  file: string | undefined,
  place: FilePlace,
  kind: 'listener' | 'destination',
  name: string,
  field: string,
): Buffer {
  const path = resolvePath(file ?? '', place.settingsFile, place.directory);
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new HilumError('tls-file', `The ${field} of the ${kind} "${name}" cannot be read: ${path}`, {
      hint: `Check the path at ${kind}s.${name}.tls.${field}, and that the user of the gateway may read it.`,
      exit: exitCode.badConfig,
      cause,
    });
  }
}
