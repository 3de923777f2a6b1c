/**
 * Where the project's files are, whether a program runs from the sources (tsx) or from dist/ (node).
 * Invariant: nothing here depends on the working directory.
 */
import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json: the sources' root, never dist/. */
export const projectRoot: string = rootAbove(dirname(fileURLToPath(import.meta.url)));

/** Arguments for `node` that run the module `relative` (written with `.ts`) as seen from `importMetaUrl`. */
export function nodeArgsFor(importMetaUrl: string, relative: string): string[] {
  const path = fileURLToPath(new URL(relative, importMetaUrl));
  if (extname(fileURLToPath(importMetaUrl)) === '.ts') return ['--import=tsx', path];
  return [path.replace(/\.ts$/, '.js')];
}

function rootAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('no package.json above the test kit');
  return rootAbove(parent);
}
