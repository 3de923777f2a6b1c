/** What every part of the listener works with. */
import type { Intake } from '../intake.ts';
import type { Refusals } from '../refusals.ts';
import type { Flow } from './flow.ts';
import type { Lines } from './lines.ts';
import type { MllpCounters, MllpHooks, MllpOptions } from './options.ts';

export interface MllpPart {
  readonly options: MllpOptions;
  readonly hooks: MllpHooks;
  readonly intake: Intake;
  readonly counters: MllpCounters;
  readonly refused: Refusals;
  readonly flow: Flow;
  readonly lines: Lines;
}
