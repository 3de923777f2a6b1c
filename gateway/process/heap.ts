/**
 * How the collector works in this process. A gateway's heap is small (under 50 MB) and most of its bytes are outside
 * of it, in buffers, so collections are many and short.
 *
 * - Helping threads cost more than they help then, and take the processor from the normalizer: without them intake
 *   rose by 14 % and its p99 fell by 40 % on two cores (measured in alternation with 64 connections).
 * - Buffers count against the same limit as the heap, which by itself is twice what lived on: under load the whole
 *   heap was marked eight times a second, a third of this thread's time. Two and a half times as much is marked about once a
 *   second; four times as much saved nothing further, and held 70 MB more.
 * - A heap this small is not made smaller while nothing happens: that was nine tenths of an idle gateway's time. What
 *   a large message leaves is over the limit, and goes by that.
 *
 * A message of many MiB leaves several copies of itself as it passes, and what comes after it is too small to bring
 * the collector: they stood beside the copies of the next step. So whoever has handled one says so.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** From here on a message is worth a collection, some 20 ms: more than listeners take by default, so no report with a document. */
const largeBytes = 16 * 1024 ** 2;
let collect: (() => void) | undefined;
let soon = false;

/** Before anything is allocated that matters. */
export function tuneHeap(): void {
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString('--no-concurrent-marking');
  setFlagsFromString('--heap-growing-percent=150');
  setFlagsFromString('--no-memory-reducer');
}

/** After a step with so many bytes, of which copies are left; the step ends before they are collected. False: too few to matter. */
export function collectAfter(bytes: number): boolean {
  if (bytes < largeBytes) return false;
  if (soon) return true;
  soon = true;
  setImmediate(() => {
    soon = false;
    collect ??= collector();
    collect();
  });
  return true;
}

/** V8 gives its collector to a context that is made while this flag stands. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const found = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return found;
}
