/** check: the settings, and a config against them. */
import { checkConfig } from '../proto/config/check.ts';
import { formatProblems } from '../proto/config/problem.ts';
import type { Config } from '../proto/config/schema.ts';
import { kindWarnings } from '../proto/config/source-warnings.ts';
import { warningsOf } from '../proto/config/warnings.ts';
import { readDestinationTls } from './destination-tls.ts';
import { checkListenerFiles, endedAt } from './listener-checks.ts';
import { readConfigText } from './process/config-text.ts';
import { exitCode, HilumError } from './process/errors.ts';
import type { Place } from './run-command.ts';
import { type ListenerSettings, listenerTypes, loadSettings, type Settings } from './settings.ts';

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
  const known = listenerTypes(settings);
  for (const warning of [
    ...warningsOf(checked.config),
    ...kindWarnings(checked.config, known),
    ...unheardTopics(checked.config, settings),
  ])
    process.stderr.write(`${warning}\n`);
  process.stdout.write(`${config}: all well.\n`);
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
      .filter((topic) => !rights.some((right) => mayMeet(topic.split('/'), right.split('/'))))
      .map(
        (topic) =>
          `sources.${name}.topics: nobody may publish to ${topic} at the listener "${listener}" (publish of its users and of anonymous in the settings).`,
      );
  });
}

/** Is there a topic that both filters take? [MQTT-4.7] */
function mayMeet([a, ...restA]: readonly string[], [b, ...restB]: readonly string[]): boolean {
  if (a === '#' || b === '#') return true;
  if (a === undefined || b === undefined) return a === b;
  return (a === '+' || b === '+' || a === b) && mayMeet(restA, restB);
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
