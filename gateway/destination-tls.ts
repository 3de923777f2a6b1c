/**
 * What a local destination with TLS is trusted by, and what it is shown: files that the settings name, read at a start
 * and at a reload. Whether a destination has TLS at all, the config says.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { exitCode, HilumError } from './process/errors.ts';
import type { LineTls } from './route/line.ts';
import type { LoadedSettings } from './settings.ts';
import { readPem } from './tls-files.ts';

/** By destination. Throws with exit 78 where a file cannot be read or used. */
export function readDestinationTls(
  { settings, file }: LoadedSettings,
  directory: string,
): Map<string, LineTls> {
  const place = { directory, settingsFile: file };
  return new Map(
    Object.entries(settings.destinations).map(([name, { tls }]) => {
      const { caFile, certFile, keyFile, serverName } = tls;
      const own: LineTls = {};
      if (caFile !== undefined) own.ca = readPem(caFile, place, 'destination', name, 'caFile');
      if (certFile !== undefined) own.cert = readPem(certFile, place, 'destination', name, 'certFile');
      if (keyFile !== undefined) own.key = readPem(keyFile, place, 'destination', name, 'keyFile');
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
