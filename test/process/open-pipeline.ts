/** A real journal and the normalizer's keeper beside it, with nobody to send to; not started. */
import { randomBytes } from 'node:crypto';
import { Circuits } from '../../gateway/circuits.ts';
import { Journal } from '../../gateway/journal/journal.ts';
import { Pipeline } from '../../gateway/pipeline.ts';
import { memoryKey } from '../../gateway/process/keys.ts';
import { checkConfig } from '../../proto/config/check.ts';
import type { Config } from '../../proto/config/schema.ts';
import type { Owner } from '../kit/process.ts';
import { folderOf } from '../kit/site.ts';

const mebibyte = 1024 ** 2;

export async function openPipeline(
  t: Owner,
  {
    directory = folderOf(t),
    key = randomBytes(32),
    orderKeysOf = () => [],
  }: { directory?: string; key?: Buffer; orderKeysOf?: () => number[] } = {},
) {
  const nothing = () => {};
  const journal = await Journal.open(
    {
      directory,
      key,
      budgetBytes: 1024 ** 3,
      reserveBytes: 0,
      repeatEntriesMax: 1000,
      repeatAgeMs: 1e9,
      memoryEntriesMax: 1000,
      memoryBytesMax: 64 * mebibyte,
      orderKeysOf,
    },
    {
      onFault: nothing,
      onAlarm: nothing,
      onRecords: () => pipeline.pump(),
      onEvents: nothing,
      onDeliveries: nothing,
      onRepeat: nothing,
      onEpoch: nothing,
    },
  );
  let normalized = 0;
  const pipeline: Pipeline = new Pipeline(
    journal,
    {
      gateway: 'g',
      site: 's',
      memoryKey: memoryKey(key),
      circuits: new Circuits({ nowUs: () => 0, elapsedMs: () => 0, onChange: nothing }),
    },
    {
      onAlarm: nothing,
      onNormalized: () => {
        normalized += 1;
      },
    },
  );
  t.teardown(async () => {
    await pipeline.stop(1000);
    await journal.stop();
    await journal.close();
  });
  return { journal, pipeline, /** Records. */ normalized: () => normalized };
}

/** A config as the text says it, which has to be right. */
export function parsed(yaml: string): Config {
  const { config, problems } = checkConfig(yaml);
  if (config === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  return config;
}
