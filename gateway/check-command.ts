/** check: the settings, and a config against them. */
import { readAddress } from '../proto/address.ts';
import { checkConfig } from '../proto/config/check.ts';
import { formatProblems } from '../proto/config/problem.ts';
import type { Config } from '../proto/config/schema.ts';
import { kindWarnings } from '../proto/config/source-warnings.ts';
import { warningsOf } from '../proto/config/warnings.ts';
import { filtersMeet } from './capture/mqtt/topic.ts';
import { readDestinationTls } from './destination-tls.ts';
import { checkListenerFiles, outOfDate } from './listener-checks.ts';
import { readConfigText } from './process/config-text.ts';
import { exitCode, HilumError } from './process/errors.ts';
import { checkedText } from './process/output.ts';
import type { Place } from './run-command.ts';
import {
  isLoopback,
  type ListenerSettings,
  listenerTypes,
  loadSettings,
  meet,
  type Settings,
} from './settings.ts';
import { settingsWarnings } from './settings-warnings.ts';

export function checkCommand(config: string | undefined, options: Place): void {
  const { settings, file } = loadSettings(options.data, options.settings);
  for (const [name, listener] of Object.entries(settings.listeners))
    checkCertificate(name, listener, { directory: options.data, settingsFile: file });
  readDestinationTls({ settings, file }, options.data);
  if (file === '')
    process.stdout.write(`There is no settings.yaml in ${options.data}: the defaults are all well.\n`);
  else tell(file, settingsWarnings(settings));
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
  const known = listenerTypes(settings);
  const warnings = [
    ...warningsOf(checked.config),
    ...kindWarnings(checked.config, known),
    ...unheardTopics(checked.config, settings),
    ...ownListeners(checked.config, settings),
  ];
  tell(config, warnings);
}

function tell(file: string, warnings: readonly string[]): void {
  process.stdout.write(`${file}: ${checkedText(warnings)}\n`);
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
}

/** Topics of a source that no user of its listener may publish to. */
function unheardTopics({ sources }: Config, { listeners }: Settings): string[] {
  return Object.entries(sources).flatMap(([name, { listener, topics }]) => {
    const settings = listeners[listener];
    if (settings?.type !== 'mqtt') return [];
    const rights = [
      ...Object.values(settings.users),
      ...(settings.anonymous ? [settings.anonymous] : []),
    ].flatMap(({ publish }) => publish);
    return (topics ?? [])
      .filter((topic) => !rights.some((right) => filtersMeet(topic.split('/'), right.split('/'))))
      .map(
        (topic) =>
          `sources.${name}.topics: nobody may publish to ${topic} at the listener "${listener}" (publish of its users and of anonymous in the settings).`,
      );
  });
}

/** What is sent there comes in again. */
function ownListeners({ destinations }: Config, { listeners }: Settings): string[] {
  return Object.entries(destinations).flatMap(([name, { address }]) =>
    Object.entries(listeners)
      .filter(([, { listen }]) => {
        const [here, there] = [readAddress(listen), readAddress(address)];
        // Under another address it may be another host's port of that number.
        return meet(here, there) && (here?.host === there?.host || isLoopback(there?.host ?? ''));
      })
      .map(
        ([listener]) =>
          `destinations.${name}.address: ${address} is the listener "${listener}" of this gateway, which takes in what is sent there.`,
      ),
  );
}

/** The gateway would start with one that is over, or not good yet: whether that matters is for its senders to say. */
function checkCertificate(
  name: string,
  listener: ListenerSettings,
  place: Parameters<typeof checkListenerFiles>[2],
): void {
  checkListenerFiles(name, listener, place);
  const wrong = outOfDate(name, listener, place);
  if (wrong === undefined) return;
  const message = `The certificate of the listener "${name}" ${wrong}.`;
  throw new HilumError('listener-certificate-expired', message, {
    hint: 'Put a new one in its place; a running gateway takes it with SIGHUP (systemctl reload).',
    exit: exitCode.badConfig,
  });
}
