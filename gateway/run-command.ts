/** run: the daemon until a signal ends it. */
import { durationMs } from '../proto/config/duration.ts';
import { Gateway } from './gateway.ts';
import { guardProcess, runDaemon } from './process/lifecycle.ts';
import { createLog } from './process/log.ts';
import { loadSettings } from './settings.ts';

/** --data and --settings. */
export interface Place {
  readonly data: string;
  readonly settings?: string;
}

export async function runGateway(options: Place): Promise<void> {
  const log = createLog('hilum-gateway');
  guardProcess(log);
  const loaded = loadSettings(options.data, options.settings);
  const gateway = await Gateway.open({ directory: options.data, loaded, log });
  await runDaemon(log, durationMs(loaded.settings.drainTimeout) ?? 10_000, gateway);
}
