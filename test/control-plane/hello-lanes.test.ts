/** The lanes in a Hello: each costs reads, and they come before anything else of a session. */
import t from 'tap';
import { LaneRange } from '../../proto/gen/hilum/v1/session.ts';
import { wireLanes } from '../../proto/limits.ts';
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
    const { said } = centre.begin('north', 1n, { lanes: ranges(wireLanes) });
    await until(() => said.length > 0, { what: 'an answer' });
    t.match(said, [{ $case: 'welcome' }]);
    t.same(await centre.subjects('events-missing-here'), [...wireLanes]);
    await centre.close();
  },
);
