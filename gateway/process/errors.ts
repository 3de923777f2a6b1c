/**
 * Errors that a person reads: what happened, where, what to do next. An operating fault
 * carries the exit code that scripts and systemd act on.
 */

/** Exit codes of every Hilum program [sysexits where one fits]. */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  unreachable: 69,
  tryAgain: 75,
  badConfig: 78,
} as const;

export class HilumError extends Error {
  readonly code: string;
  readonly hint: string;
  readonly exit: number;

  /** @param hint what to do next, a sentence for an operator; may be empty. */
  constructor(
    code: string,
    message: string,
    options: { hint?: string; exit?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HilumError';
    this.code = code;
    this.hint = options.hint ?? '';
    this.exit = options.exit ?? exitCode.failed;
  }
}

/** What an unknown thrown thing says, in one line and without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node or Hilum error, else ''. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
