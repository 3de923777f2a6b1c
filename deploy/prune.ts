/**
 * Takes out of a bundle's node_modules what its one platform and one runtime never load: native binaries
 * for other ABIs and C libraries, and the sources, types and maps that are there for developers.
 *
 * Node-API binaries (`node.napi.…`) serve every Node version, so the bundle needs just these, for glibc.
 * Licences stay.
 */
import { existsSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const native = /^node\..+\.node$/;
const wanted = 'node.napi.glibc.node';
const development = /\.(?:[cm]?ts|tsx|map|c|cc|cpp|h|hpp|gyp|gypi|flow)$/;

/** @returns the bytes that went. Throws where lmdb is not there for this platform. */
export function pruneModules(modules: string, architecture: string): number {
  let bytes = 0;
  const entries = readdirSync(modules, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const foreign = native.test(entry.name) && entry.name !== wanted;
    if (!foreign && !development.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    bytes += statSync(path).size;
    rmSync(path);
  }
  // msgpackr does without its native part (on arm64 there is none for glibc); lmdb does not.
  const lmdb = `@lmdb/lmdb-linux-${architecture}`;
  if (!existsSync(join(modules, lmdb, wanted))) throw new Error(`${lmdb} has no ${wanted}`);
  // From the inside out: a folder goes when nothing is left in it.
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
  for (const folder of folders.sort((a, b) => b.length - a.length))
    if (readdirSync(folder).length === 0) rmdirSync(folder);
  return bytes;
}
