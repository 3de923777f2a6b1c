/**
 * Which settings a process runs, as a digest that can be shown and compared: over what they say, defaults filled in, so
 * that neither a comment nor the order of the keys changes it. It costs as much as the hash of a password, because it is
 * shown to whoever asks on loopback, and a proxy's password may be in the settings: guessing must not be cheap.
 */
import { scryptSync } from 'node:crypto';
import { resolve } from 'node:path';
import type { LoadedSettings, Settings } from './settings.ts';

export interface SettingsFacts {
  /** The whole path of the file; '' for the built-in defaults. */
  file: string;
  digest: string;
}

export function settingsFacts({ settings, file }: LoadedSettings): SettingsFacts {
  return { file: file === '' ? '' : resolve(file), digest: digestOf(settings) };
}

function digestOf(settings: Settings): string {
  return scryptSync(JSON.stringify(settings, sorted), 'hilum settings', 16).toString('hex');
}

/** For JSON.stringify: objects with their keys in order. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
