/**
 * What the goals of one run share: where it writes, how long it measures, the rows and remarks that it
 * collects, and the stacks that several goals use one after the other. A goal that throws is a row that
 * could not be measured; the others go on.
 */
import type { Owner } from '../kit/process.ts';
import { owning, runLoadTool, startBare } from './limits.ts';
import type { LoadResult } from './load.ts';
import { Stack } from './stack.ts';
import type { BenchRow } from './table.ts';

export interface Sizes {
  /** Alternations of ours and the limit. */
  readonly rounds: number;
  /** One closed-loop measurement, after `warmup`. */
  readonly seconds: number;
  readonly warmup: number;
  /** A load before the first measurement: daemons run for months, and compiled code is some three times as fast. */
  readonly warm: number;
  /** Messages for the goals that speak of a million. */
  readonly million: number;
  /** Messages for the goals that speak of 100,000. */
  readonly backlog: number;
  /** Sending so many may not take longer than this; what was reached is stated. */
  readonly mostSeconds: number;
  /** The open-loop run at half rate. */
  readonly steadySeconds: number;
  readonly idleSeconds: number;
}

export const fullSizes: Sizes = {
  rounds: 3,
  seconds: 3,
  warmup: 1,
  warm: 15,
  million: 1_000_000,
  backlog: 100_000,
  mostSeconds: 240,
  steadySeconds: 40,
  idleSeconds: 20,
};

export const quickSizes: Sizes = {
  rounds: 2,
  seconds: 1.5,
  warmup: 0.5,
  warm: 5,
  million: 100_000,
  backlog: 100_000,
  mostSeconds: 25,
  steadySeconds: 10,
  idleSeconds: 10,
};

export class Run {
  readonly rows: BenchRow[] = [];
  /** What a reader of the figures should know beside them; also failures. */
  readonly remarks: string[] = [];
  /** True once a message that was answered is not at the centre, or is there twice. */
  broken = false;
  readonly folder: string;
  readonly sizes: Sizes;
  readonly owner: Owner;
  /** Intake at 64 connections as P1 found it; P1's and P9's steady rates follow from it. */
  intakeRate = 0;
  #long: Promise<Stack> | undefined;
  #queued: { stack: Stack; records: number; bytesReceived: number } | undefined;

  constructor(owner: Owner, folder: string, sizes: Sizes) {
    this.owner = owner;
    this.folder = folder;
    this.sizes = sizes;
  }

  row(row: BenchRow): void {
    this.rows.push(row);
  }

  remark(goal: string, text: string): void {
    this.remarks.push(`${goal}: ${text}`);
    process.stderr.write(`  ${text}\n`);
  }

  /** The bare durable limit, with a store of its own. */
  bare(connections: number): Promise<LoadResult> {
    return owning(async (owner) => {
      const { port } = await startBare(owner, 'bare-lmdb-mllp', this.folder);
      return runLoadTool('load-mllp', port, this.closedLoop(connections));
    });
  }

  closedLoop(connections: number): Record<string, number> {
    return { connections, seconds: this.sizes.seconds, warmup: this.sizes.warmup };
  }

  /** A rate that the gateway should keep up for good: half its intake at 64 connections. */
  async halfRate(stack: Stack): Promise<number> {
    if (this.intakeRate === 0) {
      this.intakeRate = (await stack.load({ connections: 64, seconds: 2, warmup: 1 })).rate;
      await stack.drained();
    }
    return Math.round(this.intakeRate / 2);
  }

  /** The stack that lives through the goals with many messages, connected. */
  longStack(): Promise<Stack> {
    this.#long ??= Stack.start(this.owner, this.folder);
    return this.#long;
  }

  /** The same with its control plane stopped and `million` records queued. */
  async queuedStack(): Promise<{ stack: Stack; records: number; bytesReceived: number }> {
    if (this.#queued) return this.#queued;
    const stack = await this.longStack();
    await stack.stopPlane();
    const count = this.sizes.million;
    process.stderr.write(`  queueing ${count} records with the control plane stopped\n`);
    const load = await stack.load({ connections: 64, count, most: this.sizes.mostSeconds });
    await stack.normalized();
    this.#queued = { stack, records: load.answered, bytesReceived: load.sentBytes };
    return this.#queued;
  }

  /** Compares what was answered with what the centre has. */
  async account(goal: string, stack: Stack): Promise<void> {
    const { answered, stored, lost, doubled } = await stack.census();
    const text = `answered ${answered}, at the centre ${stored}, lost ${lost}, doubled ${doubled}`;
    this.remark(goal, text);
    if (lost > 0 || doubled > 0) this.broken = true;
  }

  /** Says where a load was not answered as it should have been. */
  checkLoad<T extends LoadResult>(goal: string, load: T): T {
    const { refused, errors, notAnswered } = load;
    if (refused + errors + notAnswered > 0) {
      this.remark(goal, `the load had ${refused} refused, ${errors} errors, ${notAnswered} not answered`);
    }
    return load;
  }
}
