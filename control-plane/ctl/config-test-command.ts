/** config test: a folder of messages with the events that they must become. */
import type { Command } from 'commander';
import type { ConfigTestOptions } from './config-test.ts';
import { output } from './options.ts';

export function addConfigTest(config: Command): void {
  config
    .command('test')
    .description('run a folder of messages through a config and compare the events; exit 1 where they differ')
    .argument('<folder>', 'NAME.hl7 or NAME.json, with NAME.expected.json beside it')
    .requiredOption('--config <file>', 'the config that they are run through')
    .option('--update', 'write what is made where it differs or nothing is expected yet')
    .addOption(output())
    .addHelpText(
      'after',
      `
A folder inside is named after the source that its messages are of; files at the top are of the sources mllp (.hl7) and
mqtt (.json), which a gateway has without a config. What is expected is a subset: members that it leaves out are not
compared, null says that there must be none. Each message stands alone: what a gateway remembers of earlier ones
(supersessions, context, once) is not in its events. Needs no control plane.

Examples:
  hilumctl config test deploy/config/test --config deploy/config/site.yaml
  hilumctl config test tests --config site.yaml --update`,
    )
    .action(async (folder: string, options: ConfigTestOptions) => {
      const { testConfig } = await import('./config-test.ts');
      testConfig(folder, options);
    });
}
