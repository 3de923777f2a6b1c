/** The lanes in a Hello: each costs reads, and they come before anything else of a session. */
import t from 'tap';
import { classes } from '../../proto/config/event-words.ts';
import { LaneRange } from '../../proto/gen/hilum/v1/session.ts';
import { until } from '../kit/wait.ts';
import { openCentre } from './hub-kit.ts';

const ranges = (lanes: readonly string[]) =>
  lanes.map((lane) => LaneRange.fromPartial({ lane, first: 3n, last: 2n }));

t.test(
  'hello - lanes that there are not, or one twice, are refused before anything is looked up',
  async (t) => {
    const centre = await openCentre(t.testdir());
    const many = Array.from({ length: 1_000 }, (_, at) => `lane-${at}`);
    for (const lanes of [many, ['routine', 'routine'], ['routine', '__proto__'], ['']]) {
      const { said } = centre.begin('north', 1n, { lanes: ranges(lanes) });
      await until(() => said.length > 0, { what: 'an answer' });
      t.match(said, [{ $case: 'refusal', value: { code: 'lane-unknown' } }], lanes[1] ?? 'none');
    }
    t.same(await centre.subjects('events-missing-here'), []);
    t.equal(centre.state.registry.get('north'), undefined);
    const { said } = centre.begin('north', 1n, { lanes: ranges(classes) });
    await until(() => said.length > 0, { what: 'an answer' });
    t.match(said, [{ $case: 'welcome' }]);
    t.same(await centre.subjects('events-missing-here'), [...classes]);
    await centre.close();
  },
);

t.test(
  'hello - what is not here is counted once where a session is replaced on its way, and in one write',
  async (t) => {
    const centre = await openCentre(t.testdir());
    const release = centre.hold();
    const hello = { lanes: ['routine', 'stat'].map((lane) => ({ lane, first: 101n, last: 100n })) };
    const streams = [centre.begin('north', 1n, hello), centre.begin('north', 1n, hello)];
    release();
    const welcomed = () => streams.some(({ said }) => said.some(({ $case }) => $case === 'welcome'));
    await until(welcomed, { what: 'the welcome' });
    await centre.settled();
    t.same(await centre.subjects('events-missing-here'), ['routine', 'stat']);
    t.equal(centre.state.registry.get('north')?.missingEvents, 200n);
    t.equal(await centre.state.eventLog.cursor('north', 1n, 'stat'), 100n);
    const written = centre.writes.map((rows) => new Set(rows.map(({ table }) => table)));
    const skipping = written.filter((tables) => tables.has('cursors'));
    for (const tables of skipping) t.ok(tables.has('audit') && tables.has('gateways'));
    t.equal(skipping.length, 2);
    await centre.close();
  },
);
