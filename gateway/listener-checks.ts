/** What can be said of a listener before it is opened: its certificate and key, its address, who allowed it without TLS. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type Address, readAddress } from '../proto/address.ts';
import { nowUs } from './process/clock.ts';
import { codeOf, exitCode, HilumError } from './process/errors.ts';
import { serverTls } from './process/tls.ts';
import { isLoopback, type ListenerSettings } from './settings.ts';
import { type FilePlace, readPem } from './tls-files.ts';

/** Throws with exit 78 where a listener with TLS could not present its certificate. */
export function checkListenerFiles(name: string, settings: ListenerSettings, place: FilePlace): void {
  const { mode, certFile, keyFile, caFile } = settings.tls;
  if (mode === 'none') return;
  const cert = readPem(certFile, place, 'listener', name, 'certFile');
  const key = readPem(keyFile, place, 'listener', name, 'keyFile');
  const ca = caFile === undefined ? undefined : issuers(caFile, place, name);
  try {
    createSecureContext({ cert, key, ca, ...serverTls });
  } catch (cause) {
    throw tlsUnusable(name, cause, weakness(cause) ?? wrongFile({ cert, key }));
  }
}

function weakness(cause: unknown): string | undefined {
  return /KEY_TOO_SMALL|MD_TOO_WEAK/.test(codeOf(cause))
    ? 'it has a key below RSA 2048, or is signed with SHA-1'
    : undefined;
}

/** Which of the two it is; undefined where each is good for itself. */
function wrongFile({ cert, key }: { cert: Buffer; key: Buffer }): string | undefined {
  const opens = (read: () => unknown) => {
    try {
      read();
      return true;
    } catch {
      return false;
    }
  };
  // X509Certificate takes DER as well, and TLS does not.
  if (!hasCertificate(cert) || !opens(() => new X509Certificate(cert)))
    return 'certFile holds no certificate';
  return opens(() => createPrivateKey(key)) ? undefined : 'keyFile holds no key that can be read';
}

/**
 * What is wrong with the time of this listener's certificate: `ended at …`, `begins at …`; undefined where it is good, or
 * there is none. Throws where it cannot be read.
 */
export function outOfDate(name: string, settings: ListenerSettings, place: FilePlace): string | undefined {
  const { mode, certFile } = settings.tls;
  if (mode === 'none') return undefined;
  const { validFrom, validTo } = new X509Certificate(readPem(certFile, place, 'listener', name, 'certFile'));
  if (isOver(validTo)) return `ended at ${validTo}`;
  return isOver(validFrom) ? undefined : `begins at ${validFrom}`;
}

export function isOver(notAfter: string): boolean {
  return Date.parse(notAfter) < nowUs() / 1000;
}

/** TLS takes a file without any without a word, and then trusts nobody. */
export function issuers(file: string, place: FilePlace, name: string): Buffer {
  const pem = readPem(file, place, 'listener', name, 'caFile');
  if (hasCertificate(pem)) return pem;
  throw new HilumError('tls-unusable', `The caFile of the listener "${name}" has no certificate.`, {
    hint: 'Write into it the certificates (PEM) of those who issue the client certificates.',
    exit: exitCode.badConfig,
  });
}

function hasCertificate(pem: Buffer): boolean {
  return /-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(pem.toString('latin1'));
}

export function tlsUnusable(name: string, cause: unknown, wrong?: string): HilumError {
  const text = `The certificate and key of the listener "${name}" cannot be used${wrong === undefined ? '' : `: ${wrong}`}.`;
  return new HilumError('tls-unusable', text, {
    hint:
      wrong === undefined
        ? 'Check that certificate and key belong together.'
        : 'Each is a PEM file; a key has no passphrase.',
    exit: exitCode.badConfig,
    cause,
  });
}

export function listenerFailed(name: string, listen: string, cause: unknown): HilumError {
  const code = codeOf(cause);
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: 'Something else listens there ("ss -ltnp" tells what); stop it, or change',
    EADDRNOTAVAIL: `No interface of this host has ${readAddress(listen)?.host ?? listen} ("ip address" shows those that there are): correct`,
    EACCES: 'Ports below 1024 are for root alone, and the gateway is not root: take one from 1024 on in',
  };
  return new HilumError('listener-failed', `The listener "${name}" cannot use ${listen} (${code}).`, {
    hint: `${hints[code] ?? 'Check'} listeners.${name}.listen in the settings.`,
    // An address may still be on its way after a boot, and another program may let go of its port.
    exit: code in hints && code !== 'EACCES' ? exitCode.tryAgain : exitCode.badConfig,
    cause,
  });
}

/** Who allowed a listener off loopback to be without TLS, and why; undefined where it is not such a one. */
export function plainOf(settings: ListenerSettings): { reason: string; owner: string } | undefined {
  const { mode, reason = '', owner = '' } = settings.tls;
  return mode === 'none' && !isLoopback(place(settings).host) ? { reason, owner } : undefined;
}

export function place(settings: ListenerSettings): Address {
  return readAddress(settings.listen) ?? { host: '127.0.0.1', port: 0 };
}
