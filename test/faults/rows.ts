/** The rows that can be run, in the order of the table. */
import type { Row } from './row.ts';
import { f01 } from './rows/f01-kill-gateway.ts';
import { f02 } from './rows/f02-kill-control-plane.ts';
import { f03, f04 } from './rows/f03-power-loss.ts';
import { f05 } from './rows/f05-full-disk.ts';
import { f06 } from './rows/f06-failing-disk.ts';
import { f09 } from './rows/f09-clock.ts';
import { f10 } from './rows/f10-clock-change.ts';
import { f13 } from './rows/f13-silent-peer.ts';
import { f16 } from './rows/f16-repeats.ts';
import { f18 } from './rows/f18-stat-over-backlog.ts';
import { f19 } from './rows/f19-poison.ts';
import { f21 } from './rows/f21-bad-mapping.ts';
import { f26 } from './rows/f26-oversize.ts';
import { f31 } from './rows/f31-cut-stream.ts';
import { f32 } from './rows/f32-false-acks.ts';
import { f37 } from './rows/f37-canary.ts';
import { f41, f42 } from './rows/f41-crash-points.ts';

export const rows: readonly Row[] = [
  f01,
  f02,
  f03,
  f04,
  f05,
  f06,
  f09,
  f10,
  f13,
  f16,
  f18,
  f19,
  f21,
  f26,
  f31,
  f32,
  f37,
  f41,
  f42,
];
