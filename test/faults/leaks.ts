/** Where the canary patient shows and must not. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { canary } from '../kit/messages.ts';

export interface Places {
  /** A folder of log files. */
  readonly logs: string;
  readonly pids: readonly number[];
  readonly texts: Readonly<Record<string, string>>;
  /** Folders of LMDB. */
  readonly stores: readonly string[];
}

/** A larger store is not read whole. */
const storeBytesMax = 512 * 1024 ** 2;

export function leaksIn({ logs, pids, texts, stores }: Places): string[] {
  const words = [canary.family, canary.given, canary.street].map((word) => Buffer.from(word));
  const found: string[] = [];
  const look = (name: string, bytes: Buffer) => {
    if (words.some((word) => bytes.includes(word))) found.push(`the canary patient shows in ${name}`);
  };
  for (const file of existsSync(logs) ? readdirSync(logs) : []) look(file, readFileSync(join(logs, file)));
  for (const pid of pids)
    for (const file of ['environ', 'cmdline']) look(file, readFileSync(`/proc/${pid}/${file}`));
  for (const [name, text] of Object.entries(texts)) look(name, Buffer.from(text));
  for (const store of stores) {
    const file = join(store, 'data.mdb');
    if (existsSync(file) && statSync(file).size < storeBytesMax) look(file, readFileSync(file));
  }
  return found;
}
