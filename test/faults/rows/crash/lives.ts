/** Processes of the built product for one trial: killed at its point, or started without help afterwards. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Connection, connect } from '../../../../control-plane/ctl/client.ts';
import { exitCode } from '../../../../gateway/process/errors.ts';
import { messageMaker } from '../../../kit/messages.ts';
import { MllpClient } from '../../../kit/mllp-client.ts';
import { type DaemonProcess, startProcess } from '../../../kit/process.ts';
import { parseStatus } from '../../../kit/status.ts';
import type { RowContext } from '../../row.ts';
import type { Status } from '../../status.ts';

const readyMs = 60_000;

type Start = 'killed' | 'whole';

export class Lives {
  readonly #context: RowContext;
  readonly #underCrash: () => { preload: string[]; env: Record<string, string> };
  readonly folder: string;
  #harmed: DaemonProcess | undefined;

  constructor(
    context: RowContext,
    folder: string,
    underCrash: () => { preload: string[]; env: Record<string, string> },
  ) {
    this.#context = context;
    this.#underCrash = underCrash;
    this.folder = folder;
  }

  /** @param how `killed`: at the point of this trial */
  start(
    program: 'gateway' | 'control-plane',
    how: Start,
    args: readonly string[],
    stdin = '',
  ): DaemonProcess {
    const process = startProcess(this.#context, {
      name: program,
      args: [join(this.#context.dist, program, 'main.js'), ...args],
      folder: join(this.folder, 'logs'),
      stdin: true,
      ...(how === 'killed' ? this.#underCrash() : {}),
    });
    process.stdin?.on('error', () => undefined);
    process.stdin?.end(stdin);
    if (how === 'killed') this.#harmed = process;
    return process;
  }

  /** Harmed and not killed it ends well, or with what says whether to start it again. */
  badEnds(): string[] {
    const { code, signal } = this.#harmed?.exit ?? { code: null, signal: null };
    if (signal === 'SIGKILL' || [exitCode.done, exitCode.tryAgain].includes(code as 0)) return [];
    return [`it ended by ${signal ?? `exit ${code}`}: ${this.#harmed?.stderr.slice(-300)}`];
  }

  /** False where it ended before. */
  async isReady(process: DaemonProcess): Promise<boolean> {
    try {
      await process.waitForLine(/"code":"ready"/, { from: 'stderr', timeoutMs: readyMs });
      return true;
    } catch (error) {
      if (process.exit === undefined) throw error;
      return false;
    }
  }

  plane(how: Start, data: string): DaemonProcess {
    return this.start('control-plane', how, [
      'run',
      '--data',
      data,
      '--grpc',
      '127.0.0.1:0',
      '--http',
      '127.0.0.1:0',
    ]);
  }

  gateway(how: Start, data: string): DaemonProcess {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const listener = 'mllp: { type: mllp, listen: "127.0.0.1:0" }';
    writeFileSync(
      join(data, 'settings.yaml'),
      `status: { listen: "127.0.0.1:0" }\nlisteners: { ${listener} }\n`,
    );
    return this.start('gateway', how, ['run', '--data', data]);
  }

  /** Whole work with the administrator's identity of a control plane that runs. */
  async asAdmin<T>(data: string, work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = connect(join(data, 'admin.json'));
    try {
      return await work(connection);
    } finally {
      connection.close();
    }
  }

  /** Where a control plane that runs is. */
  address(data: string): string {
    return (JSON.parse(readFileSync(join(data, 'admin.json'), 'utf8')) as { address: string }).address;
  }

  async status(data: string): Promise<Status> {
    const { status } = JSON.parse(readFileSync(join(data, 'run.json'), 'utf8')) as { status: string };
    return parseStatus<Status>(await (await fetch(`http://${status}/status`)).text());
  }

  /** Control IDs of those that were answered, until one is not. */
  async send(data: string, count: number): Promise<string[]> {
    const answered: string[] = [];
    const make = messageMaker({ seed: 41, kind: 'oru' });
    try {
      const { listeners } = await this.status(data);
      const port = Number(listeners[0]?.address.split(':').at(-1));
      const client = await MllpClient.connect({ port, answerTimeoutMs: 20_000 });
      for (let n = 0; n < count; n += 1) {
        const { bytes, controlId } = make(n);
        await client.send(bytes);
        answered.push(controlId);
      }
      await client.close();
    } catch {
      // Killed: the next one was not answered.
    }
    return answered;
  }
}

/** SIGTERM; what is wrong about how it ended. */
export async function stopped(process: DaemonProcess): Promise<string[]> {
  const { code, signal } = await process.stop();
  return code === 0 ? [] : [`its stop ended by ${signal ?? `exit ${code}`}`];
}

export function notReady(process: DaemonProcess): string[] {
  const { code, signal } = process.exit ?? {};
  return [`it did not start again (${signal ?? `exit ${code}`}): ${process.stderr.slice(-300)}`];
}
