/** F18: a STAT result does not wait for the backlog in front of it, and the backlog still moves. */
import { until } from '../../kit/wait.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';

export const f18: Row = {
  id: 'F18',
  title: 'STAT over a backlog',
  async run(context) {
    const backlog = context.short ? 6_000 : 100_000;
    const stats = context.short ? 60 : 200;
    const rig = new Rig(context);
    await rig.start();
    await rig.killPlane();
    await send(rig, { first: 0, count: backlog, connections: 64 }).done;
    context.progress(`${backlog} routine messages wait`);
    const statFirst = 50_000_000;
    // The line drains slowly enough that there is still a backlog when each STAT comes.
    rig.proxy.shape({ rateBytes: context.short ? 4_000_000 : 10_000_000 });
    await rig.startPlane();
    await until(async () => ((await rig.status())?.custody[0]?.delivered ?? 0) > 0, {
      what: 'the backlog moving',
      timeoutMs: 60_000,
    });
    const sentAtUs = new Map<number, number>();
    // One after the other, each once the one before it is at the centre: a STAT result is a rare thing.
    for (let at = 0; at < stats; at += 1) {
      const onAnswer = (n: number) => sentAtUs.set(n, Date.now() * 1000);
      const stored = (await rig.status())?.custody[0]?.delivered ?? 0;
      await send(rig, { first: statFirst + at, count: 1, connections: 1, kind: 'oruStat', onAnswer }).done;
      await until(async () => ((await rig.status())?.custody[0]?.delivered ?? 0) > stored, {
        what: 'anything being delivered',
        timeoutMs: 60_000,
        everyMs: 2,
      });
    }
    await rig.drained();
    rig.proxy.heal();
    const records = await rig.received();
    const statRecords = records.filter(({ lane }) => lane === 'stat');
    const lastRoutine = records.findLast(({ lane }) => lane === 'routine')?.index ?? 0n;
    const overtook = statRecords.filter(({ index }) => index < lastRoutine).length;
    const firstStat = records.findIndex(({ lane }) => lane === 'stat');
    const lastStat = records.findLastIndex(({ lane }) => lane === 'stat');
    const between = records.slice(firstStat, lastStat + 1);
    const routineShare =
      between.filter(({ lane }) => lane === 'routine').length / Math.max(1, between.length);
    const waits = statRecords
      .map(
        ({ controlId, storedAtUs }) =>
          Number(storedAtUs) - (sentAtUs.get(Number(controlId?.slice(-11))) ?? Number.NaN),
      )
      .filter((us) => !Number.isNaN(us))
      .sort((a, b) => a - b);
    const ms = (us: number | undefined) => ((us ?? 0) / 1000).toFixed(0);
    const failures: string[] = [];
    if (statRecords.length !== stats)
      failures.push(`${statRecords.length} STAT results came as stat, not ${stats}`);
    if (overtook < stats * 0.9)
      failures.push(`only ${overtook} of ${stats} STAT results came before the end of the backlog`);
    if (routineShare < 0.2) failures.push(`routine had ${(routineShare * 100).toFixed(0)} % while STAT came`);
    const checked = await rig.oracle();
    return {
      failures: [...failures, ...checked.failures],
      figures: `backlog ${backlog}, STAT ${stats}, overtook ${overtook}, answer to centre p50 ${ms(waits[waits.length >> 1])} p99 ${ms(waits[Math.floor(waits.length * 0.99)])} max ${ms(waits.at(-1))} ms, ${checked.summary}`,
    };
  },
};
