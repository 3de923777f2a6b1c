/**
 * What a local destination with TLS is trusted by, and what it is shown: files that the settings name, read at a start
 * and at a reload. Whether a destination has TLS at all, the config says.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { exitCode, HilumError } from './process/errors.ts';
import type { LineTls } from './route/line.ts';
import { type LoadedSettings, resolvePath } from './settings.ts';

/** By destination. Throws with exit 78 where a file cannot be read or used. */
export function readDestinationTls(
  { settings, file }: LoadedSettings,
  directory: string,
): Map<string, LineTls> {
  const read = (path: string, destination: string, field: string): Buffer => {
    const place = resolvePath(path, file, directory);
    try {
      return readFileSync(place);
    } catch (cause) {
      throw new HilumError(
        'tls-file',
        `The ${field} of the destination "${destination}" cannot be read: ${place}`,
        {
          hint: `Check destinations.${destination}.tls.${field} and that the user of the gateway may read it.`,
          exit: exitCode.badConfig,
          cause,
        },
      );
    }
  };
  return new Map(
    Object.entries(settings.destinations).map(([name, { tls }]) => {
      const { caFile, certFile, keyFile, serverName } = tls;
      const own: LineTls = {};
      if (caFile !== undefined) own.ca = read(caFile, name, 'caFile');
      if (certFile !== undefined) own.cert = read(certFile, name, 'certFile');
      if (keyFile !== undefined) own.key = read(keyFile, name, 'keyFile');
      if (serverName !== undefined) own.serverName = serverName;
      checkUsable(name, own);
      return [name, own];
    }),
  );
}

function checkUsable(name: string, { ca, cert, key }: LineTls): void {
  try {
    // OpenSSL passes over what is no certificate, and would trust nobody.
    if (ca !== undefined) new X509Certificate(ca);
    createSecureContext({ ca, cert, key });
  } catch (cause) {
    throw new HilumError('tls-unusable', `The certificates of the destination "${name}" cannot be used.`, {
      hint: `Check that the files in destinations.${name}.tls are PEM, and that certFile and keyFile belong together.`,
      exit: exitCode.badConfig,
      cause,
    });
  }
}
