/** check: the settings, and a config against them. */
import { checkConfig } from '../proto/config/check.ts';
import { formatProblems } from '../proto/config/problem.ts';
import { readDestinationTls } from './destination-tls.ts';
import { checkListenerFiles, endedAt } from './listeners.ts';
import { readConfigText } from './process/config-text.ts';
import { exitCode, HilumError } from './process/errors.ts';
import type { Place } from './run-command.ts';
import { type ListenerSettings, listenerTypes, loadSettings } from './settings.ts';

export function checkCommand(config: string | undefined, options: Place): void {
  const { settings, file } = loadSettings(options.data, options.settings);
  for (const [name, listener] of Object.entries(settings.listeners))
    checkCertificate(name, listener, { directory: options.data, settingsFile: file });
  readDestinationTls({ settings, file }, options.data);
  process.stdout.write(
    file === ''
      ? `There is no settings.yaml in ${options.data}: the defaults are all well.\n`
      : `${file}: all well.\n`,
  );
  if (config === undefined) return;
  const checked = checkConfig(readConfigText(config), {
    listeners: listenerTypes(settings),
    fileName: config,
  });
  if (checked.problems !== undefined) {
    throw new HilumError('config-bad', formatProblems(checked.problems, config), {
      exit: exitCode.badConfig,
    });
  }
  process.stdout.write(`${config}: all well.\n`);
}

/** The gateway would start with one that is over: whether that matters is for its senders to say. */
function checkCertificate(
  name: string,
  listener: ListenerSettings,
  place: Parameters<typeof checkListenerFiles>[2],
): void {
  checkListenerFiles(name, listener, place);
  const ended = endedAt(name, listener, place);
  if (ended === undefined) return;
  const message = `The certificate of the listener "${name}" ended at ${ended}.`;
  throw new HilumError('listener-certificate-expired', message, {
    hint: 'Put a new one in its place; a running gateway takes it with SIGHUP (systemctl reload).',
    exit: exitCode.badConfig,
  });
}
