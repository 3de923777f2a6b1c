/**
 * tap puts a loader of its own into every process that a test starts, and measures coverage in it where nobody says
 * not to: a gateway took 320 to 345 MB and not 165 that way. What is tested is the program as it is installed, so it is
 * started through env(1), which takes the option away behind tap's back and keeps the pid.
 */

/** The command and arguments that start a program without it; `set` is given to the program alone, not to env(1). */
export function bare(
  command: string,
  args: readonly string[],
  set: Readonly<Record<string, string>> = {},
): [string, string[]] {
  const given = Object.entries(set).map(([name, value]) => `${name}=${value}`);
  return ['/usr/bin/env', ['-u', 'NODE_OPTIONS', ...given, command, ...args]];
}
