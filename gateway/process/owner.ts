/**
 * One owner for a data directory: two processes on one LMDB environment are what nothing here survives, so
 * whoever opens one (daemon or offline verb) owns its directory first, before any file in it is touched.
 *
 * Node has no flock, so the lock is a listening Unix socket, which the kernel takes back with its process,
 * however that ends. A pid file cannot do this: it outlives kill -9, pids are used again, and a pid says
 * nothing in another container. Two sockets, because each alone leaves a gap:
 *
 *   abstract, named by device and inode   binding is atomic and leaves nothing behind; the name follows the
 *                                         directory through symbolic links and bind mounts. It is seen only
 *                                         in its own network namespace.
 *   DIR/owner.sock                        is seen from every container that mounts the directory. Its file
 *                                         outlives kill -9, but then nobody answers: it is replaced, which
 *                                         the abstract one makes safe against another that replaces it too.
 *
 * Whoever connects is told the owner's process id. What is left: two containers that start in the same
 * millisecond after a crash, which no orchestrator does to one volume.
 */
import { closeSync, openSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { codeOf, exitCode, HilumError, messageOf } from './errors.ts';
import { makeDirectory, mustBeOwn, storageError } from './storage.ts';
import { clearUnfinished, takeAway } from './unfinished.ts';

const socketFile = 'owner.sock';
const answerMs = 1_000;

/** Read-only owners leave nothing in the directory; they hold the abstract socket alone. */
export interface OwnOptions {
  readOnly?: boolean;
}

/**
 * Resolves when this process owns the directory, until it ends or calls what it got. A directory that is not
 * there is made, except for readers. Rejects with exit 3 and the owner's process id where there is one.
 */
export async function ownDirectory(
  directory: string,
  { readOnly = false }: OwnOptions = {},
): Promise<() => void> {
  if (!readOnly) {
    makeDirectory(directory, 'The data directory');
    mustBeOwn(directory);
  }
  try {
    const release = await own(directory, readOnly);
    if (!readOnly) clearUnfinished(directory);
    return release;
  } catch (cause) {
    throw storageError(`The data directory ${directory} cannot be used`, cause);
  }
}

/** In words, who owns the directory; undefined where nobody does. */
export async function ownerOf(directory: string): Promise<string | undefined> {
  try {
    (await ownDirectory(directory, { readOnly: true }))();
    return undefined;
  } catch (error) {
    return codeOf(error) === 'data-in-use' ? (/by (.*)\.$/.exec(messageOf(error))?.[1] ?? '') : undefined;
  }
}

async function own(directory: string, readOnly: boolean): Promise<() => void> {
  const { dev, ino } = statSync(directory);
  const name = `\0hilum-${dev.toString(16)}-${ino.toString(16)}`;
  const abstract = await listen(name).catch(async (cause: unknown) => {
    if (codeOf(cause) !== 'EADDRINUSE') throw cause;
    throw inUse(directory, await ask(name), cause);
  });
  // A socket's path is at most 107 bytes long [unix(7)]; through the open directory any length will do.
  const handle = openSync(directory, 'r');
  const path = `/proc/self/fd/${handle}/${socketFile}`;
  const removeFile = () => takeAway(path);
  const release = (file?: Server) => {
    process.off('exit', removeFile);
    file?.close();
    abstract.close();
    closeSync(handle);
  };
  try {
    const other = await ask(path);
    if (other !== undefined) throw inUse(directory, other);
    if (readOnly) return () => release();
    removeFile();
    // A full disk must not keep a backlog from draining: then the abstract socket stands alone.
    const file = await listen(path).catch((error: unknown) => {
      if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') return undefined;
      throw error;
    });
    if (file !== undefined) process.once('exit', removeFile);
    return () => release(file);
  } catch (error) {
    release();
    throw error;
  }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(`${process.pid}\n`);
    });
    server.once('error', reject);
    // It must never keep a process alive.
    server.unref().listen(path, () => resolve(server));
  });
}

/** The process id that answers there, '' where one listens and says nothing (stopped, or busy), undefined where none listens. */
function ask(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = '';
    let connected = false;
    const socket = connect(path, () => {
      connected = true;
    });
    const done = () => {
      socket.destroy();
      resolve(connected ? said.trim() : undefined);
    };
    socket.setTimeout(answerMs, done);
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1').slice(0, 16);
    });
    socket.once('error', done);
    socket.once('close', done);
  });
}

function inUse(directory: string, pid: string | undefined, cause?: unknown): HilumError {
  const who = pid === undefined || pid === '' ? 'another process' : `process ${pid}`;
  return new HilumError('data-in-use', `The data directory ${directory} is in use by ${who}.`, {
    hint: 'Stop that one first, or name another directory with --data.',
    exit: exitCode.refused,
    cause,
  });
}
