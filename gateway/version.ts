/** The version of this build, from package.json beside dist/. */
import { readFileSync } from 'node:fs';

export const version: string = readVersion();

function readVersion(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const read = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (read.name === 'hilum') return read.version ?? '0.0.0';
    } catch {
      // Run from source the file is one level up, from dist/ two.
    }
  }
  return '0.0.0';
}
