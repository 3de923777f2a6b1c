/** What the control plane boots with. Found at --settings, else DIR/settings.yaml, else defaults on loopback. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readSettingsText } from '../gateway/process/config-text.ts';
import { exitCode, HilumError } from '../gateway/process/errors.ts';
import { mayLookInto } from '../gateway/process/storage.ts';
import { readAddress } from '../proto/address.ts';
import { readDocument } from '../proto/config/document.ts';
import { formatProblems } from '../proto/config/problem.ts';

const place = z
  .string()
  .refine((text) => readAddress(text) !== undefined, { error: 'write host:port, as in "0.0.0.0:7443"' });

const settingsSchema = z.strictObject({
  grpc: place.default('127.0.0.1:7443').describe('host:port that gateways and hilumctl connect to.'),
  advertise: z
    .string()
    .refine((text) => readAddress(text) !== undefined, {
      error: 'write host:port, as in "hilum.example.org:7443"',
    })
    .optional()
    .describe('host:port as gateways see it; it goes into tokens. Default: the grpc address.'),
  http: place
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
  mayLookInto(directory);
  const implied = join(directory, 'settings.yaml');
  const file = named ?? (existsSync(implied) ? implied : '');
  const text = file === '' ? '{}' : readSettingsText(file);
  const read = readDocument(text, settingsSchema, file);
  if (read.problems !== undefined) {
    throw new HilumError('settings-bad', formatProblems(read.problems, file), {
      hint: 'Correct the lines above.',
      exit: exitCode.badConfig,
    });
  }
  return { settings: read.value, file };
}
