/** The clock shim, seen from inside a Node process and from outside. */
import t from 'tap';
import { clockControl } from '../faults/tools/clock.ts';
import { startProcess } from './process.ts';

const folder = t.testdir();
const clock = clockControl(folder);
const skip = clock === undefined ? 'no gcc' : false;

// Prints the wall clock and the monotonic clock for each line that it reads.
const program = `
  process.stdin.on('data', () => console.log(Date.now(), Math.round(performance.now())));
  console.log('ready');
`;

t.test('clock shim - the wall clock steps while monotonic time goes on', { skip }, async (t) => {
  const child = startProcess(t, {
    name: 'clock',
    folder,
    args: ['-e', program],
    preload: [clock!.preload],
    env: { ...clock!.env },
    stdin: true,
  });
  await child.waitForLine(/^ready$/);
  const read = async (offsetMs: number) => {
    clock!.set(offsetMs);
    return child.waitFor(() => {
      child.stdin!.write('?\n');
      const last = child.stdout.trimEnd().split('\n').at(-1) ?? '';
      const [wall, monotonic] = last.split(' ').map(Number);
      if (Number.isNaN(wall) || monotonic === undefined) return undefined;
      return Math.abs(wall! - Date.now() - offsetMs) < 1_000 ? { wall: wall!, monotonic } : undefined;
    });
  };
  const first = await read(0);
  const back = await read(-2 * 3_600_000);
  const ahead = await read(30 * 86_400_000);
  const long = await read(-10 * 365 * 86_400_000);
  const times = [first, back, ahead, long].map((seen) => seen.monotonic);
  t.ok(back.wall < first.wall && ahead.wall > first.wall && long.wall < back.wall);
  t.strictSame(
    times,
    times.toSorted((a, b) => a - b),
    'monotonic never steps',
  );
  t.ok(times.at(-1)! - times[0]! < 60_000, 'monotonic did not move with the wall');
});
