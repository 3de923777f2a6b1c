/**
 * Builds a preload library from its C source at test time, into the caller's folder. The sources are not
 * copied to dist/, so they are found from the project's root.
 * Invariant: without a compiler the answer is undefined, and the caller names its row as skipped.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../kit/paths.ts';

export type PreloadName = 'recorder' | 'clock' | 'crash';

/** The path of the built library; undefined where there is no gcc. Throws where the source does not build. */
export function buildPreload(name: PreloadName, folder: string): string | undefined {
  if (spawnSync('gcc', ['--version']).status !== 0) return undefined;
  const source = join(projectRoot, 'test', 'faults', 'tools', `${name}.c`);
  const library = join(folder, `${name}.so`);
  const flags = [
    '-shared',
    '-fPIC',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-o',
    library,
    source,
    '-ldl',
    '-lpthread',
  ];
  const built = spawnSync('gcc', flags, { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`gcc ${name}.c: ${built.stderr}`);
  return library;
}
