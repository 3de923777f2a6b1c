/** Runs one of the built programs to its end. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bare } from '../kit/bare.ts';
import { projectRoot } from '../kit/paths.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const programs = {
  'hilum-gateway': 'gateway/main.js',
  'hilum-control-plane': 'control-plane/main.js',
  hilumctl: 'control-plane/ctl/main.js',
} as const;

export function cli(
  program: keyof typeof programs,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ran> {
  const child = spawn(...bare(process.execPath, [join(projectRoot, 'dist', programs[program]), ...args]), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}
