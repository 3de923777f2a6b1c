/** File and line of our own code at which an error was thrown, never its message: it could quote input. '' where none is. */
export function ownFrameOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { stack = '', message } = error;
  // The stack begins with the message, which may look like a line of its own.
  const frames = stack.slice(stack.indexOf(message) + message.length);
  const frame = /\(?(?:file:\/\/)?[^\s(]*\/((?:gateway|control-plane|proto)\/[^\s)]+:\d+):\d+\)?/.exec(
    frames,
  );
  return frame?.[1] ?? '';
}

/** What went wrong in our code, and where, for whoever maintains it: `TypeError at gateway/normalize/time.js:12`. */
export function faultOf(error: unknown): string {
  const name = error instanceof Error ? error.constructor.name : typeof error;
  const at = ownFrameOf(error);
  return at === '' ? name : `${name} at ${at}`;
}
