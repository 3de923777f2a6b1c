/** What would keep a gateway from starting, found by the code that starts it: key, certificates, addresses. */
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { readAddress } from '../proto/address.ts';
import { readDestinationTls } from './destination-tls.ts';
import type { Add } from './doctor.ts';
import { tellPlain } from './doctor-running.ts';
import { checkListenerFiles, listenerFailed, outOfDate, plainOf } from './listener-checks.ts';
import { codeOf, HilumError, messageOf } from './process/errors.ts';
import { isCredentialPlace, readKey } from './process/keys.ts';
import { checkFile, openEnvironment, wasMade } from './process/lmdb.ts';
import { ownDirectory } from './process/owner.ts';
import { readSegments } from './process/segments.ts';
import { openStorage, visible } from './process/storage.ts';
import { isLoopback, type LoadedSettings, resolvePath } from './settings.ts';
import { type SettingsFacts, settingsFacts } from './settings-digest.ts';

/** What is tested here is the file; a gateway that runs has read it before. `running` is absent from an older one. */
export function checkSettingsRun(loaded: LoadedSettings, running: SettingsFacts | undefined, add: Add): void {
  const here = settingsFacts(loaded);
  if (running === undefined || running.digest === here.digest) return;
  const name = (file: string) => (file === '' ? 'the built-in defaults' : file);
  const message =
    running.file === here.file
      ? `the gateway runs with other settings than ${name(here.file)} says now`
      : `the gateway runs with the settings of ${name(running.file)}, and these are ${name(here.file)}`;
  const ask =
    running.file === here.file || running.file === '' ? '' : `; or ask with --settings ${running.file}`;
  const todo = `What is said of the settings here is not of what runs: restart the gateway to use them${ask}.`;
  add('settings', 'warn', 'settings-not-running', message, todo);
}

/** The journal's key: missing is an error only where there is a journal that needs it. One that runs has tried it. */
export async function checkKey(
  directory: string,
  { settings, file }: LoadedSettings,
  running: boolean,
  add: Add,
): Promise<void> {
  const named = settings.keyFile;
  const path = resolvePath(named ?? 'key', named === undefined ? '' : file, directory);
  if (!existsSync(path)) {
    if (isCredentialPlace(dirname(path))) {
      const todo = 'systemd brings it with the unit: see LoadCredential= there.';
      add('key', 'warn', 'key-missing', `${path} is not there, or not for this user to see`, todo);
      return;
    }
    // Made at the first start.
    if (!wasMade(join(directory, 'journal'))) return;
  }
  await attempt('key', add, async () => {
    const key = readKey(path);
    if (!running) await tryJournal(directory, key);
    add('key', 'ok', 'key-ok', path);
  });
}

/** Throws what the start would, `key-wrong` where another key has sealed the journal. */
async function tryJournal(directory: string, key: Uint8Array): Promise<void> {
  const journal = join(directory, 'journal');
  const there = visible(join(journal, 'data.mdb'));
  // Reading makes the lock file where it is missing: only for whose data it is.
  if (there === undefined && wasMade(journal)) checkFile(join(journal, 'data.mdb'), true);
  if (there === undefined || (there.uid !== process.getuid?.() && !existsSync(join(journal, 'lock.mdb'))))
    return;
  const release = await ownDirectory(directory, { readOnly: true }).catch(() => undefined);
  // A gateway that starts meanwhile finds out for itself.
  if (release === undefined) return;
  try {
    await openStorage('The journal', journal, async () => {
      const environment = openEnvironment({ directory: journal, readOnly: true });
      try {
        readSegments(environment, key);
      } finally {
        await environment.close();
      }
    });
  } finally {
    release();
  }
}

/** Whoever reaches it reads it. */
export function checkStatusPage({ settings: { status } }: LoadedSettings, add: Add): void {
  if (status.listen === undefined || isLoopback(readAddress(status.listen)?.host ?? '')) return;
  add(
    'status',
    'warn',
    'status-open',
    `/status and /metrics at ${status.listen} need no login: whoever reaches that address reads them`,
    'Put status.listen on 127.0.0.1, or see that the firewall lets in nobody but your monitor.',
  );
}

/** Certificates always; addresses only where no gateway of ours has them. */
export async function checkListeners(
  directory: string,
  { settings, file }: LoadedSettings,
  running: boolean,
  add: Add,
): Promise<void> {
  await attempt('destination', add, () => readDestinationTls({ settings, file }, directory));
  for (const [name, listener] of Object.entries(settings.listeners)) {
    await attempt('listener', add, () => {
      const place = { directory, settingsFile: file };
      checkListenerFiles(name, listener, place);
      const wrong = outOfDate(name, listener, place);
      if (wrong === undefined) return;
      const todo = 'Put a new one in its place, then SIGHUP (systemctl reload).';
      const message = `the certificate of ${name} ${wrong}`;
      add('listener', 'fail', 'listener-certificate-expired', message, todo);
    });
    if (running) continue;
    const plain = plainOf(listener);
    if (plain !== undefined) tellPlain(name, listener.listen, plain, add);
    const { host, port } = readAddress(listener.listen) ?? { host: '', port: 0 };
    const refused = port === 0 ? undefined : await bindError(host, port);
    if (refused === undefined) continue;
    await attempt('listener', add, () => {
      throw listenerFailed(name, listener.listen, refused);
    });
  }
}

async function attempt(check: string, add: Add, work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    const hint = error instanceof HilumError ? error.hint : 'Check the file.';
    add(check, 'fail', codeOf(error) || `${check}-bad`, messageOf(error), hint);
  }
}

function bindError(host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
