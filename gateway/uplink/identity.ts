/**
 * Who this gateway is: its key, certificate and CA, and what the enrollment told, in DIR/identity.json. One file, so
 * that a key without its certificate is never there. The key is made here and never leaves.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivate } from '../process/keys.ts';
import { readOwnFile, Unusable } from '../process/own-file.ts';
import { makeDirectory, mustBeOwn, storageError } from '../process/storage.ts';
import { takeAway, unfinished } from '../process/unfinished.ts';

export interface Identity {
  gateway: string;
  site: string;
  address: string;
  caPem: string;
  certificatePem: string;
  keyPem: string;
}

/** What it takes on the disk, and some more. */
const identityBytes = 16 * 1024;

/** The file that holds it. */
export function identityFile(directory: string): string {
  return join(directory, 'identity.json');
}

/** Undefined where it is not enrolled. @throws HilumError `identity-unreadable`, `identity-not-readable` */
export function loadIdentity(directory: string): Identity | undefined {
  const file = identityFile(directory);
  if (!existsSync(file)) return undefined;
  const hint = 'Put the file back from your backup, or enroll again: enroll --replace';
  return readOwnFile({ file, what: 'The identity in', code: 'identity', hint }, (text) => {
    const { gateway, site, address, caPem, certificatePem, keyPem } = JSON.parse(text) as Identity;
    const identity = { gateway, site, address, caPem, certificatePem, keyPem };
    if (Object.values(identity).some((value) => typeof value !== 'string'))
      throw new Unusable('something is missing');
    if (!new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem)))
      throw new Unusable('key and certificate do not belong together');
    return identity;
  });
}

/** Before a token is spent: what it is exchanged for must have a place. @throws HilumError */
export function makeIdentityPlace(directory: string): void {
  makeDirectory(directory, 'The data directory');
  mustBeOwn(directory);
  const trial = unfinished(`${identityFile(directory)}.trial`);
  try {
    writePrivate(trial, Buffer.alloc(identityBytes));
  } catch (cause) {
    throw storageError(`The identity cannot be written to ${directory}`, cause);
  } finally {
    takeAway(trial);
  }
}

/** The whole of it, or what was there before. @throws HilumError */
export function saveIdentity(directory: string, identity: Identity): void {
  try {
    writePrivate(identityFile(directory), `${JSON.stringify(identity, null, 2)}\n`);
  } catch (cause) {
    throw storageError(`The identity cannot be written to ${directory}`, cause);
  }
}

export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
