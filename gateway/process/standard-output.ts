/**
 * Standard output, where it is a file or a device: Node drops what a write leaves over, which is what a volume takes
 * last before it is full, and tells of an error after a program may have ended. Here a verb that could not print all of
 * it never ends as if it had. A reader that closes its end of a pipe (head, less) is no failure.
 */
import { fstatSync, writeSync } from 'node:fs';
import { codeOf, exitCode, HilumError, messageOf } from './errors.ts';
import { failWith } from './lifecycle.ts';

/** From now on everything that is written to standard output is there, or the process ends and says that it is not. */
export function wholeOutput(): void {
  const { stdout } = process;
  stdout.on('error', unwritable);
  // Pipes, sockets and terminals are streams that wait for their reader, and leave nothing over.
  if (stdout.isTTY || !isFile(stdout.fd)) return;
  stdout._write = (chunk: Buffer, _encoding, done) => {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(stdout.fd, chunk, at);
    } catch (error) {
      unwritable(error);
    }
    done();
  };
}

function isFile(descriptor: number): boolean {
  const is = fstatSync(descriptor);
  return is.isFile() || is.isCharacterDevice() || is.isBlockDevice();
}

function unwritable(error: unknown): never {
  const code = codeOf(error);
  if (code === 'EPIPE') process.exit(exitCode.done);
  const why = code === 'ENOSPC' ? 'no space is left where it goes' : messageOf(error);
  failWith(
    new HilumError(
      'output-not-written',
      `Standard output cannot be written (${code || 'unknown'}): ${why}.`,
      {
        hint: 'What was printed is not whole. What was asked for to be changed or made may be: look before you ask again.',
      },
    ),
  );
}
