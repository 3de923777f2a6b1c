/** run: the daemon until a signal ends it. */
import { exitCode, HilumError } from '../gateway/process/errors.ts';
import { guardProcess, runDaemon } from '../gateway/process/lifecycle.ts';
import { createLog } from '../gateway/process/log.ts';
import { readAddress } from '../proto/address.ts';
import { Plane } from './plane.ts';
import { loadSettings } from './settings.ts';

export interface RunOptions {
  readonly data: string;
  readonly settings?: string;
  readonly grpc?: string;
  readonly http?: string;
}

const drainTimeoutMs = 10_000;

export async function runPlane(options: RunOptions): Promise<void> {
  const log = createLog('hilum-control-plane');
  guardProcess(log);
  const { settings, file } = loadSettings(options.data, options.settings);
  for (const name of ['grpc', 'http'] as const) {
    const place = options[name];
    if (place === undefined) continue;
    if (readAddress(place) === undefined) {
      throw new HilumError('usage', `--${name} ${place}: write host:port, as in 127.0.0.1:7443.`, {
        exit: exitCode.usage,
      });
    }
    settings[name] = place;
  }
  const plane = await Plane.open({ directory: options.data, settings, settingsFile: file, log });
  await runDaemon(log, drainTimeoutMs, plane);
}
