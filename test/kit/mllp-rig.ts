/** An MLLP listener on a real port, with the intake in memory. Its bounds are wide; a test that is about one says so. */
import type { TlsOptions } from 'node:tls';
import { controlIds } from '../../gateway/capture/mllp/answers.ts';
import type { Header } from '../../gateway/capture/mllp/header.ts';
import { MllpListener } from '../../gateway/capture/mllp/listener.ts';
import type { MllpLimits } from '../../gateway/capture/mllp/options.ts';
import { MemoryIntake } from './memory-intake.ts';
import type { Owner } from './process.ts';

export interface MllpRig {
  intake: MemoryIntake;
  listener: MllpListener;
  port: number;
  logs: { code: string; fields: Record<string, unknown> }[];
}

export interface MllpRigOptions {
  limits?: Partial<MllpLimits>;
  tls?: TlsOptions;
  allow?: (address: string) => boolean;
  onRefused?: 'close' | 'reject';
  refuses?: (header: Header) => string;
  nextControlId?: () => string;
  clock?: { us: number; elapsedMs: number };
}

/** Stopped with its owner. */
export async function startMllp(owner: Owner, options: MllpRigOptions = {}): Promise<MllpRig> {
  const { clock, limits, tls } = options;
  const intake = new MemoryIntake();
  const logs: MllpRig['logs'] = [];
  const listener = new MllpListener(
    {
      name: 'lab',
      host: '127.0.0.1',
      port: 0,
      tls,
      allow: options.allow ?? (() => true),
      onRefused: options.onRefused ?? 'close',
      limits: {
        frameBytesMax: 64 * 1024,
        connectionsMax: 50,
        connectionsPerAddressMax: 50,
        unansweredMax: 256,
        frameTimeoutMs: 60_000,
        idleTimeoutMs: 60_000,
        handshakeTimeoutMs: 5_000,
        ...limits,
      },
    },
    intake,
    {
      source: () => ({ name: 'lab', repeatWindowMs: 900_000, refuses: options.refuses ?? (() => '') }),
      urgency: () => 'routine',
      nextControlId: options.nextControlId ?? controlIds(Date.now() * 1000),
      nowUs: () => clock?.us ?? Date.now() * 1000,
      elapsedMs: () => clock?.elapsedMs ?? performance.now(),
      log: (_level, code, fields = {}) => logs.push({ code, fields }),
    },
  );
  const { port } = await listener.start();
  owner.teardown(() => listener.stop(0));
  return { intake, listener, port, logs };
}
