/** Where what gateways bring waits while the store has no room for it. */
import t from 'tap';
import { type Entry, Room } from '../../control-plane/store/room.ts';
import type { Store } from '../../control-plane/store/store.ts';
import { Batch } from '../../proto/gen/hilum/v1/session.ts';
import { until } from '../kit/wait.ts';
import { openCentre } from './hub-kit.ts';

const mebibyte = 1024 ** 2;
const never = new Promise<void>(() => {});
/** Looking again keeps no process alive; a test does. */
const alive = setInterval(() => {}, 1_000);
t.teardown(() => clearInterval(alive));

/** A volume with so many bytes left. */
function rig(left: number) {
  const volume = { left };
  const told: boolean[] = [];
  const room = new Room({ hasRoom: (bytes: number) => bytes <= volume.left } as Store, (full) =>
    told.push(full),
  );
  return { volume, told, room };
}

t.test('room - what is let in and not written yet takes room, too', async (t) => {
  const { room, told } = rig(10);
  t.equal(room.enter(6, never), undefined);
  const waits = room.enter(6, never);
  t.ok(waits, 'two of six are more than ten');
  t.same(told, [true]);
  room.leave(6);
  t.equal(await waits, 'in');
  t.same(told, [true, false]);
});

t.test('room - what waits goes in one after the other, each where there is room for it', async (t) => {
  const { room, volume, told } = rig(0);
  const went: string[] = [];
  const enter = (name: string, bytes: number) =>
    room.enter(bytes, never)?.then((entry) => {
      went.push(`${name} ${entry}`);
      volume.left -= bytes;
      room.leave(bytes);
    });
  const all = [enter('a', 4), enter('b', 5), enter('c', 1)];
  volume.left = 4;
  await all[0];
  t.same(went, ['a in'], 'room for one of them is no room for all');
  t.equal(room.isFull, true);
  volume.left = 6;
  await Promise.all(all);
  t.same(went, ['a in', 'b in', 'c in'], 'in the order in which they came');
  t.same(told, [true, false]);
});

t.test('room - what nobody waits for any more is forgotten', async (t) => {
  const { room, told } = rig(0);
  let leave = () => {};
  const gone = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const waits = room.enter(100 * mebibyte, gone);
  t.equal(room.isCrowded, true);
  leave();
  t.equal(await waits, 'gone');
  t.same([room.isCrowded, room.isFull], [false, false]);
  t.same(told, [true, false]);
});

t.test('room - what waits has a bound over all', async (t) => {
  const { room } = rig(0);
  const entries: (Promise<Entry> | undefined)[] = [];
  for (let n = 0; n < 20; n += 1) entries.push(room.enter(4 * mebibyte, never));
  t.equal(await entries.at(-1), 'refused');
  t.equal(room.isCrowded, true);
  t.throws(() => room.need(1), { code: 'store-full' });
});

t.test('room - a session whose batch would be too much is told why, and a new one with it', async (t) => {
  const centre = await openCentre(t.testdir());
  const [north, south] = [await centre.connect('north', 1n), await centre.connect('south', 2n)];
  const held = [await centre.connect('east', 3n)];
  centre.fill(true);
  const batch = (sequence: bigint, bytes: number, epoch: bigint) =>
    Batch.fromPartial({
      epoch,
      lane: 'routine',
      firstSequence: sequence,
      envelopes: [Buffer.alloc(bytes)],
    });
  // One event may be larger than the credit where nothing else is out.
  north.say({ $case: 'batch', value: batch(1n, 40 * mebibyte, 1n) });
  held[0]?.say({ $case: 'batch', value: batch(1n, 40 * mebibyte, 3n) });
  await until(() => centre.state.room.isCrowded, { what: 'much waiting' });
  south.say({ $case: 'batch', value: batch(1n, 1_000, 2n) });
  const codes = (said: readonly { $case: string; value: unknown }[]) =>
    said.flatMap(({ $case, value }) => ($case === 'refusal' ? [(value as { code: string }).code] : []));
  await until(() => codes(south.said).length > 0, { what: 'the refusal' });
  t.same(codes(south.said), ['store-full']);
  t.same(codes(north.said), [], 'what waits, waits');
  await t.rejects(centre.connect('west', 4n), /the welcome/);
  north.hangUp();
  await until(() => !centre.state.room.isCrowded, { what: 'what waited going with its session' });
  t.ok(await centre.connect('west', 4n));
  held[0]?.hangUp();
  centre.fill(false);
  await centre.close();
});
