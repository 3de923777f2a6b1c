/** run: the daemon until a signal ends it. */
import { guardProcess, runDaemon } from '../gateway/process/lifecycle.ts';
import { createLog } from '../gateway/process/log.ts';
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
  if (options.grpc !== undefined) settings.grpc = options.grpc;
  if (options.http !== undefined) settings.http = options.http;
  const plane = await Plane.open({ directory: options.data, settings, settingsFile: file, log });
  await runDaemon(log, drainTimeoutMs, plane);
}
