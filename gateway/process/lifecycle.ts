/**
 * The life of a daemon: SIGTERM and SIGINT drain, a second signal later skips the drain, SIGHUP
 * reloads; an error that nobody caught ends the process with an exit code that says whether
 * starting again can help. A storage fault (75) never drains: what is in memory is not trusted.
 */
import { ownFrameOf } from '../../proto/own-frame.ts';
import { exitCode, HilumError, messageOf } from './errors.ts';
import { errorWord, type Log } from './log.ts';
import { printable } from './printable.ts';

/**
 * One Ctrl-C arrives more than once: a terminal signals its whole process group, and npm, npx and whatever
 * else started the program pass theirs on. A person who wants to wait no longer is slower than this.
 */
export const sameRequestMs = 1_000;

export interface Daemon {
  start(): Promise<void>;
  stop(deadlineMs: number): Promise<void>;
  reload?(): Promise<void>;
}

/**
 * Starts it. Signals are heard from before it says that it is ready, and wait until it is: whoever reads that line
 * may send one at once. Rejects where it cannot start.
 */
export async function runDaemon(log: Log, drainTimeoutMs: number, daemon: Daemon): Promise<void> {
  let stoppingAtMs: number | undefined;
  let isStarted = false;
  let tellStarted = () => {};
  const started = new Promise<void>((resolve) => {
    tellStarted = () => {
      isStarted = true;
      resolve();
    };
  });
  const onSignal = (signal: NodeJS.Signals) => {
    if (stoppingAtMs !== undefined) {
      if (performance.now() - stoppingAtMs < sameRequestMs) return;
      log('warn', 'stop-now', { signal });
      process.exit(exitCode.failed);
    }
    stoppingAtMs = performance.now();
    log('info', 'stopping', { signal });
    // A start that hangs is not waited for longer than a drain: a crash loses nothing.
    setTimeout(() => {
      if (!isStarted) process.exit(exitCode.failed);
    }, drainTimeoutMs).unref();
    started
      .then(() => daemon.stop(drainTimeoutMs))
      .then(
        () => {
          log('info', 'stopped');
          process.exit(exitCode.done);
        },
        (error: unknown) => {
          log('error', 'stop-failed', { reason: errorWord(error) });
          process.exit(exitCode.failed);
        },
      );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('SIGHUP', () => {
    started
      .then(() => daemon.reload?.())
      .catch((error: unknown) => log('error', 'reload-failed', { reason: errorWord(error) }));
  });
  await daemon.start();
  tellStarted();
}

/** Must be installed before anything is opened: lmdb reports a failed commit as an unhandled rejection too. */
export function guardProcess(log: Log): void {
  // What a library makes (LMDB its files) is for this user alone as well, whatever the shell says.
  process.umask(0o077);
  process.on('unhandledRejection', (error) => {
    log('error', 'unhandled-rejection', { reason: errorWord(error) });
    process.exit(exitCode.tryAgain);
  });
  process.on('uncaughtException', (error) => {
    log('error', 'uncaught-exception', { reason: errorWord(error), at: ownFrameOf(error) });
    process.exit(exitCode.tryAgain);
  });
}

/** Ends a command with the error's own exit code and one clear message on standard error. */
export function failWith(error: unknown): never {
  if (error instanceof HilumError) {
    process.stderr.write(printable(`${error.message}\n${error.hint === '' ? '' : `${error.hint}\n`}`));
    process.exit(error.exit);
  }
  process.stderr.write(printable(`${messageOf(error)}\n`));
  process.exit(exitCode.failed);
}
