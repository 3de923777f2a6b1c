/**
 * How the collector works in this process. A gateway's heap is small (under 50 MB) and most of its bytes are outside
 * of it, in buffers, so collections are many and short.
 *
 * - Helping threads cost more than they help then, and take the processor from the normalizer: without them intake
 *   rose by 14 % and its p99 fell by 40 % on two cores (measured in alternation with 64 connections).
 * - Buffers count against the same limit as the heap, which by itself is twice what lived on: under load the whole
 *   heap was marked eight times a second, a third of this thread's time. Four times as much costs some 60 MB.
 * - A heap this small is not made smaller while nothing happens: that was nine tenths of an idle gateway's time. What
 *   a large message leaves is over the limit, and goes by that.
 */
import { setFlagsFromString } from 'node:v8';

/** Before anything is allocated that matters. */
export function tuneHeap(): void {
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString('--no-concurrent-marking');
  setFlagsFromString('--heap-growing-percent=300');
  setFlagsFromString('--no-memory-reducer');
}
