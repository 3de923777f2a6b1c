/** The thread that checks one config. */
import { parentPort, workerData } from 'node:worker_threads';
import { checkConfig } from '../../proto/config/check.ts';
import type { CheckJob } from './config-check.ts';

const { text, options } = workerData as CheckJob;
parentPort?.postMessage(checkConfig(text, options));
