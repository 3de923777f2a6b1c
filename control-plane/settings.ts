/** What the control plane boots with. Found at --settings, else DIR/settings.yaml, else defaults on loopback. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { exitCode, HilumError } from '../gateway/process/errors.ts';
import { readDocument } from '../proto/config/document.ts';
import { formatProblems } from '../proto/config/problem.ts';

const settingsSchema = z.strictObject({
  grpc: z.string().default('127.0.0.1:7443').describe('host:port that gateways and hilumctl connect to.'),
  advertise: z
    .string()
    .optional()
    .describe('host:port as gateways see it; it goes into tokens. Default: the grpc address.'),
  http: z
    .string()
    .optional()
    .describe(
      'host:port of /healthz, /status and /metrics. Default 127.0.0.1:7480, or a free port where that is taken.',
    ),
  names: z.array(z.string()).default([]).describe('Further names and addresses in the server certificate.'),
  keyFile: z.string().optional().describe('The key of the store; default DIR/key.'),
});

export type Settings = z.output<typeof settingsSchema>;

export function loadSettings(
  directory: string,
  named: string | undefined,
): { settings: Settings; file: string } {
  const implied = join(directory, 'settings.yaml');
  const file = named ?? (existsSync(implied) ? implied : '');
  let text = '{}';
  if (file !== '') {
    try {
      text = readFileSync(file, 'utf8');
    } catch (cause) {
      throw new HilumError('settings-missing', `The settings file ${file} cannot be read.`, {
        hint: 'Check the path given to --settings and its permissions.',
        exit: exitCode.badConfig,
        cause,
      });
    }
  }
  const read = readDocument(text.trim() === '' ? '{}' : text, settingsSchema, file);
  if (read.problems !== undefined) {
    throw new HilumError('settings-bad', formatProblems(read.problems, file), {
      hint: 'Correct the lines above.',
      exit: exitCode.badConfig,
    });
  }
  return { settings: read.value, file };
}
