/**
 * P2: the whole way. Senders at 64 connections send and wait; a record counts when every event of it is
 * flushed at the centre and the gateway has heard so; the clock runs from the first send to the last ack.
 * Both daemons and the generator share the machine with nothing else, as the limit does.
 */
import { alternate, pairOf } from '../alternate.ts';
import { owning } from '../limits.ts';
import type { Run } from '../run.ts';
import { Stack } from '../stack.ts';

/** Messages a second that Open Integration Engine took at 64 connections, measured once; not measured here. */
const dominantEngineRate = 600;

export function p2(run: Run): Promise<void> {
  return owning(async (owner) => {
    const stack = await Stack.start(owner, run.folder);
    const seconds = run.sizes.seconds * 2;
    await stack.warm(run.sizes.warm);
    const { limits, ours } = await alternate(
      run.sizes.rounds,
      () => run.bare(64),
      async () => {
        const load = run.checkLoad('P2', await stack.load({ connections: 64, seconds, warmup: 0 }));
        const lastAckAtMs = await stack.drained();
        const tookMs = lastAckAtMs - load.startedAtMs;
        return { rate: load.answered / (tookMs / 1000), intake: load.rate, afterMs: lastAckAtMs - load.toMs };
      },
    );
    const rates = pairOf(
      ours.map(({ rate }) => rate),
      limits.map(({ rate }) => rate),
    );
    const what = 'sender to durable at the centre, 64 connections';
    run.row({ goal: 'P2', what, unit: 'msg/s', ...rates, firstAim: 0.2, moonshot: 0.5 });
    run.row({
      goal: 'P2',
      what: 'the same beside the dominant engine (stated, not measured here)',
      unit: 'msg/s',
      figure: rates.figure,
      limit: dominantEngineRate,
      firstAim: 10,
      moonshot: 25,
    });
    for (const { rate, intake, afterMs } of ours) {
      const after = (afterMs / 1000).toFixed(1);
      run.remark(
        'P2',
        `intake ${intake}/s for ${seconds} s, the last one at the centre ${after} s later: ${Math.round(rate)}/s`,
      );
    }
    await run.account('P2', stack);
  });
}
