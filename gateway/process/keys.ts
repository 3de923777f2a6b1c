/**
 * The master key of a data directory: 32 random bytes in a file of mode 0600, made on
 * first start. Where it lives is a setting, so that it can stand apart from the data
 * (another volume, a systemd credential: LoadCredential= or LoadCredentialEncrypted=).
 */
import { hash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { exitCode, HilumError } from './errors.ts';
import { flushPath, makeDirectory, notReadable, storageError } from './storage.ts';
import { takeAway, unfinished } from './unfinished.ts';

const keyBytes = 32;
/** What names the place of the key file. */
const keyPlace = '--data, and keyFile in the settings';

/** @param fresh true only when the store that the key opens does not exist yet: a lost key is never replaced silently. */
export function loadKey(file: string, fresh: boolean): Buffer {
  if (!existsSync(file)) {
    // A credential is systemd's to bring; the place is not ours to write.
    if (!fresh || isCredentialPlace(dirname(file))) throw missing(file);
    try {
      makeDirectory(dirname(file), 'The folder of the key file', keyPlace);
      writePrivate(file, `${randomBytes(keyBytes).toString('base64')}\n`);
    } catch (cause) {
      throw storageError(`The key file ${file} cannot be made`, cause, keyPlace);
    }
  }
  return readKey(file);
}

/** The key as it is there; writes nothing. */
export function readKey(file: string): Buffer {
  if (!existsSync(file)) throw missing(file);
  if (isExposed(file)) {
    const mode = (statSync(file).mode & 0o777).toString(8);
    throw new HilumError('key-exposed', `The key file ${file} can be read by others (mode ${mode}).`, {
      hint: `chmod 600 ${file}`,
      exit: exitCode.badConfig,
    });
  }
  const key = Buffer.from(textOf(file).trim(), 'base64');
  if (key.length !== keyBytes) {
    throw new HilumError('key-unreadable', `The key file ${file} does not hold 32 bytes in base64.`, {
      hint: 'Put the key file back from your backup.',
      exit: exitCode.badConfig,
    });
  }
  return key;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (cause) {
    throw notReadable('key-not-readable', 'The key file', file, cause) ?? cause;
  }
}

/**
 * Can others read or change the file? systemd gives a unit its credentials as files of root with an ACL
 * for the unit's user; the mask of that ACL shows as a group that may read, though no group may. Only
 * there, and only for files of root, is that bit no exposure [systemd.exec(5), LoadCredential=].
 */
function isExposed(file: string): boolean {
  const { mode, uid } = statSync(file);
  return (mode & (uid === 0 && isCredentialPlace(dirname(realpathSync(file))) ? 0o037 : 0o077)) !== 0;
}

/** This unit's directory of credentials or, for a command beside the service, that of any unit. */
export function isCredentialPlace(directory: string): boolean {
  const own = process.env.CREDENTIALS_DIRECTORY ?? '';
  return (own !== '' && directory === resolve(own)) || dirname(directory) === '/run/credentials';
}

function missing(file: string): HilumError {
  return new HilumError('key-missing', `The key file ${file} is missing, and the data needs it.`, {
    hint: 'Put the key file back from your backup, or name its place in the settings (keyFile).',
    exit: exitCode.badConfig,
  });
}

/**
 * Writes a file that only its owner can read, flushed with its directory before it returns. Whoever reads it, and
 * whatever a crash leaves, has all of the content or what was there before.
 */
export function writePrivate(file: string, content: string | Uint8Array): void {
  makeDirectory(dirname(file));
  const fresh = unfinished(file);
  const handle = openNew(fresh);
  try {
    try {
      // Not writeSync: where a volume is nearly full, the system takes a part of it and says so in its result.
      writeFileSync(handle, content);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(fresh, file);
  } catch (error) {
    // What is there of it is of no use, and takes what there is of room.
    takeAway(fresh);
    throw error;
  }
  flushPath(dirname(file));
}

/**
 * A file that was not there, for its owner alone. What has its name is taken away: it is left from a crash, or somebody
 * put it there (a link to another place, a file that others can read) for what comes to go into.
 */
function openNew(file: string): number {
  rmSync(file, { force: true });
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  return openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

/**
 * One file of an export, which only its owner can read, in place of whatever has its name; it is not flushed.
 * @throws HilumError that names it; nothing of it is left
 */
export function exportFile(file: string, content: Uint8Array): void {
  try {
    const handle = openNew(file);
    try {
      writeFileSync(handle, content);
    } finally {
      closeSync(handle);
    }
  } catch (cause) {
    takeAway(file);
    throw storageError(`${file} cannot be written, and what comes after it was not`, cause, '--to');
  }
}

/** By way of a string: Node makes a block of memory of its own for each digest that is a buffer, which costs as much again. */
export function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes as Buffer, 'binary'), 'latin1');
}

/** Makes 16 bytes that stand for a text which must not be readable on disk (an MSH-10 can be an MRN). */
export type Blind = (text: string) => Buffer;

/** The key of a data directory's blind texts, from its master key. */
export function blindKey(masterKey: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.from('hilum blind v1'), masterKey]));
}

/** The key under which the memory's keys are hashed [keyed-hash.ts]. */
export function memoryKey(masterKey: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.from('hilum memory v1'), masterKey]));
}

const blockBytes = 64;

/**
 * HMAC-SHA-256, cut to 16 bytes [RFC 2104]. One-shot hashes over prepared pads: this runs for every
 * message, and a Hmac object each would cost more than the hash.
 */
export function createBlind(key: Uint8Array): Blind {
  const padded = Buffer.alloc(blockBytes);
  padded.set(key.length > blockBytes ? sha256(key) : key);
  /** The inner pad, and room for the text behind it. */
  const inner = Buffer.alloc(1024);
  inner.set(padded.map((byte) => byte ^ 0x36));
  const outer = Buffer.alloc(blockBytes + 32);
  padded.forEach((byte, at) => {
    outer[at] = byte ^ 0x5c;
  });
  const padOf = (text: string) => {
    // UTF-8 takes at most three bytes for each unit of a text.
    if (text.length * 3 > inner.length - blockBytes)
      return Buffer.concat([inner.subarray(0, blockBytes), Buffer.from(text)]);
    return inner.subarray(0, blockBytes + inner.write(text, blockBytes));
  };
  return (text) => {
    outer.write(hash('sha256', padOf(text), 'binary'), blockBytes, 'latin1');
    return sha256(outer).subarray(0, 16);
  };
}
