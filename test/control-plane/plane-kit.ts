/** A control plane in this process, on ports of its own, as a program opens one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Plane } from '../../control-plane/plane.ts';
import { loadSettings } from '../../control-plane/settings.ts';
import { folderOf } from '../kit/site.ts';

export interface OpenedPlane {
  plane: Plane;
  /** The admin's identity, as admin.json has it. */
  context: { caPem: string; certPem: string; keyPem: string };
  contextFile: string;
  /** Codes of what it logged. */
  lines: string[];
}

/** Started; whoever opens it stops it. @param nowMs the clock of its certificates */
export async function openPlane(t: Test, nowMs = Date.now): Promise<OpenedPlane> {
  const directory = folderOf(t);
  const { settings } = loadSettings(directory, undefined);
  const lines: string[] = [];
  const plane = await Plane.open({
    directory,
    settings: { ...settings, grpc: '127.0.0.1:0', http: '127.0.0.1:0' },
    settingsFile: '',
    nowMs,
    log: (_level, code) => {
      lines.push(code);
    },
  });
  await plane.start();
  const contextFile = join(directory, 'admin.json');
  const context = JSON.parse(readFileSync(contextFile, 'utf8')) as OpenedPlane['context'];
  return { plane, context, contextFile, lines };
}
